"""Words and pairs of words as features beside the embedding, which blurs "cancel" and "confirm"."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

WEIGHT = 1.7  # length of the word part beside an embedding of length one; chosen with whole data sets left out
MIN_COUNT = 2  # a word of one example only says what that example says


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one text: their columns in the lexicon and their values, a row of length `WEIGHT` or empty."""

    columns: NDArray[np.intp]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words and pairs that the examples share; the position in `terms` is the column.

    `rarity` says how much a term tells: "how do" stands in every second example, "single sign" in few. It is the
    logarithm of the inverse share of examples that hold the term, shape (terms,).
    """

    terms: tuple[str, ...]
    rarity: NDArray[np.float32]
    columns: dict[str, int]

    @classmethod
    def learn(cls, texts: Sequence[Sequence[str]], min_count: int = MIN_COUNT) -> Lexicon:
        """Collect what occurs in at least `min_count` of `texts`, each given as its words."""
        counts = Counter(term for words in texts for term in set(_terms(words)))
        terms = sorted(term for term, count in counts.items() if count >= min_count)
        rarity = [math.log((1 + len(texts)) / (1 + counts[term])) for term in terms]
        return cls.of(terms, np.array(rarity, dtype=np.float32))

    @classmethod
    def of(cls, terms: Sequence[str], rarity: NDArray[np.float32]) -> Lexicon:
        """A lexicon with exactly these terms."""
        return cls(tuple(terms), rarity, {term: column for column, term in enumerate(terms)})

    def read(self, words: Sequence[str]) -> Terms:
        """What of the lexicon occurs in a text; a term that is repeated counts little more than once."""
        counts = Counter(column for term in _terms(words) if (column := self.columns.get(term)) is not None)
        columns = np.fromiter(counts, dtype=np.intp, count=len(counts))
        found = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
        values = np.asarray((1.0 + np.log(found)) * self.rarity[columns], dtype=np.float32)
        norm = float(np.linalg.norm(values))
        return Terms(columns, values if norm == 0.0 else np.asarray(values * (WEIGHT / norm), dtype=np.float32))

    def matrix(self, rows: Sequence[Terms]) -> csr_array:
        """The terms of many texts, sparse, shape (n, len(terms))."""
        from scipy.sparse import csr_array

        starts = np.cumsum([0, *(len(row.columns) for row in rows)])
        columns = np.concatenate([row.columns for row in rows]) if rows else np.zeros(0, dtype=np.intp)
        values = np.concatenate([row.values for row in rows]) if rows else np.zeros(0, dtype=np.float32)
        return csr_array((values, columns, starts), shape=(len(rows), len(self.terms)))


def _terms(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))]
