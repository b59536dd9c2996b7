"""The foundation: what is learnt once from messages of many companies, before a bundle adds its own examples."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from handrail.guardrails.detect.features import FeatureSpace, TextFeatures, score
from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.detect.regression import Matrix
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Frozen, NeedState

FORMAT = 1
SHIPPED = Path(__file__).with_name("foundation.safetensors")


class SourceUsed(Frozen):
    """One data set that was learnt from, how many of its rows, and its licence."""

    name: str
    rows: int
    licence: str


class CardScores(Frozen):
    """What was measured while training, on rows of data sets that were left out in turn.

    `calibration_error` is the expected calibration error of need states over ten equal steps of confidence.
    `recalls` are shares of the instances of each signal that are found, `false_alarms` of everything else.
    """

    need_accuracy: float
    calibration_error: float
    recalls: dict[str, float]
    false_alarms: dict[str, float]


class ModelCard(Frozen):
    """What a model file says of itself.

    Attributes:
        format: Version of the file's format.
        recipe: Version of the way it was trained.
        encoder: Revision of the encoder that it belongs to.
        corpus_sha256: Hash of what it was trained on.
        states: Need states, in the order of their columns.
        codes: Signals, in the order of their columns.
        temperature: Divisor of need state scores that calibrates them.
        sources: What it was trained on.
        scores: What was measured while training.
    """

    format: int
    recipe: int
    encoder: str
    corpus_sha256: str
    states: tuple[NeedState, ...]
    codes: tuple[str, ...]
    temperature: Annotated[float, Field(gt=0)]
    sources: tuple[SourceUsed, ...]
    scores: CardScores


@dataclass(frozen=True, slots=True)
class Foundation:
    """Weights of need states and signals, ready to be applied.

    `state_weights` has shape (dimensions + terms + 1, states), `signal_weights` (deep dimensions + terms + 1, codes).
    Signals are scored so that zero is where they begin to be reported.
    """

    card: ModelCard
    space: FeatureSpace
    state_weights: Matrix
    signal_weights: Matrix

    def states(self, features: TextFeatures) -> Matrix:
        """Logarithms of calibrated probabilities, up to a constant, per need state of the card."""
        scores = score(features, self.state_weights, self.space.dimensions)
        return np.asarray(scores / self.card.temperature, dtype=np.float32)

    def signals(self, features: TextFeatures) -> Matrix:
        """Scores per code of the card; from zero on, a signal is reported."""
        return score(features, self.signal_weights, len(features.dense))

    def save(self, path: Path) -> None:
        """Write one file, weights in half precision; the card stands in its header, where any reader shows it."""
        from safetensors.numpy import save_file

        terms = np.frombuffer("\n".join(self.space.lexicon.terms).encode(), dtype=np.uint8)
        tensors: dict[str, NDArray[np.float16] | NDArray[np.uint8]] = {
            "center": self.space.center.astype(np.float16),
            "rarity": self.space.lexicon.rarity.astype(np.float16),
            "state_weights": self.state_weights.astype(np.float16),
            "signal_weights": self.signal_weights.astype(np.float16),
            "terms": terms.copy(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(tensors), path, metadata={"card": self.card.model_dump_json()})

    @classmethod
    def load(cls, path: Path, encoder_revision: str) -> Self:
        """Read a file that `save` wrote.

        Raises:
            ConfigError: it is missing or damaged, or belongs to another encoder or another version.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as stored:
                card = ModelCard.model_validate_json((stored.metadata() or {}).get("card", "{}"))
                parts = {name: np.asarray(stored.get_tensor(name)) for name in stored.keys()}  # noqa: SIM118 - no mapping
        except (OSError, SafetensorError, ValidationError, json.JSONDecodeError) as error:
            raise ConfigError(
                [f"The detection model {path} cannot be read ({error}). Run `handrail train`."]
            ) from error
        if card.format != FORMAT or card.encoder != encoder_revision:
            problem = (
                f"The detection model {path} belongs to another version or encoder ({card.encoder[:12]}, installed "
            )
            repair = (
                f"is {encoder_revision[:12]}). Run `handrail model install`, or train it again with `handrail train`."
            )
            raise ConfigError([problem + repair])
        widths = {name: part.astype(np.float32) for name, part in parts.items() if name != "terms"}
        terms = tuple(parts["terms"].tobytes().decode().split("\n"))
        center = widths["center"]
        dimensions = widths["state_weights"].shape[0] - len(terms) - 1
        space = FeatureSpace(center, dimensions, Lexicon.of(terms, widths["rarity"]))
        return cls(card, space, widths["state_weights"], widths["signal_weights"])
