"""Words and pairs of words as features beside the embedding, which blurs "cancel" and "confirm"."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WEIGHT = 0.6  # length of the word part beside an embedding of length one
MIN_COUNT = 2  # a word of one example only says what that example says


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words and pairs that the examples share; the position in `terms` is the column."""

    terms: tuple[str, ...]
    columns: dict[str, int]

    @classmethod
    def learn(cls, texts: Iterable[Sequence[str]]) -> Lexicon:
        """Collect what occurs in at least two of `texts`, each given as its words."""
        counts = Counter(term for words in texts for term in set(_terms(words)))
        return cls.of(sorted(term for term, count in counts.items() if count >= MIN_COUNT))

    @classmethod
    def of(cls, terms: Sequence[str]) -> Lexicon:
        """A lexicon with exactly these terms."""
        return cls(tuple(terms), {term: column for column, term in enumerate(terms)})

    def features(self, words: Sequence[str]) -> NDArray[np.float32]:
        """A row of length `WEIGHT`, or of zeros when no term occurs; shape (len(terms),)."""
        row = np.zeros(len(self.terms), dtype=np.float32)
        for term in _terms(words):
            column = self.columns.get(term)
            if column is not None:
                row[column] += 1.0
        norm = float(np.linalg.norm(row))
        return row if norm == 0.0 else np.asarray(row * (WEIGHT / norm), dtype=np.float32)


def _terms(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))]
