"""Words and pairs of words as features beside the embedding, which blurs "cancel" and "confirm"."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WEIGHT = 0.8  # length of the word part beside an embedding of length one
MIN_COUNT = 2  # a word of one example only says what that example says


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
    def learn(cls, texts: Sequence[Sequence[str]]) -> Lexicon:
        """Collect what occurs in at least two of `texts`, each given as its words."""
        counts = Counter(term for words in texts for term in set(_terms(words)))
        terms = sorted(term for term, count in counts.items() if count >= MIN_COUNT)
        rarity = [math.log((1 + len(texts)) / (1 + counts[term])) for term in terms]
        return cls.of(terms, np.array(rarity, dtype=np.float32))

    @classmethod
    def of(cls, terms: Sequence[str], rarity: NDArray[np.float32]) -> Lexicon:
        """A lexicon with exactly these terms."""
        return cls(tuple(terms), rarity, {term: column for column, term in enumerate(terms)})

    def features(self, words: Sequence[str]) -> NDArray[np.float32]:
        """A row of length `WEIGHT`, or of zeros when no term occurs; shape (len(terms),)."""
        row = np.zeros(len(self.terms), dtype=np.float32)
        for term in _terms(words):
            column = self.columns.get(term)
            if column is not None:
                row[column] += self.rarity[column]
        norm = float(np.linalg.norm(row))
        return row if norm == 0.0 else np.asarray(row * (WEIGHT / norm), dtype=np.float32)


def _terms(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))]
