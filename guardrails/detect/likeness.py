"""Likeness: how much a text, by its embedding, looks like the examples of intents and signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.detect.regression import Matrix, sigmoid, softmax
from handrail.guardrails.detect.training import Trained
from handrail.guardrails.vocabulary import NeedState


@dataclass(frozen=True, slots=True)
class IntentScores:
    """Calibrated probabilities of one text.

    Attributes:
        intents: Probability per intent, shape (intents,).
        states: Probability per need state: the sum over its intents.
        nearest: Cosine similarity to the nearest example of any intent.
    """

    intents: Matrix
    states: dict[NeedState, float]
    nearest: float


@dataclass(frozen=True, slots=True)
class Kinship:
    """Cosine similarity of a text to the nearest instance of a signal, and to the nearest example of something else."""

    instance: float
    other: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """Trained weights, ready to be applied."""

    trained: Trained
    need_state_of: Mapping[str, NeedState]
    lexicon: Lexicon

    @classmethod
    def of(cls, trained: Trained, need_state_of: Mapping[str, NeedState]) -> Likeness:
        """Prepare `trained` for use."""
        return cls(trained, need_state_of, Lexicon.of(trained.terms, trained.rarity))

    def intents(self, vector: Matrix, words: Sequence[str]) -> IntentScores:
        """Probabilities of the text with that embedding, shape (dimensions,), and those words."""
        row = np.concatenate([vector, self.lexicon.features(words), np.ones(1, dtype=np.float32)])
        chances = softmax(np.asarray(row @ self.trained.intent_weights / self.trained.temperature, dtype=np.float32))
        states: dict[NeedState, float] = dict.fromkeys(NeedState, 0.0)
        for name, chance in zip(self.trained.intents, chances, strict=True):
            states[self.need_state_of[name]] += float(chance)
        nearest = float((self.trained.examples @ vector).max())
        return IntentScores(chances, states, nearest)

    def signals(self, vectors: Matrix) -> Matrix:
        """Likeness per text and signal code, 0 to 1, shape (n, codes)."""
        weights = self.trained.signal_weights
        return sigmoid(np.asarray(vectors @ weights[:-1] + weights[-1], dtype=np.float32))

    def kinship(self, code: str, vector: Matrix) -> Kinship:
        """How near the text with that embedding is to the examples of the signal `code`."""
        near = np.concatenate([self.trained.examples @ vector, self.trained.signal_examples @ vector])
        roles = self.trained.roles[:, self.trained.codes.index(code)]
        return Kinship(float(near[roles == 1].max()), float(near[roles == -1].max()))
