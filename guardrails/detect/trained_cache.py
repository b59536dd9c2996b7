"""Trained weights on disk, so that only the first start after a change of examples or encoder pays for training."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.detect.training import TRAINING_RECIPE, Trained, train
from handrail.guardrails.encoder import Encoder

FOLDER = "detection"


def load_or_train(config: DetectionConfig, encoder: Encoder, foundation: Foundation, cache_dir: Path | None) -> Trained:
    """The weights for `config` on `foundation`: from `cache_dir` when they lie there whole, else trained and kept.

    A folder that cannot be written costs the next start its training and nothing else. None keeps nothing.
    """
    if cache_dir is None:
        return train(config, encoder, foundation)
    path = cache_dir / FOLDER / f"{cache_key(config, encoder, foundation)}.npz"
    trained = _load(path, config, encoder)
    if trained is None:
        trained = train(config, encoder, foundation)
        _save(path, trained)
    return trained


def cache_key(config: DetectionConfig, encoder: Encoder, foundation: Foundation) -> str:
    """Changes whenever the weights could."""
    learned = config.model_dump_json(include={"intents", "signals"})
    parts = (str(TRAINING_RECIPE), encoder.revision, foundation.card.model_dump_json(), learned)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _load(path: Path, config: DetectionConfig, encoder: Encoder) -> Trained | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            trained = Trained(
                intents=tuple(str(name) for name in stored["intents"]),
                terms=tuple(str(term) for term in stored["terms"]),
                rarity=stored["rarity"],
                examples=stored["examples"],
                owners=stored["owners"],
                signal_examples=stored["signal_examples"],
                roles=stored["roles"],
                intent_weights=stored["intent_weights"],
                codes=tuple(str(code) for code in stored["codes"]),
                signal_weights=stored["signal_weights"],
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # missing or damaged: it is trained again
    return trained if _is_whole(trained, config, encoder) else None


def _is_whole(trained: Trained, config: DetectionConfig, encoder: Encoder) -> bool:
    width = encoder.dimensions
    names = (trained.intents, trained.codes)
    shapes = (
        trained.examples.shape[1:],
        trained.signal_examples.shape[1:],
        trained.rarity.shape,
        trained.owners.shape,
        trained.roles.shape,
        trained.intent_weights.shape,
        trained.signal_weights.shape,
    )
    expected = (
        (width,),
        (width,),
        (len(trained.terms),),
        (len(trained.examples),),
        (len(trained.examples) + len(trained.signal_examples), len(trained.codes)),
        (width + len(trained.terms) + 1, len(trained.intents)),
        (encoder.deep_dimensions + len(trained.terms) + 1, len(trained.codes)),
    )
    finite = np.isfinite(trained.intent_weights).all() and np.isfinite(trained.signal_weights).all()
    declared = (tuple(config.need_state_of), tuple(signal.code for signal in config.signals))
    return names == declared and shapes == expected and bool(finite)


def _save(path: Path, trained: Trained) -> None:
    """Write beside the final name and rename, so that no reader ever sees half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".training-", suffix=".npz")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(
                    stream,
                    intents=np.array(trained.intents),
                    terms=np.array(trained.terms),
                    rarity=trained.rarity,
                    examples=trained.examples,
                    owners=trained.owners,
                    signal_examples=trained.signal_examples,
                    roles=trained.roles,
                    intent_weights=trained.intent_weights,
                    codes=np.array(trained.codes),
                    signal_weights=trained.signal_weights,
                )
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError:
        return
