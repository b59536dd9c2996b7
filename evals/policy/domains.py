"""The domains of facts: for every fact the few values that conditions can tell apart, so that all can be covered.

Two values that no condition distinguishes lead to the same decision, so one stands for both: the words that are
named, and one that is not; a number at each bound, and one between any two. That makes the inputs finite, and proofs
exact.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.facts import ANY_NUMBER, FactKind, FactSpec, Range
from handrail.guardrails.policy.matcher import AtLeast, Matcher, Not, Test
from handrail.guardrails.vocabulary import FactContent, Scalar

ANOTHER = "another"
"""Stands for a word that no condition names, where any word can be."""

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
    names: set[str] = set()
    for bundle in bundles:
        for condition in conditions(bundle):
            names |= condition.names()
            for leaf in tests(condition):
                leaves[leaf.name].append(leaf)
    found: dict[str, Domain] = {}
    for name in sorted(names):
        specs = [bundle.facts[name] for bundle in bundles if name in bundle.facts]
        kind = specs[0].kind if specs else FactKind.BOOLEAN
        found[name] = Domain(
            name, kind, _values(kind, specs, leaves[name], _words(usual[name]) if name in usual else ())
        )
    return found


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
    kind: FactKind, specs: Sequence[FactSpec], leaves: Iterable[Test], usual: tuple[Scalar, ...]
) -> tuple[Scalar, ...]:
    if kind is FactKind.BOOLEAN:
        return (False, True)
    named = {*usual, *(word for leaf in leaves for word in _words(leaf.operand))}
    if kind is FactKind.NUMBER:
        return _numbers({float(one) for one in named}, specs[0].range if specs else ANY_NUMBER)
    words = {str(one) for one in named}
    if kind is FactKind.SET:
        known = specs[0].values if specs else None
        return tuple(sorted(words | known if known is not None and len(known) <= SMALL else words))
    closed = [spec.values for spec in specs if spec.values is not None]
    rest = sorted(frozenset().union(*closed) - words) if len(closed) == len(specs) else [ANOTHER]
    return (*sorted(words), *rest[:1])


def _words(operand: FactContent) -> tuple[Scalar, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _numbers(bounds: set[float], within: Range) -> tuple[Scalar, ...]:
    """Every bound, and one number in each gap, as far as the fact can be that."""
    ordered = sorted(bounds)
    step = 1.0
    middles = [(one + other) / 2 for one, other in pairwise(ordered)]
    if within.whole:
        middles = [float(math.floor(one) + 1) for one in ordered[:-1]]
    ends = [ordered[0] - step, ordered[-1] + step] if ordered else [0.0]
    found = {*ordered, *middles, *ends}
    found |= {float(bound) for bound in (within.least, within.most) if bound is not None}
    kept = sorted(one for one in found if _possible(one, within))
    return tuple(int(one) if one.is_integer() else one for one in kept)


def _possible(number: float, within: Range) -> bool:
    if within.least is not None and number < within.least:
        return False
    if within.most is not None and number > within.most:
        return False
    return number.is_integer() or not within.whole
