"""Regularised logistic regressions, fitted the same way every time.

Both minimise mean loss + λ/2 ‖w‖², of the intercept too, by Nesterov's accelerated gradient descent (Nesterov 1983)
with a fixed step, a fixed number of steps and no randomness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Matrix: TypeAlias = NDArray[np.float32]

STEPS = 150
POWER_STEPS = 8  # of the estimate of the largest curvature
MARGIN = 1.05  # that estimate comes from below


def softmax(scores: Matrix) -> Matrix:
    """Probabilities per row, shape as given; the last axis sums to one."""
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(scores: Matrix) -> Matrix:
    """The logistic function, elementwise."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores, -60.0, 60.0))), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Design:
    """Rows of features. A row is its dense part, its sparse part, and a one: shapes (n, d) and (n, t)."""

    dense: Matrix
    sparse: csr_array
    turned: csr_array

    @classmethod
    def of(cls, dense: Matrix, sparse: csr_array) -> Design:
        """Rows for fitting; the transposed sparse part is made once."""
        return cls(np.ascontiguousarray(dense), sparse, sparse.T.tocsr())

    def __len__(self) -> int:
        return len(self.dense)

    def taken(self, rows: NDArray[np.intp]) -> Design:
        """Some of the rows."""
        return Design.of(self.dense[rows], self.sparse[rows])

    def scores(self, weights: Matrix) -> Matrix:
        """Rows times weights, shape (n, outputs); `weights` has shape (d + t + 1, outputs)."""
        width = self.dense.shape[1]
        found = self.dense @ weights[:width] + self.sparse @ weights[width:-1] + weights[-1]
        return np.asarray(found, dtype=np.float32)

    def gathered(self, shares: Matrix) -> Matrix:
        """The sum of the rows, each times its share, per output, shape (d + t + 1, outputs)."""
        parts = [self.dense.T @ shares, self.turned @ shares, shares.sum(axis=0, keepdims=True)]
        return np.concatenate([np.asarray(part, dtype=np.float32) for part in parts])


def fit_softmax(
    rows: Design, classes: NDArray[np.intp], count: int, weights: Matrix, l2: float, offset: Matrix | None = None
) -> Matrix:
    """Weights of a multinomial model, shape (features, count).

    Args:
        rows: What is learnt from.
        classes: The class of each row, shape (n,).
        count: Number of classes.
        weights: How much each row counts, shape (n,); they are scaled to sum one.
        l2: Factor on half the squared norm.
        offset: Scores that are there already, shape (n, count); what is learnt is added to them.
    """
    target = np.eye(count, dtype=np.float32)[classes]
    share = np.asarray(weights / weights.sum(), dtype=np.float32)[:, None]
    base = np.float32(0.0) if offset is None else offset

    def residual(scores: Matrix) -> Matrix:
        return np.asarray(share * (softmax(np.asarray(scores + base, dtype=np.float32)) - target), dtype=np.float32)

    step = 1.0 / (0.5 * _curvature(rows, share) + l2)
    return _minimise(rows, residual, step, l2, count)


def fit_sigmoids(rows: Design, target: Matrix, weights: Matrix, l2: float, offset: Matrix | None = None) -> Matrix:
    """Weights of independent yes/no models, shape (features, m).

    Args:
        rows: What is learnt from.
        target: 1 for yes, 0 for no, shape (n, m).
        weights: How much a row counts for a model, shape (n, m); 0 leaves it out. Columns are scaled to sum one; a
            column of zeros gives a model that scores nothing.
        l2: Factor on half the squared norm.
        offset: Scores that are there already, shape (n, m); what is learnt is added to them.
    """
    share = np.asarray(weights / np.maximum(weights.sum(axis=0, keepdims=True), 1e-12), dtype=np.float32)
    base = np.float32(0.0) if offset is None else offset

    def residual(scores: Matrix) -> Matrix:
        return np.asarray(share * (sigmoid(np.asarray(scores + base, dtype=np.float32)) - target), dtype=np.float32)

    step = 1.0 / (0.25 * _curvature(rows, share) + l2)
    return _minimise(rows, residual, step, l2, target.shape[1])


def _curvature(rows: Design, share: Matrix) -> Matrix:
    """The largest eigenvalue of the rows' weighted second moment per column of `share`, by power iteration."""
    vectors = np.asarray(share, dtype=np.float32)
    size = np.ones(share.shape[1], dtype=np.float32)
    for _ in range(POWER_STEPS):
        turned = rows.gathered(vectors)
        vectors = np.asarray(share * rows.scores(turned), dtype=np.float32)
        size = np.asarray(np.maximum(np.linalg.norm(vectors, axis=0), 1e-12), dtype=np.float32)
        vectors /= size
    return np.asarray(MARGIN * size, dtype=np.float32)


def _minimise(rows: Design, residual: Callable[[Matrix], Matrix], step: Matrix, l2: float, outputs: int) -> Matrix:
    features = rows.dense.shape[1] + rows.sparse.shape[1] + 1
    current = np.zeros((features, outputs), dtype=np.float32)
    ahead = current
    for number in range(STEPS):
        slope = rows.gathered(residual(rows.scores(ahead))) + l2 * ahead
        following = np.asarray(ahead - step * slope, dtype=np.float32)
        ahead = np.asarray(following + (number / (number + 3)) * (following - current), dtype=np.float32)
        current = following
    return current


def fit_temperature(scores: Matrix, classes: NDArray[np.intp], weights: Matrix) -> float:
    """The divisor of scores under which held-out classes are most likely (Guo et al. 2017, temperature scaling)."""
    candidates = np.geomspace(0.1, 10.0, 90)
    picked = np.arange(len(classes))
    share = weights / weights.sum()

    def loss(temperature: float) -> float:
        chances = softmax(np.asarray(scores / temperature, dtype=np.float32))[picked, classes]
        return float(-(share * np.log(np.maximum(chances, 1e-9))).sum())

    return float(min(candidates, key=loss))
