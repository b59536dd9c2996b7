"""Conditions over bits: a condition of matchers turned into counts of comparisons that hold.

Negation is pushed down to the comparisons (not "at least k of n" is "at least n-k+1 of n negated"), which changes
neither the truth nor what is unknown of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TypeAlias, TypeVar

from handrail.guardrails.policy.index import Bits
from handrail.guardrails.policy.matcher import AtLeast, Matcher, Not
from handrail.guardrails.policy.reading import Leaf, Read

RowT = TypeVar("RowT")
FALSE, TRUE, IGNORABLE, RESTRICTING = 0, 1, 2, 3
"""What a condition can be: false, true, open for ignorable facts alone, open in a way that restricts."""


@dataclass(frozen=True, slots=True)
class Some:
    """At least `count` of these comparisons hold, or (`negated`) do not, no comparison twice."""

    count: int
    plain: Bits
    negated: Bits
    both: Bits

    def truth(self, read: Read) -> int:
        """What it is for these facts."""
        missing = self.count - (read.true & self.plain).bit_count()
        if self.negated:
            missing -= (read.false & self.negated).bit_count()
        if missing <= 0:
            return TRUE
        undecided = read.open & self.both
        if undecided.bit_count() < missing:
            return FALSE
        return RESTRICTING if undecided & read.hard else IGNORABLE

    @property
    def whole(self) -> bool:
        """Whether every one of them has to hold."""
        return self.count == self.both.bit_count()


@dataclass(frozen=True, slots=True)
class Nested:
    """At least `count` of these clauses hold."""

    count: int
    parts: tuple[Clause, ...]

    def truth(self, read: Read) -> int:
        """What it is for these facts."""
        missing = self.count
        spare = len(self.parts) - missing
        strongest = FALSE
        for part in self.parts:
            found = part.truth(read)
            if found == TRUE:
                missing -= 1
                if missing <= 0:
                    return TRUE
            elif found == FALSE:
                spare -= 1
                if spare < 0:
                    return FALSE
            elif found > strongest:
                strongest = found
        return strongest if missing > 0 else TRUE


Clause: TypeAlias = Some | Nested


class Clauses:
    """The conditions of a rule set, by the place of each rule, asked all at once."""

    def __init__(self, conditions: Sequence[Clause]) -> None:
        """Lay out `conditions`; those that are plain conjunctions apart from the others, because most are."""
        self._rows = [
            (1 << place, one.plain, one.negated, one.both, None)
            if isinstance(one, Some) and one.whole
            else (1 << place, 0, 0, 0, one)
            for place, one in enumerate(conditions)
        ]

    def ask(self, read: Read) -> Answers:
        """Which of the picked rules hold, and which are open in a way that restricts."""
        true, false, undecided, hard = read.true, read.false, read.open, read.hard
        held, doubtful = read.sure, 0
        for bit, plain, negated, both, other in held_by(self._rows, read.picked & ~read.sure):
            if other is None:
                # INVARIANT: the same answers as `Some.truth`, for a conjunction, without counting.
                if false & plain or (negated and true & negated):
                    continue
                if not undecided & both:
                    held |= bit
                elif hard & both:
                    doubtful |= bit
                continue
            found = other.truth(read)
            if found == TRUE:
                held |= bit
            elif found == RESTRICTING:
                doubtful |= bit
        return Answers(held, doubtful)


@dataclass(frozen=True, slots=True)
class Answers:
    """The rules whose condition is true, and those where it is open for a fact that may not be ignored."""

    true: Bits
    doubtful: Bits


_DIGITS = bytes.maketrans(b"01", b"\x00\x01")
_WORD = 64
_SPARSE = 8
"""From so many places to each bit that is set on, looking at the bits is quicker than looking at the places."""


def held_by(rows: Sequence[RowT], bits: Bits) -> Iterable[RowT]:
    """The rows at the places of the bits that are set, in order."""
    if bits.bit_count() * _SPARSE < bits.bit_length():
        return [rows[place] for place in places(bits)]
    return compress(rows, bin(bits)[:1:-1].encode().translate(_DIGITS))


def places(bits: Bits) -> list[int]:
    """The places of the bits that are set, in order."""
    found: list[int] = []
    size = -(-bits.bit_length() // _WORD)
    # Word by word, because each step on a long number costs as much as the number is long.
    words = memoryview(bits.to_bytes(size * 8, sys.byteorder)).cast("Q") if size > 1 else (bits,)
    for number, word in enumerate(words if sys.byteorder == "little" else reversed(words)):
        rest, start = word, number * _WORD - 1
        while rest:
            low = rest & -rest
            found.append(start + low.bit_length())
            rest ^= low
    return found


def clause(matcher: Matcher, bit: Callable[[Leaf], Bits], *, turned: bool = False) -> Clause:
    """`matcher`, or (`turned`) its opposite, over the bits that `bit` gives to comparisons."""
    if isinstance(matcher, Not):
        return clause(matcher.part, bit, turned=not turned)
    if not isinstance(matcher, AtLeast):
        own = bit(matcher)
        return Some(1, 0, own, own) if turned else Some(1, own, 0, own)
    asked = matcher.parts if matcher.count else ()  # none of n holds whatever the n are
    count = len(asked) - matcher.count + 1 if turned else matcher.count
    parts = tuple(clause(part, bit, turned=turned) for part in asked)
    return _merged(count, parts)


def _merged(count: int, parts: tuple[Clause, ...]) -> Clause:
    """Clauses of one comparison each, all different, become one clause; so do nested conjunctions."""
    if len(parts) == 1 and count == 1:
        return parts[0]
    if count == len(parts):
        parts = _flat(parts)
        count = len(parts)
    plain = negated = 0
    for part in parts:
        single = isinstance(part, Some) and part.count == 1 and part.both.bit_count() == 1
        if not isinstance(part, Some) or not single or part.both & (plain | negated):
            return Nested(count, parts)
        plain |= part.plain
        negated |= part.negated
    return Some(count, plain, negated, plain | negated)


def _flat(parts: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """The parts of a conjunction, with the parts of conjunctions among them in their place."""
    found: list[Clause] = []
    for part in parts:
        if isinstance(part, Nested) and part.count == len(part.parts):
            found.extend(part.parts)
        elif isinstance(part, Some) and part.count == part.both.bit_count() > 1:
            found.extend(_singles(part))
        else:
            found.append(part)
    return tuple(found)


def _singles(part: Some) -> list[Clause]:
    found: list[Clause] = []
    rest = part.both
    while rest:
        low = rest & -rest
        found.append(Some(1, low & part.plain, low & part.negated, low))
        rest ^= low
    return found
