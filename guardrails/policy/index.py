"""The index of a rule set: which rules could say anything about given facts, so that cost follows those alone.

For each rule it is known what must be found, or be unknown, for its condition not to be false. Facts pick rules by
look-up; a rule that nothing picks would have been false. What cannot be looked up, such as a set that lacks a member,
is always asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.policy.matcher import AtLeast, Known, Matcher, Not, Test
from handrail.guardrails.policy.reading import Bits, Pick

Word: TypeAlias = str | bool


@dataclass(frozen=True, slots=True)
class Need:
    """The fact `name` holds one of `words`, or (`other`) none of them. A set holds each of its members.

    Of a number it is the comparison `number` that holds, or (`other`) does not.
    """

    name: str
    words: frozenset[Word] = frozenset()
    number: Test | None = None
    other: bool = False


Needs: TypeAlias = tuple[Need, ...] | None
"""One of these must hold, or its fact be unknown, lest the condition is false; None when that cannot be said."""


@dataclass(frozen=True, slots=True)
class Index:
    """`picks` say which rules which contents pick; the rules in `always` are asked whatever the facts are."""

    picks: tuple[Pick, ...]
    always: Bits


def index(conditions: Sequence[Matcher]) -> Index:
    """Index `conditions`; a rule is named by its position."""
    words: dict[str, set[Word]] = defaultdict(set)
    for condition in conditions:
        for leaf in _tests(condition):
            words[leaf.name].update(_words(leaf))
    # As many contents as conditions name, and one for all others: what a need is weighed against.
    contents = {name: len(found) + 1 for name, found in words.items()}
    always = 0
    gathered: dict[Need, Bits] = defaultdict(int)
    for position, condition in enumerate(conditions):
        wanted = _needs(condition, contents, turned=False)
        if wanted is None:
            always |= 1 << position
        for need in wanted or ():
            gathered[need] |= 1 << position
    picks = tuple(Pick(need.name, need.words, need.number, need.other, rules) for need, rules in gathered.items())
    return Index(picks, always)


def _needs(matcher: Matcher, contents: Mapping[str, int], *, turned: bool) -> Needs:
    """What `matcher` (or, `turned`, its opposite) needs in order not to be false."""
    if isinstance(matcher, Not):
        return _needs(matcher.part, contents, turned=not turned)
    if isinstance(matcher, AtLeast):
        return _of_parts(matcher, contents, turned=turned)
    return None if isinstance(matcher, Known) else _of_leaf(matcher, turned=turned)


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


def _of_leaf(leaf: Test, *, turned: bool) -> Needs:
    if leaf.kind is FactKind.SET and turned:
        return None
    if leaf.kind is FactKind.NUMBER:
        return (Need(leaf.name, number=leaf, other=turned),)
    words = _words(leaf)
    chosen = words[:1] if leaf.operator == "has_all" else words
    return (Need(leaf.name, frozenset(chosen), other=turned),)


def _words(leaf: Test) -> tuple[Word, ...]:
    operand = leaf.operand if isinstance(leaf.operand, tuple) else (leaf.operand,)
    return tuple(word for word in operand if isinstance(word, str | bool))


def _tests(matcher: Matcher) -> list[Test]:
    if isinstance(matcher, Test):
        return [matcher]
    if isinstance(matcher, Not):
        return _tests(matcher.part)
    return [leaf for part in matcher.parts for leaf in _tests(part)] if isinstance(matcher, AtLeast) else []
