"""The index of a rule set: which rules could say anything about given facts, so that cost follows those alone.

Most conditions are conjunctions. Each of their comparisons that a fact makes false rules the rule out, so a rule is
asked only when no fact does. Of any other condition it is known what must be found, or be unknown, for it not to be
false, and one such finding picks the rule. What cannot be looked up, such as a set that lacks a member, is always
asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.policy.matcher import AtLeast, Known, Matcher, Not, Test

Word: TypeAlias = str | bool
Bits: TypeAlias = int


@dataclass(frozen=True, slots=True)
class Need:
    """The fact `name` holds one of `words`, or (`other`) none of them. A set holds each of its members.

    Of a number it is the comparison `number` that holds, or (`other`) does not.
    """

    name: str
    words: frozenset[Word] = frozenset()
    number: Test | None = None
    other: bool = False

    def met_by(self, word: Word | None) -> bool:
        """Whether it is met by a word, or (None) by a word that nobody names."""
        return (word in self.words) is not self.other


@dataclass(frozen=True, slots=True)
class Index:
    """Which rules to ask, by their bits.

    `ruling` are needs that rule out, where they are not met, the rules that have them, `ruled` all rules of which that
    is so; `picking` are needs that pick rules where they are met; the rules in `always` are asked whatever the facts
    are. The rules in `exact` hold if nothing rules them out and no fact of theirs is open; `reading` says by fact
    which.
    """

    ruling: Mapping[Need, Bits]
    ruled: Bits
    picking: Mapping[Need, Bits]
    always: Bits
    exact: Bits
    reading: Mapping[str, Bits]


def index(conditions: Sequence[Matcher]) -> Index:
    """Index `conditions`; a rule is named by its position."""
    contents = _contents(conditions)
    ruling: dict[Need, Bits] = defaultdict(int)
    picking: dict[Need, Bits] = defaultdict(int)
    reading: dict[str, Bits] = defaultdict(int)
    ruled = always = exact = 0
    for position, condition in enumerate(conditions):
        bit = 1 << position
        needs = _ruling(condition, contents)
        for need in needs:
            ruling[need] |= bit
        if needs:
            ruled |= bit
            if _says_all(condition, needs):
                exact |= bit
                for need in needs:
                    reading[need.name] |= bit
            continue
        wanted = _needs(condition, contents, turned=False)
        if wanted is None:
            always |= bit
        for need in wanted or ():
            picking[need] |= bit
    return Index(dict(ruling), ruled, dict(picking), always, exact, dict(reading))


def _contents(conditions: Sequence[Matcher]) -> Mapping[str, int]:
    """As many contents as conditions name of each fact, and one for all others: what a need is weighed against."""
    words: dict[str, set[Word]] = defaultdict(set)
    for condition in conditions:
        for leaf in _tests(condition):
            words[leaf.name].update(_words(leaf))
    return {name: len(found) + 1 for name, found in words.items()}


def _ruling(condition: Matcher, contents: Mapping[str, int]) -> list[Need]:
    """The comparisons that all have to hold, as needs; of several about one set only the rarest."""
    found: list[Need] = []
    sets: dict[str, Need] = {}
    for leaf, turned in _conjuncts(condition, turned=False):
        need = _of_leaf(leaf, turned=turned)
        if need is None:
            continue
        if leaf.kind is not FactKind.SET:
            found.append(need)
        elif leaf.name not in sets or _share(need, contents) < _share(sets[leaf.name], contents):
            sets[leaf.name] = need
    return [*found, *sets.values()]


def _says_all(condition: Matcher, needs: Sequence[Need]) -> bool:
    """Whether a conjunction is its needs and nothing more: as many comparisons, and each said whole by its need."""
    leaves = list(_conjuncts(condition, turned=False))
    whole = all(leaf.operator != "has_all" or len(_words(leaf)) == 1 for leaf, _ in leaves)
    return whole and len(leaves) == len(needs) == _size(condition)


def _size(matcher: Matcher) -> int:
    """How many comparisons stand in a condition, those of being known too."""
    if isinstance(matcher, Not):
        return _size(matcher.part)
    return sum(_size(part) for part in matcher.parts) if isinstance(matcher, AtLeast) else 1


def _conjuncts(matcher: Matcher, *, turned: bool) -> Iterator[tuple[Test, bool]]:
    """The comparisons (and whether turned) that stand in conjunctions alone."""
    if isinstance(matcher, Not):
        yield from _conjuncts(matcher.part, turned=not turned)
    elif isinstance(matcher, Test):
        yield matcher, turned
    elif isinstance(matcher, AtLeast) and matcher.parts and matcher.count == (1 if turned else len(matcher.parts)):
        for part in matcher.parts:
            yield from _conjuncts(part, turned=turned)


Needs: TypeAlias = tuple[Need, ...] | None
"""One of these must hold, or its fact be unknown, lest the condition is false; None when that cannot be said."""


def _needs(matcher: Matcher, contents: Mapping[str, int], *, turned: bool) -> Needs:
    """What `matcher` (or, `turned`, its opposite) needs in order not to be false."""
    if isinstance(matcher, Not):
        return _needs(matcher.part, contents, turned=not turned)
    if isinstance(matcher, AtLeast):
        return _of_parts(matcher, contents, turned=turned)
    if isinstance(matcher, Known):
        return None
    need = _of_leaf(matcher, turned=turned)
    return None if need is None else (need,)


def _of_parts(matcher: AtLeast, contents: Mapping[str, int], *, turned: bool) -> Needs:
    """It is false once n-k+1 parts are: so any n-k+1 parts, the rarest, cover it. The opposite is n-k+1 of n."""
    parts = len(matcher.parts)
    wanted = parts - matcher.count + 1 if turned else matcher.count
    if wanted <= 0:
        return None
    found = [_needs(part, contents, turned=turned) for part in matcher.parts]
    known = sorted(
        (one for one in found if one is not None), key=lambda one: sum(_share(need, contents) for need in one)
    )
    enough = parts - wanted + 1
    if len(known) < enough:
        return None
    return tuple(need for one in known[:enough] for need in one)


def _share(need: Need, contents: Mapping[str, int]) -> float:
    """Which share of the contents of its fact meets a need; of numbers, half."""
    if need.number is not None:
        return 0.5
    share = len(need.words) / contents[need.name]
    return 1 - share if need.other else share


def _of_leaf(leaf: Test, *, turned: bool) -> Need | None:
    if leaf.kind is FactKind.SET and turned:
        return None
    if leaf.kind is FactKind.NUMBER:
        return Need(leaf.name, number=leaf, other=turned)
    words = _words(leaf)
    chosen = words[:1] if leaf.operator == "has_all" else words
    return Need(leaf.name, frozenset(chosen), other=turned)


def _words(leaf: Test) -> tuple[Word, ...]:
    operand = leaf.operand if isinstance(leaf.operand, tuple) else (leaf.operand,)
    return tuple(word for word in operand if isinstance(word, str | bool))


def _tests(matcher: Matcher) -> list[Test]:
    if isinstance(matcher, Test):
        return [matcher]
    if isinstance(matcher, Not):
        return _tests(matcher.part)
    return [leaf for part in matcher.parts for leaf in _tests(part)] if isinstance(matcher, AtLeast) else []
