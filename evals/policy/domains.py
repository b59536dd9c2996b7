"""The domains of facts: for every fact the few values that conditions can tell apart, so that all can be covered.

Two values that no condition distinguishes lead to the same decision, so one stands for both: the words that are
named, and one that is not; a number at each bound, and one between any two. That makes the inputs finite, and proofs
exact.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.policy.facts import FactKind, FactSpec, Range
from handrail.guardrails.policy.matcher import AtLeast, Matcher, Not, Test
from handrail.guardrails.vocabulary import FactContent, Scalar

ANOTHER = "another"
"""Stands for a word that no condition names, where any word can be."""

NEED = "need_state"
"""Always among the inputs, and taken whole: what somebody needs is what coverage is told by."""

SMALL = 12
"""A closed set of so many members is taken whole, so that examples of it are complete."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What one fact can be, beside unknown: one of `values`, or a set of some of them."""

    name: str
    kind: FactKind
    values: tuple[Scalar, ...]


def domains_of(bundles: Sequence[Bundle], usual: Mapping[str, FactContent]) -> dict[str, Domain]:
    """The domain of every fact that a condition of these bundles reads, by name; segments are no inputs.

    `usual` contents are among the values, so that examples can be ordinary.
    """
    leaves: dict[str, list[Test]] = defaultdict(list)
    names: set[str] = {NEED}
    for bundle in bundles:
        for condition in conditions(bundle):
            names |= condition.names()
            for leaf in tests(condition):
                leaves[leaf.name].append(leaf)
    found: dict[str, Domain] = {}
    for name in sorted(names):
        specs = [bundle.facts[name] for bundle in bundles if name in bundle.facts]
        kind = _kind(name, specs)
        found[name] = Domain(
            name, kind, _values(name, kind, specs, leaves[name], _words(usual[name]) if name in usual else ())
        )
    return found


def _kind(name: str, specs: Sequence[FactSpec]) -> FactKind:
    kinds = list(dict.fromkeys(spec.kind for spec in specs))
    if len(kinds) > 1:
        message = (
            f"the fact {name} is a {kinds[0].value} in one bundle and a {kinds[1].value} in the other, so that no "
            "input fits both; give it another name in one of them to compare them"
        )
        raise ConfigError([message])
    return kinds[0] if kinds else FactKind.BOOLEAN


def conditions(bundle: Bundle) -> Iterator[Matcher]:
    """Every condition of a bundle: of rules, segments and invariants."""
    for rule in (*bundle.policy.rules, *bundle.policy.shadows):
        yield rule.when
    for segment in bundle.segments:
        yield segment.entry
        yield segment.exit
    for invariant in bundle.invariants:
        yield invariant.when


def tests(matcher: Matcher) -> Iterator[Test]:
    """The leaves of a condition that compare."""
    if isinstance(matcher, Test):
        yield matcher
    elif isinstance(matcher, Not):
        yield from tests(matcher.part)
    elif isinstance(matcher, AtLeast):
        for part in matcher.parts:
            yield from tests(part)


def _values(
    name: str, kind: FactKind, specs: Sequence[FactSpec], leaves: Iterable[Test], usual: tuple[Scalar, ...]
) -> tuple[Scalar, ...]:
    if kind is FactKind.BOOLEAN:
        return (False, True)
    named = {*usual, *(word for leaf in leaves for word in _words(leaf.operand))}
    if kind is FactKind.NUMBER:
        return _numbers({float(one) for one in named}, _range(specs))
    words = {str(one) for one in named}
    if kind is FactKind.SET:
        known = specs[0].values if specs else None
        return tuple(sorted(words | known if known is not None and len(known) <= SMALL else words))
    closed = [spec.values for spec in specs if spec.values is not None]
    if len(closed) < len(specs):
        return (*sorted(words), _unnamed(words))
    rest = sorted(frozenset().union(*closed) - words)
    return (*sorted(words), *(rest if name == NEED else rest[:1]))


def _unnamed(words: set[str]) -> str:
    """A word that no condition names."""
    found = ANOTHER
    while found in words:
        found = f"{found}_one"
    return found


def _range(specs: Sequence[FactSpec]) -> Range:
    """The numbers that the fact can be in any of the bundles."""
    least, most = [spec.range.least for spec in specs], [spec.range.most for spec in specs]
    return Range(
        least=None if None in least else min((one for one in least if one is not None), default=None),
        most=None if None in most else max((one for one in most if one is not None), default=None),
        whole=bool(specs) and all(spec.range.whole for spec in specs),
    )


def _words(operand: FactContent) -> tuple[Scalar, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _numbers(bounds: set[float], within: Range) -> tuple[Scalar, ...]:
    """Every bound, and one number in each gap, as far as the fact can be that."""
    ordered = sorted(bounds)
    middles = [one / 2 + other / 2 for one, other in pairwise(ordered)]
    ends = [_beside(ordered[0], -1), _beside(ordered[-1], 1)] if ordered else [0.0]
    if within.whole and ordered:
        # A bound need not be whole itself, but what stands for the gaps beside it has to be.
        middles = [float(math.floor(one)) for one in (*middles, *(_beside(one, 1) for one in ordered[:-1]))]
        ends = [float(math.ceil(ends[0])), float(math.floor(ends[1]))]
    found = {*ordered, *middles, *ends}
    found |= {float(bound) for bound in (within.least, within.most) if bound is not None}
    kept = sorted(one for one in found if possible(one, within))
    return tuple(int(one) if one.is_integer() else one for one in kept)


def _beside(bound: float, sign: int) -> float:
    """The number that stands for what lies beyond a bound: one further, or as far as a large one can be told apart."""
    beyond = bound + sign * max(1.0, abs(bound) * 1e-9)
    return beyond if math.isfinite(beyond) else sign * sys.float_info.max


def possible(number: float, within: Range) -> bool:
    """Whether a fact of this range can be that number."""
    if within.least is not None and number < within.least:
        return False
    if within.most is not None and number > within.most:
        return False
    return number.is_integer() or not within.whole
