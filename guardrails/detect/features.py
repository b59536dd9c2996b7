"""The features of a text: what the encoder says of it, and the words of the lexicon that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handrail.guardrails.detect.lexicon import Lexicon, Terms
from handrail.guardrails.detect.regression import Matrix

LAYER_WEIGHT = 0.7  # length of each inner layer beside an embedding of length one


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """One text: the dense part, shape (deep dimensions,), whose beginning is the embedding, and its terms."""

    dense: Matrix
    terms: Terms


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """Turns rows of the encoder and words into features.

    Attributes:
        center: Mean of the inner layers over the texts that were learnt from; they all share a large part, which says
            nothing. Shape (deep dimensions - dimensions,).
        dimensions: Length of an embedding, and of each inner layer.
        lexicon: The words and pairs that count.
    """

    center: Matrix
    dimensions: int
    lexicon: Lexicon

    def dense(self, deep: Matrix) -> Matrix:
        """The dense parts of texts from their rows of `Encoder.encode_deep`, same shape."""
        parts = [deep[:, : self.dimensions]]
        inner = deep[:, self.dimensions :] - self.center
        for start in range(0, inner.shape[1], self.dimensions):
            layer = inner[:, start : start + self.dimensions]
            lengths = np.maximum(np.linalg.norm(layer, axis=1, keepdims=True), 1e-9)
            parts.append(layer * (LAYER_WEIGHT / lengths))
        return np.asarray(np.concatenate(parts, axis=1), dtype=np.float32)

    def read(self, deep: Matrix, words: Sequence[Sequence[str]]) -> tuple[TextFeatures, ...]:
        """The features of texts, given as rows of the encoder and as words."""
        dense = self.dense(deep)
        return tuple(TextFeatures(row, self.lexicon.read(text)) for row, text in zip(dense, words, strict=True))


def score(features: TextFeatures, weights: Matrix, width: int) -> Matrix:
    """The scores of a text under `weights`, shape (outputs,).

    `weights` has a row for each of the first `width` dense features, one per term, and the intercept.
    """
    scores = features.dense[:width] @ weights[:width] + weights[-1]
    terms = features.terms
    if len(terms.columns):
        scores = scores + terms.values @ weights[width + terms.columns]
    return np.asarray(scores, dtype=np.float32)


def term_score(terms: Terms, weights: Matrix, width: int) -> float:
    """The part of a score that the words alone give, for `weights` of one output, shape (features,)."""
    return float(terms.values @ weights[width + terms.columns]) if len(terms.columns) else 0.0
