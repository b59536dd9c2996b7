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
from typing import NamedTuple, TypeAlias

from handrail.guardrails.policy.facts import IGNORE, FactKind, Facts, fits
from handrail.guardrails.policy.index import Bits, Index, Need, Word
from handrail.guardrails.policy.matcher import Known, Test
from handrail.guardrails.vocabulary import FactContent

Leaf: TypeAlias = Test | Known


class Read(NamedTuple):
    """What the facts say of the comparisons: true, false, open, and open in a way that restricts.

    `picked` are the rules whose condition may be something else than false, `sure` those of which it is true.
    """

    true: Bits
    false: Bits
    open: Bits
    hard: Bits
    picked: Bits
    sure: Bits


@dataclass(slots=True)
class _Column:
    """What one fact is asked, and what each of its contents gives: three kinds of bits in one number.

    Lowest the comparisons that hold, above them the rules that are picked, above those the rules that are ruled out.

    `found` is for words, booleans and members of sets, `other` for every other word, and for what a set gives beside
    its members. A number is looked up between `bounds`: at an even place of `gaps` it lies below the bound of half that
    place, at an odd one on it. `together` are the comparisons that ask for several members at once. `back` are the
    rules that a member of a set brings back, which without any member are ruled out. `asked` are all comparisons but
    those of being known; `reading` are the rules that are sure only while the fact is known.
    """

    name: str
    kind: FactKind
    reading: Bits = 0
    found: dict[Word, Bits] = field(default_factory=dict)
    other: Bits = 0
    back: dict[Word, Bits] = field(default_factory=dict)
    known: Bits = 0
    unknown: Bits = 0
    asked: Bits = 0
    bounds: tuple[float, ...] = ()
    gaps: tuple[Bits, ...] = ()
    together: tuple[tuple[Bits, frozenset[str]], ...] = ()


class Columns:
    """Reads the facts of a rule set."""

    def __init__(self, leaves: Sequence[Leaf], index: Index) -> None:
        """Lay out `leaves`, the bit of each being its place, and what rules out and picks rules."""
        named: dict[str, list[tuple[Bits, Leaf]]] = defaultdict(list)
        for place, leaf in enumerate(leaves):
            named[leaf.name].append((1 << place, leaf))
        rules = _union((index.always, index.ruled, *index.picking.values())).bit_length()
        self._picks, self._outs = len(leaves), len(leaves) + rules
        self._leaves = (1 << len(leaves)) - 1
        self._rules = (1 << rules) - 1
        self._ruled = index.ruled
        self._always = index.always
        self._exact = index.exact
        columns = [
            _Layout(name, found, index, self._picks, self._outs).column() for name, found in sorted(named.items())
        ]
        self._words = [
            (one.name, str if one.kind is FactKind.WORD else bool, one.found, one.other, one)
            for one in columns
            if one.kind in (FactKind.WORD, FactKind.BOOLEAN)
        ]
        self._rest = [one for one in columns if one.kind in (FactKind.SET, FactKind.NUMBER)]

    def read(self, facts: Facts) -> Read:
        """The bits of `facts`."""
        held = unknown = hard = opened = 0
        get = facts.used.get
        for name, kind, found, other, column in self._words:
            fact = get(name)
            content = None if fact is None else fact.content
            if type(content) is kind or isinstance(content, kind):  # the first is quick, the second knows enumerations
                held |= found.get(content, other)
                continue
            # Nonsense is open like an unknown value, but it is known to be there.
            held |= column.unknown if content is None else column.known
            unknown |= column.asked
            opened |= column.reading
            if fact is None or content is not None or fact.on_unknown != IGNORE:
                hard |= column.asked
        for column in self._rest:
            fact = get(column.name)
            content = None if fact is None else fact.content
            if content is not None and fits(column.kind, content):
                held |= _of_set(column, content) if column.kind is FactKind.SET else _of_number(column, content)
                continue
            held |= column.unknown if content is None else column.known
            unknown |= column.asked
            opened |= column.reading
            if fact is None or content is not None or fact.on_unknown != IGNORE:
                hard |= column.asked
        true = held & self._leaves
        left = self._ruled & ~(held >> self._outs)
        picked = left | held >> self._picks & self._rules | self._always
        return Read(true, self._leaves & ~(true | unknown), unknown, hard, picked, left & self._exact & ~opened)


def _of_set(column: _Column, content: FactContent) -> Bits:
    bits, back = column.other, 0
    found = column.found
    for word in content:  # type: ignore[union-attr]  # a set, as its kind says
        if word in found:
            bits |= found[word]
            back |= column.back[word]
    for bit, words in column.together:
        if words.issubset(content):  # type: ignore[arg-type]  # a set, as its kind says
            bits |= bit
    return bits & ~back


