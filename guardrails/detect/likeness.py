"""Likeness: how much a text looks like intents and signals, by the foundation and the examples of the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.features import FeatureSpace, TextFeatures, score, term_score
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.detect.offsets import Offsets
from handrail.guardrails.detect.regression import Matrix, sigmoid, softmax
from handrail.guardrails.detect.training import Trained
from handrail.guardrails.vocabulary import NeedState

# A bundle's examples speak where they are near, and not about what other companies' customers say: their part of a
# score grows from nothing at the first cosine similarity to its whole at the second.
FAR = 0.35
NEAR = 0.65


@dataclass(frozen=True, slots=True)
class IntentScores:
    """Calibrated probabilities of one text.

    Attributes:
        intents: Probability per intent, shape (intents,).
        states: Probability per need state: the sum over its intents.
        nearest: Cosine similarity to the nearest example of each intent, shape (intents,).
    """

    intents: Matrix
    states: dict[NeedState, float]
    nearest: Matrix


@dataclass(frozen=True, slots=True)
class Kinship:
    """Cosine similarity of a text to the nearest instance of a signal, and to the nearest example of something else."""

    instance: float
    other: float


@dataclass(frozen=True, slots=True)
class TextReading:
    """One text as both parts see it.

    `general` are features in the space of the foundation, `own` in that of the bundle. `near` is the cosine similarity
    to each example of the bundle, those of intents first.
    """

    general: TextFeatures
    own: TextFeatures
    near: Matrix


@dataclass(frozen=True, slots=True)
class Likeness:
    """Trained weights, ready to be applied."""

    config: DetectionConfig
    foundation: Foundation
    trained: Trained
    space: FeatureSpace
    examples: Matrix
    offsets: Offsets

    @classmethod
    def of(cls, config: DetectionConfig, foundation: Foundation, trained: Trained) -> Likeness:
        """Prepare weights for use."""
        lexicon = Lexicon.of(trained.terms, trained.rarity)
        examples = np.concatenate([trained.examples, trained.signal_examples])
        space = FeatureSpace(foundation.space.center, foundation.space.dimensions, lexicon)
        return cls(config, foundation, trained, space, examples, Offsets.of(foundation, config))

    def read(self, deep: Matrix, words: Sequence[Sequence[str]]) -> tuple[TextReading, ...]:
        """Texts, given as rows of `Encoder.encode_deep` and as telling words."""
        dense = self.foundation.space.dense(deep)
        general, own = self.foundation.space.lexicon, self.space.lexicon
        return tuple(
            TextReading(
                TextFeatures(row, general.read(text)),
                TextFeatures(row, own.read(text)),
                self.examples @ row[: self.space.dimensions],
            )
            for row, text in zip(dense, words, strict=True)
        )

    def intents(self, text: TextReading) -> IntentScores:
        """Probabilities of the text."""
        nearest = self._nearest(text)
        own = score(text.own, self.trained.intent_weights, self.space.dimensions)
        scores = self.offsets.intents(text.general) + _nearness(nearest.max()) * own
        chances = softmax(np.asarray(scores, dtype=np.float32))
        states: dict[NeedState, float] = dict.fromkeys(NeedState, 0.0)
        for state, chance in zip(self.config.need_state_of.values(), chances, strict=True):
            states[state] += float(chance)
        return IntentScores(chances, states, nearest)

    def signals(self, text: TextReading) -> Matrix:
        """Likeness per signal code of the bundle, 0 to 1, shape (codes,); a half is where it begins to count."""
        own = score(text.own, self.trained.signal_weights, len(text.own.dense))
        share = np.where(self.offsets.known, _nearness(float(text.near.max())), 1.0)
        scores = self.offsets.signals(text.general) + share * own
        return sigmoid(np.asarray(scores, dtype=np.float32))

    def knows(self, code: str) -> bool:
        """Whether the foundation knows the signal, so that likeness holds for texts far from the bundle's examples."""
        return code in self.foundation.card.codes

    def kinship(self, code: str, text: TextReading) -> Kinship:
        """How near the text is to the examples of the signal `code`."""
        roles = self.trained.roles[:, self.trained.codes.index(code)]
        return Kinship(float(text.near[roles == 1].max()), float(text.near[roles == -1].max()))

    def planted(self, text: TextReading, code: str, offset: float) -> float:
        """Likeness of the text to a signal that only the foundation knows, 0 to 1; `offset` is added to its score."""
        scores = self.foundation.signals(text.general) + np.float32(offset)
        return float(sigmoid(scores[self.foundation.card.codes.index(code)]))

    def suspicion(self, words: Sequence[str], code: str) -> float:
        """What the words alone say for `code`, without an embedding; only comparisons have a meaning."""
        column = self.foundation.signal_weights[:, self.foundation.card.codes.index(code)]
        width = len(column) - len(self.foundation.space.lexicon.terms) - 1
        return term_score(self.foundation.space.lexicon.read(words), column, width)

    def _nearest(self, text: TextReading) -> Matrix:
        found = np.full(len(self.trained.intents), -1.0, dtype=np.float32)
        np.maximum.at(found, self.trained.owners, text.near[: len(self.trained.owners)])
        return found


def _nearness(similarity: float) -> float:
    return min(max((similarity - FAR) / (NEAR - FAR), 0.0), 1.0)
