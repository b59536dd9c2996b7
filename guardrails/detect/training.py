"""Training on the examples of a bundle: what one company adds to the foundation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.detect.config import DetectionConfig, SignalSpec
from handrail.guardrails.detect.features import FeatureSpace
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.detect.offsets import Offsets
from handrail.guardrails.detect.reading import read
from handrail.guardrails.detect.regression import Design, Matrix, fit_sigmoids, fit_softmax
from handrail.guardrails.detect.wording import telling, wording
from handrail.guardrails.encoder import Encoder

# Raised whenever the same examples give other weights; it is part of the key of cached weights.
TRAINING_RECIPE = 4

INTENT_L2 = 3e-5
SIGNAL_L2 = 3e-5
NEAR_MISS_WEIGHT = 4.0  # a near miss says more than an example of something else
POSITIVE_SHARE = 0.35  # of the total weight of a signal; the rest is on negatives


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights and what they belong to. All weights are of scores that are added to those of the foundation.

    Attributes:
        intents: Intent ids, in the order of the columns of `intent_weights`.
        terms: The lexicon's terms, in the order of their columns.
        rarity: How much each term tells, shape (terms,).
        examples: Embeddings of the examples of intents, shape (n, dimensions).
        owners: The intent of each example, by position in `intents`, shape (n,).
        signal_examples: Embeddings of the examples of signals, positive and negative, shape (m, dimensions).
        roles: What each example is to each signal: 1 an instance, -1 something else, 0 neither. Shape (n + m, codes),
            the examples of intents first.
        intent_weights: Shape (dimensions + terms + 1, intents).
        codes: Signal codes, in the order of the columns of `signal_weights`.
        signal_weights: Shape (deep dimensions + terms + 1, codes).
    """

    intents: tuple[str, ...]
    terms: tuple[str, ...]
    rarity: Matrix
    examples: Matrix
    owners: NDArray[np.intp]
    signal_examples: Matrix
    roles: NDArray[np.int8]
    intent_weights: Matrix
    codes: tuple[str, ...]
    signal_weights: Matrix


def train(config: DetectionConfig, encoder: Encoder, foundation: Foundation) -> Trained:
    """Learn from the examples of `config`; about ten seconds on one core for the shipped bundle, always the same."""
    texts = [(intent.id, text) for file in config.intents for intent in file.intents for text in intent.examples]
    owners = [name for name, _ in texts]
    own = [text for signal in config.signals for text in (*signal.positive, *signal.negative)]
    words = [telling(read(text).words) for text in (*(text for _, text in texts), *own)]
    deep = encoder.encode_deep([wording(text) for text in words])
    count, width = len(texts), encoder.dimensions
    space = FeatureSpace(foundation.space.center, width, Lexicon.learn(words[:count]))
    dense = space.dense(deep)
    sparse = space.lexicon.matrix([space.lexicon.read(text) for text in words])
    ids = tuple(config.need_state_of)
    classes = np.array([ids.index(name) for name in owners], dtype=np.intp)
    features = foundation.space.read(deep, words)
    offsets = Offsets.of(foundation, config)
    of_intents = fit_softmax(
        Design.of(dense[:count, :width], sparse[:count]),
        classes,
        len(ids),
        np.ones(count, dtype=np.float32),
        INTENT_L2,
        np.stack([offsets.intents(one) for one in features[:count]]),
    )
    target, weights = _lessons(config, owners, len(own))
    of_signals = fit_sigmoids(
        Design.of(dense, sparse),
        target,
        _balanced(target, weights),
        SIGNAL_L2,
        np.stack([offsets.signals(one) for one in features]),
    )
    return Trained(
        intents=ids,
        terms=space.lexicon.terms,
        rarity=space.lexicon.rarity,
        examples=np.ascontiguousarray(deep[:count, :width]),
        owners=classes,
        signal_examples=np.ascontiguousarray(deep[count:, :width]),
        roles=np.asarray(np.where(weights > 0.0, 2 * target - 1, 0), dtype=np.int8),
        intent_weights=of_intents,
        codes=tuple(signal.code for signal in config.signals),
        signal_weights=of_signals,
    )


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
