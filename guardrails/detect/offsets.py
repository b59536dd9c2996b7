"""Offsets: what the foundation says of a bundle's intents and signals, before the bundle's examples add to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.features import TextFeatures
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.detect.regression import Matrix


@dataclass(frozen=True, slots=True)
class Offsets:
    """The foundation in the order of a bundle.

    Attributes:
        foundation: Whose scores they are.
        states: The foundation's column of each intent's need state, shape (intents,).
        siblings: Logarithm of how many intents share that need state, shape (intents,).
        known: Which signals of the bundle the foundation knows, shape (signals,).
        codes: The foundation's columns of those that it knows, in the order of the bundle.
    """

    foundation: Foundation
    states: NDArray[np.intp]
    siblings: Matrix
    known: NDArray[np.bool_]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, foundation: Foundation, config: DetectionConfig) -> Offsets:
        """Look up once where everything of the bundle stands."""
        card = foundation.card
        states = tuple(config.need_state_of.values())
        siblings = Counter(states)
        known = [signal.code in card.codes for signal in config.signals]
        codes = [card.codes.index(signal.code) for signal in config.signals if signal.code in card.codes]
        return cls(
            foundation,
            np.array([card.states.index(state) for state in states], dtype=np.intp),
            np.log(np.array([siblings[state] for state in states])).astype(np.float32),
            np.array(known, dtype=np.bool_),
            np.array(codes, dtype=np.intp),
        )

    def intents(self, features: TextFeatures) -> Matrix:
        """The share of each intent's need state, evenly among the intents of that state, shape (intents,)."""
        return np.asarray(self.foundation.states(features)[self.states] - self.siblings, dtype=np.float32)

    def signals(self, features: TextFeatures) -> Matrix:
        """The score of each signal; zero of those that the foundation does not know, shape (signals,)."""
        found = np.zeros(len(self.known), dtype=np.float32)
        found[self.known] = self.foundation.signals(features)[self.codes]
        return found
