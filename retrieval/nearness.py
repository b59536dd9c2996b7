"""The passages nearest to a question inside a scope, by the cheaper of two ways that find the same.

A metadata filter makes Chroma collect the ids of all that passes before it searches: ten to fifty times the price of a
search without one, and growing with the base. So no filter is used. Either Chroma is asked, without one, for as many
neighbours as hold enough eligible ones, or all that is eligible is compared exactly, which is cheap where it is little:
rows of one audience lie next to each other, so that a scope is a few long stretches of one array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

BRIDGED = 32
"""Rows that are compared in vain rather than ending a stretch: calling NumPy once more costs as much."""

EXPECTED = 0.85
"""So many neighbours are asked for that, spread evenly, the eligible ones among them are this share of the wanted."""

ENOUGH = 0.5
"""The share of what was wanted that the eligible neighbours must reach; else all that is eligible is compared.

Neighbours come nearest first, so that fewer of them than wanted are still the right ones.
"""

_ROW_MS = 1.5e-4
_SEARCH_MS = 1.5
_HIT_MS = 1e-2
"""What comparing a row of 384 numbers costs, a search in Chroma, and each neighbour it returns (100,000 passages)."""


class Neighbours(Protocol):
    """Searches all passages by similarity, without a filter."""

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[str]:
        """The ids of at most `count` passages, nearest first."""
        ...


class Stretch(NamedTuple):
    """Rows from `start` up to, but without, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EligibleRows:
    """The rows of a base that a scope admits: one by one, shape (passages,), and as stretches that hold all of them.

    `spanned` are the rows of the stretches one after the other.
    """

    admitted: NDArray[np.bool_]
    count: int
    stretches: tuple[Stretch, ...]
    spanned: NDArray[np.int32]

    @classmethod
    def of(cls, admitted: NDArray[np.bool_]) -> Self:
        """Sum up `admitted`."""
        rows = np.flatnonzero(admitted)
        if not len(rows):
            return cls(admitted, 0, (), np.zeros(0, np.int32))
        breaks = np.flatnonzero(np.diff(rows) > BRIDGED)
        starts = rows[np.concatenate([[0], breaks + 1])].tolist()
        ends = (rows[np.concatenate([breaks, [len(rows) - 1]])] + 1).tolist()
        stretches = tuple(map(Stretch, starts, ends))
        spanned = np.concatenate([np.arange(start, end, dtype=np.int32) for start, end in stretches])
        return cls(admitted, len(rows), stretches, spanned)


@dataclass(frozen=True, slots=True)
class Nearness:
    """Compares a question with the passages of one generation.

    `embeddings` have shape (passages, dimensions) and length one; `row_of` has the row of every passage id.
    """

    embeddings: NDArray[np.float32]
    neighbours: Neighbours
    row_of: Mapping[str, int]

    def nearest(self, vector: NDArray[np.float32], eligible: EligibleRows, wanted: int) -> list[int]:
        """Rows of the eligible passages nearest to `vector`, nearest first: `wanted` of them, or at least half of that.

        Fewer come only where fewer are eligible.

        Raises:
            RetrievalError: Chroma failed.
        """
        asked = self._asked(eligible, wanted)
        if asked:
            ids = self.neighbours.nearest(vector, asked)
            rows = [row for one in ids if (row := self.row_of.get(one)) is not None and eligible.admitted[row]]
            if len(rows) >= ENOUGH * wanted:
                return rows[:wanted]
        return self.compared(vector, eligible, wanted)

    def compared(self, vector: NDArray[np.float32], eligible: EligibleRows, wanted: int) -> list[int]:
        """The same by comparing with everything that is eligible."""
        if not eligible.count:
            return []
        rows = eligible.spanned
        cosine = np.empty(len(rows), dtype=np.float32)
        at = 0
        for start, end in eligible.stretches:
            np.dot(self.embeddings[start:end], vector, out=cosine[at : at + end - start])
            at += end - start
        if len(rows) > eligible.count:
            kept = eligible.admitted[rows]
            cosine, rows = cosine[kept], rows[kept]
        if len(rows) > wanted:
            best = np.argpartition(-cosine, wanted - 1)[:wanted]
            cosine, rows = cosine[best], rows[best]
        found: list[int] = rows[np.argsort(-cosine, kind="stable")].tolist()
        return found

    def _asked(self, eligible: EligibleRows, wanted: int) -> int:
        """How many neighbours to ask Chroma for; 0 where comparing is cheaper."""
        total = len(self.embeddings)
        if eligible.count <= wanted:
            return 0
        asked = min(total, round(EXPECTED * wanted * total / eligible.count))
        return asked if _SEARCH_MS + _HIT_MS * asked < _ROW_MS * len(eligible.spanned) else 0