def _of_number(column: _Column, content: FactContent) -> Bits:
    number = float(content)  # type: ignore[arg-type]  # a number, as its kind says
    bounds = column.bounds
    return column.gaps[bisect_left(bounds, number) + bisect_right(bounds, number)]


class _Layout:
    """Lays out the column of one fact."""

    def __init__(self, name: str, leaves: list[tuple[Bits, Leaf]], index: Index, picks: int, outs: int) -> None:
        self._name = name
        self._leaves = leaves
        self._tests = [(bit, leaf) for bit, leaf in leaves if isinstance(leaf, Test)]
        self._picking = [(need, rules << picks) for need, rules in index.picking.items() if need.name == name]
        self._ruling = [(need, rules << outs) for need, rules in index.ruling.items() if need.name == name]
        self._reading = index.reading.get(name, 0)
        self._being_known = sum(bit for bit, leaf in leaves if isinstance(leaf, Known) and leaf.expected)

    def column(self) -> _Column:
        """The column."""
        column = _Column(self._name, self._tests[0][1].kind if self._tests else FactKind.WORD, self._reading)
        picked = _union(rules for _, rules in self._picking)
        # What is unknown may be anything, so it picks whatever some content picks, and rules nothing out.
        column.known = self._being_known | picked
        being_unknown = sum(bit for bit, leaf in self._leaves if isinstance(leaf, Known) and not leaf.expected)
        column.unknown = being_unknown | picked
        column.asked = sum(bit for bit, _ in self._tests)
        if column.kind is FactKind.NUMBER:
            bounds = {float(leaf.operand) for _, leaf in self._tests if not isinstance(leaf.operand, tuple)}
            column.bounds = tuple(sorted(bounds))
            column.gaps = tuple(self._of_number(number) for number in _samples(column.bounds))
        elif column.kind is FactKind.SET:
            self._of_set(column)
        else:
            words = {word for _, leaf in self._tests for word in _words(leaf)}
            if column.kind is FactKind.BOOLEAN:
                words |= {True, False}
            column.found = {word: self._of_word(word) for word in words}
            column.other = self._of_word(None)
        return column

    def _of_number(self, number: float) -> Bits:
        picked = _union(rules for need, rules in self._picking if _met(need, number))
        out = _union(rules for need, rules in self._ruling if not _met(need, number))
        return self._being_known | _holding(self._tests, number) | picked | out

    def _of_word(self, word: Word | None) -> Bits:
        """What a word gives, or (None) one that no comparison names."""
        picked = _union(rules for need, rules in self._picking if need.met_by(word))
        out = _union(rules for need, rules in self._ruling if not need.met_by(word))
        held = 0 if word is None else _holding(self._tests, word)
        return self._being_known | held | picked | out

    def _of_set(self, column: _Column) -> None:
        """What each member gives. Rules that need one are ruled out unless a member brings them back."""
        single = [(bit, leaf) for bit, leaf in self._tests if leaf.operator != "has_all"]
        column.together = tuple(
            (bit, frozenset(leaf.operand))
            for bit, leaf in self._tests
            if leaf.operator == "has_all" and isinstance(leaf.operand, tuple)
        )
        for word in {word for _, leaf in self._tests for word in _words(leaf)}:
            picked = _union(rules for need, rules in self._picking if need.met_by(word))
            column.found[word] = _holding(single, (str(word),)) | picked
            column.back[word] = _union(rules for need, rules in self._ruling if need.met_by(word))
        column.other = self._being_known | _union(rules for _, rules in self._ruling)


def _met(need: Need, number: float) -> bool:
    return need.number is not None and need.number.holds(number) is not need.other


def _union(some: Iterable[Bits]) -> Bits:
    found = 0
    for bits in some:
        found |= bits
    return found


def _words(leaf: Test) -> Iterable[Word]:
    operand = leaf.operand if isinstance(leaf.operand, tuple) else (leaf.operand,)
    return [word for word in operand if isinstance(word, str | bool)]


def _holding(tests: Iterable[tuple[Bits, Test]], content: FactContent) -> Bits:
    return sum(bit for bit, leaf in tests if leaf.holds(content))


def _samples(bounds: Sequence[float]) -> list[float]:
    """A number below every bound, then each bound and the number that follows it, in order.

    Where that is the next bound already, no number lies between them, and the sample is never asked for.
    """
    found = [-math.inf]
    for bound in bounds:
        found += [bound, math.nextafter(bound, math.inf)]
    return found
