"""Content access inequality: for each need state and group of customers, how many documents there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.scope import ALL
from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.checking.customers import Population
from handrail.retrieval.checking.findings import Code, Finding, Severity
from handrail.retrieval.checking.reach import Reach

TOGETHER = 2
"""Attributes at most by which a group without documents is described."""


class Cell(Frozen):
    """The documents for one need that customers of a group may read: the fewest and the most that one of them has."""

    need: str
    least: int
    most: int
    hole: bool
    """Nobody of the group has any, although other customers have."""


class Row(Frozen):
    """A group of customers: a segment by id, or `attribute=value`. No cell where nobody is in it."""

    group: str
    cells: tuple[Cell, ...]


class Access(Frozen):
    """The whole matrix, and the need states for which no customer has a document."""

    needs: tuple[str, ...]
    segments: tuple[Row, ...]
    attributes: tuple[Row, ...]
    unserved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """`members` has the shape (needs, customers)."""

    name: str
    members: NDArray[np.bool_]


def access(reach: Reach, usable: NDArray[np.bool_]) -> Access:
    """The matrix over the `usable` documents; attributes stand in it where a document depends on them."""
    population, counts = reach.population, reach.counts(usable)
    served = [int(row.max(initial=0)) > 0 for row in counts]
    return Access(
        needs=population.needs,
        segments=tuple(_row(group, population.needs, counts, served) for group in _segments(population)),
        attributes=tuple(
            _row(group, population.needs, counts, served) for group in _values(population, _asked(reach, usable))
        ),
        unserved=tuple(need for need, some in zip(population.needs, served, strict=True) if not some),
    )


def holes(reach: Reach, usable: NDArray[np.bool_]) -> Iterator[Finding]:
    """A finding for each need without any document, and for each group left without while others are served."""
    population, counts = reach.population, reach.counts(usable)
    names = _asked(reach, usable)
    single, pairs = _values(population, names), _pairs(population, names)
    for number, need in enumerate(population.needs):
        empty = counts[number] == 0
        if empty.all():
            yield _finding(Code.NEED_UNSERVED, f"For {need} no customer has any document.", "Write one, or mark one")
            continue
        told: list[NDArray[np.bool_]] = []
        for group in (*_segments(population), *single, *pairs):
            members = group.members[number]
            if not members.any() or not empty[members].all() or any(not (members & ~known).any() for known in told):
                continue
            told.append(members)
            who = group.name if "=" in group.name else f"segment {group.name}"
            found = f"For {need} {who} has no document, although other customers have."
            yield _finding(Code.ACCESS_HOLE, found, "Write one for them, or widen the classes of one")


def _finding(code: Code, found: str, advice: str) -> Finding:
    return Finding(
        code=code, severity=Severity.WARNING, places=(), found=found, to_do=f"{advice} that is meant for this need."
    )


def _row(group: _Group, needs: Sequence[str], counts: NDArray[np.int64], served: Sequence[bool]) -> Row:
    cells = []
    for number, need in enumerate(needs):
        held = counts[number][group.members[number]]
        if len(held):
            least, most = int(held.min()), int(held.max())
            cells.append(Cell(need=need, least=least, most=most, hole=most == 0 and served[number]))
    return Row(group=group.name, cells=tuple(cells))


def _segments(population: Population) -> tuple[_Group, ...]:
    return tuple(_Group(name, population.member[:, :, number]) for number, name in enumerate(population.segments))


def _values(population: Population, names: Sequence[str]) -> tuple[_Group, ...]:
    return tuple(
        _Group(f"{name}={value}", _holding(population, ((name, value),)))
        for name in names
        for value in population.names[name]
    )


def _pairs(population: Population, names: Sequence[str]) -> tuple[_Group, ...]:
    return tuple(
        _Group(" with ".join(f"{name}={value}" for name, value in pair), _holding(population, pair))
        for chosen in combinations(names, TOGETHER)
        for pair in product(*([(name, value) for value in population.names[name]] for name in chosen))
    )


def _holding(population: Population, wanted: Sequence[tuple[str, str]]) -> NDArray[np.bool_]:
    having = [all(one.has(name, value) for name, value in wanted) for one in population.customers]
    return np.tile(np.array(having, dtype=np.bool_), (len(population.needs), 1))


def _asked(reach: Reach, usable: NDArray[np.bool_]) -> tuple[str, ...]:
    """The attributes that some usable document depends on."""
    cards = [card for card, some in zip(reach.cards, usable.tolist(), strict=True) if some]
    families = reach.population.families
    return tuple(
        name for name, family in families.items() if any(ALL not in card.audience.classes(family) for card in cards)
    )
