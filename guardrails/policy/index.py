"""The index of a rule set: which rules could say anything about given facts, so that cost follows those alone.

For each rule it is known what must be found, or be unknown, for its condition not to be false. Facts pick rules by look-up;
a rule that nothing picks would have been false. What cannot be looked up, such as a bound on a number, is always asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from handrail.guardrails.policy.facts import FactKind, Facts
from handrail.guardrails.policy.matcher import AtLeast, Known, Matcher, Not, Test

Word: TypeAlias = str | bool


@dataclass(frozen=True, slots=True)
class Need:
    """The fact `name` holds one of `words`, or (`other`) none of them. A set holds each of its members."""

    name: str
    kind: FactKind
    words: frozenset[Word]
    other: bool = False


Needs: TypeAlias = tuple[Need, ...] | None
"""One of these must hold, or its fact be unknown, lest the condition is false; None when that cannot be said."""

_TYPES: Mapping[FactKind, type] = {FactKind.WORD: str, FactKind.BOOLEAN: bool, FactKind.SET: tuple}


def needs(matcher: Matcher, *, turned: bool = False) -> Needs:
    """What `matcher` (or, `turned`, its opposite) needs in order not to be false."""
    if isinstance(matcher, Not):
        return needs(matcher.part, turned=not turned)
    if isinstance(matcher, AtLeast):
        return _of_parts(matcher, turned=turned)
    return None if isinstance(matcher, Known) else _of_leaf(matcher, turned=turned)


def _of_parts(matcher: AtLeast, *, turned: bool) -> Needs:
    """k of n is false once n-k+1 parts are; so any n-k+1 parts, the cheapest, cover it. The opposite is n-k+1 of n."""
    parts = len(matcher.parts)
    wanted = parts - matcher.count + 1 if turned else matcher.count
    if wanted <= 0:
        return None
    found = [needs(part, turned=turned) for part in matcher.parts]
    known = sorted((one for one in found if one is not None), key=lambda one: sum(len(need.words) for need in one))
    enough = parts - wanted + 1
    if len(known) < enough:
        return None
    return tuple(need for one in known[:enough] for need in one)


def _of_leaf(leaf: Test, *, turned: bool) -> Needs:
    if leaf.kind is FactKind.NUMBER:
        return None
    operand = leaf.operand
    words: tuple[Word, ...]
    if isinstance(operand, tuple):
        words = operand[:1] if leaf.operator == "has_all" else operand
    elif isinstance(operand, str | bool):
        words = (operand,)
    else:
        return None
    if leaf.kind is FactKind.SET and turned:
        return None
    return (Need(leaf.name, leaf.kind, frozenset(words), turned),)


@dataclass(slots=True)
class _Table:
    """The rules that one fact picks, as bits."""

    name: str
    type: type
    found: dict[Word, int] = field(default_factory=dict)
    other: int = 0
    unknown: int = 0


class Index:
    """Picks, for given facts, a superset of the rules whose condition is not false."""

    def __init__(self, conditions: Sequence[Matcher]) -> None:
        """Index `conditions`; a rule is named by its position."""
        self._always = 0
        listed: dict[str, list[tuple[int, Need]]] = defaultdict(list)
        for position, condition in enumerate(conditions):
            wanted = needs(condition)
            if wanted is None:
                self._always |= 1 << position
            for need in wanted or ():
                listed[need.name].append((position, need))
        self._tables = tuple(_table(name, entries) for name, entries in sorted(listed.items()))

    def picked(self, facts: Facts) -> Iterator[int]:
        """The positions of the rules to ask, in order."""
        mask = self._always
        get = facts.used.get
        for table in self._tables:
            fact = get(table.name)
            content = None if fact is None else fact.content
            # Nonsense is unknown, as in the leaves: only the declared type is looked up.
            if content is None or type(content) is not table.type:
                mask |= table.unknown
            elif isinstance(content, tuple):
                for word in content:
                    mask |= table.found.get(word, 0)
            else:
                mask |= table.found.get(content, table.other)  # type: ignore[call-overload]  # of the table's own type
        while mask:
            low = mask & -mask
            yield low.bit_length() - 1
            mask ^= low


def _table(name: str, entries: list[tuple[int, Need]]) -> _Table:
    table = _Table(name, _TYPES[entries[0][1].kind])
    words = {word for _, need in entries for word in need.words}
    for position, need in entries:
        bit = 1 << position
        table.unknown |= bit
        if need.other:
            table.other |= bit
        for word in words:
            if (word in need.words) is not need.other:
                table.found[word] = table.found.get(word, 0) | bit
    for word in words:
        table.found.setdefault(word, 0)
    return table
