"""Regularised logistic regression in NumPy: multinomial for intents, one against the rest for signals.

Both are solved by Nesterov's accelerated gradient method on coefficients of the training rows (the weights of a
regularised linear model are a combination of its training rows, the representer theorem), so that the cost of a step
depends on the number of examples and not on the number of features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float32]

SOFTMAX_STEPS = 400
SIGMOID_STEPS = 300


def softmax(scores: Matrix) -> Matrix:
    """Probabilities over the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(scores: Matrix) -> Matrix:
    """Logistic function, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)), dtype=np.float32)


def fit_softmax(rows: Matrix, classes: NDArray[np.intp], count: int, l2: float) -> Matrix:
    """Weights, shape (features + 1, count), the last row being the intercept.

    Args:
        rows: Shape (n, features).
        classes: The class of every row, 0 to count - 1.
        count: Number of classes.
        l2: Factor on half the squared norm, added to the mean loss.
    """
    extended = with_intercept(rows)
    target = np.eye(count, dtype=np.float32)[classes]

    def residual(scores: Matrix) -> Matrix:
        return np.asarray((softmax(scores) - target) / len(rows), dtype=np.float32)

    # The Hessian of the mean loss is at most half the mean squared norm of a row; 4 times that bound was stable and
    # fast on short, nearly orthogonal rows, where it is far from tight.
    return _minimise(extended, residual, count, l2, step=4.0 / _mean_square(extended), steps=SOFTMAX_STEPS)


def fit_sigmoids(rows: Matrix, target: Matrix, weights: Matrix, l2: float) -> Matrix:
    """Weights of independent yes/no models, shape (features + 1, m).

    Args:
        rows: Shape (n, features).
        target: 1 for yes, 0 for no, shape (n, m).
        weights: How much a row counts for a model, shape (n, m); 0 leaves it out. Columns are normalised.
        l2: As in `fit_softmax`.
    """
    extended = with_intercept(rows)
    share = np.asarray(weights / weights.sum(axis=0, keepdims=True), dtype=np.float32)

    def residual(scores: Matrix) -> Matrix:
        return np.asarray(share * (sigmoid(scores) - target), dtype=np.float32)

    step = 4.0 / float((extended**2).sum(axis=1).max())
    return _minimise(extended, residual, target.shape[1], l2, step=step, steps=SIGMOID_STEPS)


def with_intercept(rows: Matrix) -> Matrix:
    """`rows` and a last column of ones."""
    return np.concatenate([rows, np.ones((len(rows), 1), dtype=np.float32)], axis=1)


def _mean_square(rows: Matrix) -> float:
    return float((rows**2).sum(axis=1).mean())


def _minimise(
    rows: Matrix, residual: Callable[[Matrix], Matrix], outputs: int, l2: float, *, step: float, steps: int
) -> Matrix:
    gram = np.asarray(rows @ rows.T, dtype=np.float32)
    current = np.zeros((len(rows), outputs), dtype=np.float32)
    ahead = current
    for number in range(steps):
        following = np.asarray(ahead - step * (residual(gram @ ahead) + l2 * ahead), dtype=np.float32)
        ahead = np.asarray(following + (number / (number + 3)) * (following - current), dtype=np.float32)
        current = following
    return np.asarray(rows.T @ current, dtype=np.float32)


def fit_temperature(scores: Matrix, classes: NDArray[np.intp]) -> float:
    """The divisor of scores under which held-out classes are most likely (Guo et al. 2017, temperature scaling)."""
    candidates = np.geomspace(0.1, 5.0, 60)
    picked = np.arange(len(classes))

    def loss(temperature: float) -> float:
        chances = softmax(np.asarray(scores / temperature, dtype=np.float32))[picked, classes]
        return float(-np.log(np.maximum(chances, 1e-9)).mean())

    return float(min(candidates, key=loss))
