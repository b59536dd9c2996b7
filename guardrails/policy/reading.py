"""The facts of one decision as bits: which comparisons hold, which are open, and which rules could say anything.

Each distinct comparison of a rule set has a bit. A fact is looked up once and gives the bits of everything that is
asked of it, so a condition costs a few operations on whole numbers, however many rules share its comparisons.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from handrail.guardrails.policy.facts import IGNORE, FactKind, Facts, fits
from handrail.guardrails.policy.matcher import Known, Test
from handrail.guardrails.vocabulary import FactContent

Leaf: TypeAlias = Test | Known
Bits: TypeAlias = int
Word: TypeAlias = str | bool


@dataclass(frozen=True, slots=True)
class Read:
    """What the facts say of the comparisons: true, false, open, and open in a way that restricts.

    `picked` are the rules whose condition may be something else than false.
    """

    true: Bits
    false: Bits
    open: Bits
    hard: Bits
    picked: Bits


@dataclass(frozen=True, slots=True)
class Pick:
    """The rules in `rules` are to be asked when the fact `name` holds one of `words`, or (`other`) none of them.

    Of a number it is the comparison `number` that holds, or (`other`) does not.
    """

    name: str
    words: frozenset[Word]
    number: Test | None
    other: bool
    rules: Bits


@dataclass(slots=True)
class _Column:
    """What one fact is asked. Bits of comparisons stand below those of picked rules, in one number.

    `found` is for words, booleans and members of sets, `other` for every other word. A number is looked up between
    `bounds`: at an even place of `gaps` it lies below the bound of half that place, at an odd one on it. `together` are
    the comparisons that ask for several members at once. `asked` are all comparisons but those of being known.
    """

    name: str
    kind: FactKind
    found: dict[Word, Bits] = field(default_factory=dict)
    other: Bits = 0
    known: Bits = 0
    unknown: Bits = 0
    asked: Bits = 0
    bounds: tuple[float, ...] = ()
    gaps: tuple[Bits, ...] = ()
    together: tuple[tuple[Bits, frozenset[str]], ...] = ()


class Columns:
    """Reads the facts of a rule set."""

    def __init__(self, leaves: Sequence[Leaf], picks: Sequence[Pick]) -> None:
        """Lay out `leaves`, the bit of each being its place, and what picks rules."""
        named: dict[str, list[tuple[Bits, Leaf]]] = defaultdict(list)
        for place, leaf in enumerate(leaves):
            named[leaf.name].append((1 << place, leaf))
        self._shift = len(leaves)
        self._all = (1 << len(leaves)) - 1
        columns = [
            _column(name, found, [(pick, pick.rules << self._shift) for pick in picks if pick.name == name])
            for name, found in sorted(named.items())
        ]
        self._words = [
            (one.name, str if one.kind is FactKind.WORD else bool, one.found, one.other, one)
            for one in columns
            if one.kind in (FactKind.WORD, FactKind.BOOLEAN)
        ]
        self._rest = [one for one in columns if one.kind in (FactKind.SET, FactKind.NUMBER)]

    def read(self, facts: Facts, always: Bits) -> Read:
        """The bits of `facts`; rules in `always` are picked whatever they are."""
        held = unknown = hard = 0
        get = facts.used.get
        for name, kind, found, other, column in self._words:
            fact = get(name)
            if fact is not None and type(content := fact.content) is kind:
                held |= found.get(content, other)
                continue
            if fact is not None and isinstance(fact.content, kind):  # a member of an enumeration of words
                held |= found.get(fact.content, other)
                continue
            # Nonsense is open like an unknown value, but it is known to be there.
            held |= column.unknown if fact is None or fact.content is None else column.known
            unknown |= column.asked
            if fact is None or fact.content is not None or fact.on_unknown != IGNORE:
                hard |= column.asked
        for column in self._rest:
            fact = get(column.name)
            content = None if fact is None else fact.content
            if content is not None and fits(column.kind, content):
                held |= _of_set(column, content) if column.kind is FactKind.SET else _of_number(column, content)
                continue
            held |= column.unknown if content is None else column.known
            unknown |= column.asked
            if fact is None or content is not None or fact.on_unknown != IGNORE:
                hard |= column.asked
        true = held & self._all
        return Read(true, self._all & ~(true | unknown), unknown, hard, held >> self._shift | always)


def _of_set(column: _Column, content: FactContent) -> Bits:
    held = column.other
    for word in content:  # type: ignore[union-attr]  # a set, as its kind says
        held |= column.found.get(word, 0)
    for bit, words in column.together:
        if words.issubset(content):  # type: ignore[arg-type]  # a set, as its kind says
            held |= bit
    return held


def _of_number(column: _Column, content: FactContent) -> Bits:
    number = float(content)  # type: ignore[arg-type]  # a number, as its kind says
    bounds = column.bounds
    return column.gaps[bisect_left(bounds, number) + bisect_right(bounds, number)]


def _column(name: str, leaves: list[tuple[Bits, Leaf]], picks: list[tuple[Pick, Bits]]) -> _Column:
    tests = [(bit, leaf) for bit, leaf in leaves if isinstance(leaf, Test)]
    column = _Column(name, tests[0][1].kind if tests else FactKind.WORD)
    being_known = sum(bit for bit, leaf in leaves if isinstance(leaf, Known) and leaf.expected)
    being_unknown = sum(bit for bit, leaf in leaves if isinstance(leaf, Known) and not leaf.expected)
    picking = 0
    for _, rules in picks:
        picking |= rules
    # What is unknown may be anything, so it picks whatever some content picks.
    column.known, column.unknown = being_known | picking, being_unknown | picking
    column.asked = sum(bit for bit, _ in tests)
    if column.kind is FactKind.NUMBER:
        column.bounds = tuple(sorted({float(leaf.operand) for _, leaf in tests if not isinstance(leaf.operand, tuple)}))
        column.gaps = tuple(
            being_known | _holding(tests, number) | _picked_by_number(picks, number)
            for number in _samples(column.bounds)
        )
        return column
    single = [(bit, leaf) for bit, leaf in tests if leaf.operator != "has_all"]
    column.together = tuple(
        (bit, frozenset(leaf.operand))
        for bit, leaf in tests
        if leaf.operator == "has_all" and isinstance(leaf.operand, tuple)
    )
    words = {word for _, leaf in tests for word in _words(leaf)}
    if column.kind is FactKind.BOOLEAN:
        words |= {True, False}
    for word in words:
        content: FactContent = (str(word),) if column.kind is FactKind.SET else word
        column.found[word] = being_known | _holding(single, content) | _picked(picks, word)
    column.other = being_known | (_picked(picks, None) if column.kind is FactKind.WORD else 0)
    return column


def _words(leaf: Test) -> Iterable[Word]:
    operand = leaf.operand if isinstance(leaf.operand, tuple) else (leaf.operand,)
    return [word for word in operand if isinstance(word, str | bool)]


def _holding(tests: Iterable[tuple[Bits, Test]], content: FactContent) -> Bits:
    return sum(bit for bit, leaf in tests if leaf.holds(content))


def _picked(picks: Iterable[tuple[Pick, Bits]], word: Word | None) -> Bits:
    found = 0
    for pick, rules in picks:
        if (word in pick.words) is not pick.other:
            found |= rules
    return found


def _picked_by_number(picks: Iterable[tuple[Pick, Bits]], number: float) -> Bits:
    found = 0
    for pick, rules in picks:
        if pick.number is not None and pick.number.holds(number) is not pick.other:
            found |= rules
    return found


def _samples(bounds: Sequence[float]) -> list[float]:
    """A number below every bound, then each bound and the number that follows it, in order.

    Where that is the next bound already, no number lies between them, and the sample is never asked for.
    """
    found = [-math.inf]
    for bound in bounds:
        found += [bound, math.nextafter(bound, math.inf)]
    return found
