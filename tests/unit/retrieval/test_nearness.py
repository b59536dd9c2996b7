"""Both ways of searching within a scope find what comparing with everything finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from handrail.retrieval.nearness import BRIDGED, EligibleRows, Nearness

ROWS, WIDTH = 3_000, 8


class ExactNeighbours:
    """Neighbours without an index; counts how many were asked for."""

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        self._embeddings = embeddings
        self.asked: list[int] = []

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[str]:
        """The ids are the rows."""
        self.asked.append(count)
        return [str(row) for row in np.argsort(-(self._embeddings @ vector))[:count]]


def base(rows: int = ROWS) -> tuple[Nearness, ExactNeighbours]:
    """Passages in random directions."""
    drawn = np.random.default_rng(3).standard_normal((rows, WIDTH)).astype(np.float32)
    embeddings = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    neighbours = ExactNeighbours(embeddings)
    return Nearness(embeddings, neighbours, {str(row): row for row in range(rows)}), neighbours


def expected(nearness: Nearness, vector: NDArray[np.float32], admitted: NDArray[np.bool_], count: int) -> list[int]:
    """The nearest admitted rows by comparing with all."""
    order = np.argsort(-np.where(admitted, nearness.embeddings @ vector, -2.0), kind="stable")
    return [int(row) for row in order[: min(count, int(admitted.sum()))]]


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 1.0])
@pytest.mark.parametrize("spread", ["in one stretch", "everywhere"])
def test_a_small_base_is_compared(share: float, spread: str) -> None:
    """Whatever is admitted, in order, and Chroma is not asked."""
    nearness, neighbours = base()
    admitted = np.zeros(ROWS, dtype=np.bool_)
    count = max(1, int(share * ROWS))
    admitted[np.arange(count) if spread == "in one stretch" else np.random.default_rng(1).permutation(ROWS)[:count]] = (
        True
    )
    eligible = EligibleRows.of(admitted)
    for vector in nearness.embeddings[:20]:
        assert nearness.nearest(vector, eligible, 10) == expected(nearness, vector, admitted, 10)
    assert neighbours.asked == []


def test_a_wide_scope_of_a_large_base_is_asked_of_chroma() -> None:
    """Its neighbours come nearest first, so the eligible ones among them are the nearest eligible ones."""
    nearness, neighbours = base(60_000)
    admitted = np.arange(60_000) % 2 == 0
    eligible = EligibleRows.of(admitted)
    for vector in nearness.embeddings[:20]:
        found = nearness.nearest(vector, eligible, 24)
        assert 12 <= len(found) <= 24
        assert found == expected(nearness, vector, admitted, len(found))
    assert len(neighbours.asked) == 20


def test_where_the_neighbours_are_not_eligible_everything_eligible_is_compared() -> None:
    """A question about what this customer may not see must not come back with less than there is."""
    nearness, neighbours = base(60_000)
    vector = nearness.embeddings[0]
    admitted = (nearness.embeddings @ vector) < 0.0
    assert nearness.nearest(vector, EligibleRows.of(admitted), 24) == expected(nearness, vector, admitted, 24)
    assert len(neighbours.asked) == 1


def test_ids_that_the_base_does_not_know_are_passed_over() -> None:
    """Chroma may hold what was left out here."""
    nearness, neighbours = base(60_000)
    known = {name: row for name, row in nearness.row_of.items() if row % 3}
    without = Nearness(nearness.embeddings, neighbours, known)
    found = without.nearest(nearness.embeddings[0], EligibleRows.of(np.ones(60_000, dtype=np.bool_)), 24)
    assert found
    assert all(row % 3 for row in found)


@given(st.lists(st.booleans(), max_size=300))
def test_stretches_hold_every_admitted_row_and_bridge_no_long_gap(admitted: list[bool]) -> None:
    """In order, without overlap, beginning and ending with an admitted row."""
    flags = np.array(admitted, dtype=np.bool_)
    eligible = EligibleRows.of(flags)
    assert eligible.count == int(flags.sum())
    assert {row for row in eligible.spanned.tolist() if flags[row]} == set(np.flatnonzero(flags).tolist())
    assert all(flags[start] and flags[end - 1] for start, end in eligible.stretches)
    for one, other in zip(eligible.stretches, eligible.stretches[1:], strict=False):
        assert other.start - one.end >= BRIDGED
