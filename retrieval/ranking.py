"""Puts candidates into order: best first, near-duplicates merged, no document crowding out the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.scope import Authority
from handrail.retrieval.calibration import Features

PER_DOCUMENT = 2
"""Passages of one document in one answer; the rest of a long article would hide other articles."""

SAME_COSINE = 0.95
SAME_WORDS = 0.85
"""Two passages count as one when embeddings and words are that much alike (words: intersection over union)."""

AUTHORITIES = tuple(Authority)

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may be returned. `row` is its row in the base, `vector` its embedding (length one)."""

    row: int
    doc_id: str
    score: float
    authority: Authority
    text: str
    vector: NDArray[np.float32]
    rank: float


COSINE, PASSAGE_WORDS, DOCUMENT_WORDS = 6.1, 2.8, 4.9
ABOUT = 5.0
WRITTEN_FOR = 0.6
"""Weights of `preferences`, in logits: the listwise maximum-likelihood fit (softmax over a question's candidates) to
the questions of `handrail bench questions` about three bases, rounded. Fits that leave out one of the bases put the
right article first in it about as often as these weights do.
"""


def preferences(features: Features, about: NDArray[np.float32], written_for: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What candidates are ordered by; whether a passage is good enough stays a matter of its score alone.

    `about` is how near the query is to the whole document (cosine), `written_for` whether the document is for the
    customer's own stack; one element per candidate, as in `features`.
    """
    found: NDArray[np.float64] = (
        COSINE * np.maximum(features.cosine, 0.0).astype(np.float64)
        + PASSAGE_WORDS * features.passage_words
        + DOCUMENT_WORDS * features.document_words
        + ABOUT * about
        + WRITTEN_FOR * written_for
    )
    return found


def choose(candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """At most `limit` of the candidates, best first; of equal ranks the more authoritative one, then the lower row."""
    ordered = sorted(candidates, key=lambda one: (-one.rank, AUTHORITIES.index(one.authority), one.row))
    chosen: list[Candidate] = []
    taken: dict[str, int] = {}
    for candidate in ordered:
        if len(chosen) == limit:
            break
        if taken.get(candidate.doc_id, 0) == PER_DOCUMENT or any(near_duplicates(candidate, one) for one in chosen):
            continue
        chosen.append(candidate)
        taken[candidate.doc_id] = taken.get(candidate.doc_id, 0) + 1
    return chosen


def near_duplicates(one: Candidate, other: Candidate) -> bool:
    """Whether two passages say the same in nearly the same words. Passages with different numbers never do."""
    if float(one.vector @ other.vector) < SAME_COSINE:
        return False
    words, others = set(_WORD.findall(one.text.casefold())), set(_WORD.findall(other.text.casefold()))
    if _numbers(words) != _numbers(others):
        return False
    return len(words & others) >= SAME_WORDS * len(words | others)


def _numbers(words: set[str]) -> set[str]:
    return {word for word in words if any(char.isdigit() for char in word)}
