"""Training: from the examples of the bundle to the weights that intents and signals are recognised with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.detect.config import DetectionConfig, SignalSpec
from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.detect.reading import read
from handrail.guardrails.detect.regression import Matrix, fit_sigmoids, fit_softmax, fit_temperature, with_intercept
from handrail.guardrails.encoder import Encoder

# Raised whenever the same examples give other weights; it is part of the key of cached weights.
TRAINING_RECIPE = 2

INTENT_L2 = 3e-5
SIGNAL_L2 = 3e-4
FOLDS = 3
NEAR_MISS_WEIGHT = 4.0  # a near miss says more than an example of something else
POSITIVE_SHARE = 0.35  # of the total weight of a signal; the rest is on negatives


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights and what they belong to.

    Attributes:
        intents: Intent ids, in the order of the columns of `intent_weights`.
        terms: The lexicon's terms, in the order of their columns.
        rarity: How much each term tells, shape (terms,).
        examples: Embeddings of the examples of intents, shape (n, dimensions).
        signal_examples: Embeddings of the examples of signals, positive and negative, shape (m, dimensions).
        roles: What each example is to each signal: 1 an instance, -1 something else, 0 neither. Shape (n + m, codes),
            the examples of intents first.
        intent_weights: Shape (dimensions + terms + 1, intents).
        temperature: Divisor of intent scores that calibrates them.
        codes: Signal codes, in the order of the columns of `signal_weights`.
        signal_weights: Shape (dimensions + 1, codes).
    """

    intents: tuple[str, ...]
    terms: tuple[str, ...]
    rarity: Matrix
    examples: Matrix
    signal_examples: Matrix
    roles: NDArray[np.int8]
    intent_weights: Matrix
    temperature: float
    codes: tuple[str, ...]
    signal_weights: Matrix


def train(config: DetectionConfig, encoder: Encoder) -> Trained:
    """Learn from the examples of `config`; about ten seconds on one core for the shipped bundle, always the same."""
    texts = [(intent.id, text) for file in config.intents for intent in file.intents for text in intent.examples]
    ids = tuple(config.need_state_of)
    vectors = encoder.encode([text for _, text in texts])
    words = [read(text).words for _, text in texts]
    lexicon = Lexicon.learn(words)
    rows = np.concatenate([vectors, np.stack([lexicon.features(row) for row in words])], axis=1)
    owners = [name for name, _ in texts]
    classes = np.array([ids.index(name) for name in owners], dtype=np.intp)
    own = encoder.encode([text for signal in config.signals for text in (*signal.positive, *signal.negative)])
    target, weights = _lessons(config, owners, len(own))
    return Trained(
        intents=ids,
        terms=lexicon.terms,
        rarity=lexicon.rarity,
        examples=vectors,
        signal_examples=own,
        roles=np.asarray(np.where(weights > 0.0, 2 * target - 1, 0), dtype=np.int8),
        intent_weights=fit_softmax(rows, classes, len(ids), INTENT_L2),
        temperature=_temperature(rows, classes, len(ids)),
        codes=tuple(signal.code for signal in config.signals),
        signal_weights=fit_sigmoids(np.concatenate([vectors, own]), target, _balanced(target, weights), SIGNAL_L2),
    )


def _temperature(rows: Matrix, classes: NDArray[np.intp], count: int) -> float:
    """Calibrate on predictions for examples that were left out of training."""
    scores = np.zeros((len(rows), count), dtype=np.float32)
    fold = np.arange(len(rows)) % FOLDS
    for number in range(FOLDS):
        held_out = fold == number
        weights = fit_softmax(rows[~held_out], classes[~held_out], count, INTENT_L2)
        scores[held_out] = with_intercept(rows[held_out]) @ weights
    return fit_temperature(scores, classes)


def _lessons(config: DetectionConfig, owners: list[str], own: int) -> tuple[Matrix, Matrix]:
    """What each example teaches each signal, and how much: target and weights, shape (n + m, codes).

    `owners` are the intents of the first n examples; the other `own` examples are those of the signals.
    """
    target = np.zeros((len(owners) + own, len(config.signals)), dtype=np.float32)
    weights = np.zeros_like(target)
    start = len(owners)
    for column, signal in enumerate(config.signals):
        positives = len(signal.positive)
        middle, end = start + positives, start + positives + len(signal.negative)
        target[start:middle, column] = 1.0
        weights[start:middle, column] = 1.0
        weights[middle:end, column] = NEAR_MISS_WEIGHT
        target[: len(owners), column] = [float(owner in signal.same_as) for owner in owners]
        weights[: len(owners), column] = [_relevance(signal, owner) for owner in owners]
        start = end
    return target, weights


def _relevance(signal: SignalSpec, owner: str) -> float:
    return 0.0 if owner in signal.unclear else 1.0


def _balanced(target: Matrix, weights: Matrix) -> Matrix:
    """Give the positive rows of each column `POSITIVE_SHARE` of its weight, however few they are."""
    positive = (weights * target).sum(axis=0)
    negative = (weights * (1.0 - target)).sum(axis=0)
    factors = np.where(target == 1.0, POSITIVE_SHARE / positive, (1.0 - POSITIVE_SHARE) / negative)
    return np.asarray(weights * factors, dtype=np.float32)
