"""Puts candidates into order: best first, near-duplicates merged, no document crowding out the others."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.scope import Authority

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


ABOUT = 3.0
WRITTEN_FOR = 1.0
"""Weights of `preference`, in logits. Chosen on one half of the sample questions (by a hash of their ids)."""


def preference(score: float, about: float, *, written_for: bool) -> float:
    """What candidates are ordered by; whether a passage is good enough stays a matter of its score alone.

    The logit of the score, how near the whole document is (cosine), and whether it is for the customer's own stack.
    """
    bounded = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded)) + ABOUT * about + (WRITTEN_FOR if written_for else 0.0)


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
