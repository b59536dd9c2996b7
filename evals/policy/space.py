"""The space of inputs of a turn as logic: a variable for everything a fact can be, and conditions over them.

Facts are encoded by one variable for being known and one for each value of their domain, so every question about
policy becomes one of propositional logic, which z3 answers for all inputs at once. A condition becomes three formulas:
when it is true, when it is false, and when it is open in a way that restricts (spec S2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import z3

from handrail.evals.policy.domains import NEED, Domain, domains_of
from handrail.evals.policy.play import completed, ordinary
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.facts import SEGMENT_PREFIX, FactKind, OnUnknown
from handrail.guardrails.policy.matcher import AtLeast, Known, Matcher, Not, Test
from handrail.guardrails.segments import Segment
from handrail.guardrails.vocabulary import FactContent, Scalar

FALSE, TRUE = z3.BoolVal(False), z3.BoolVal(True)
NEEDS, UNKNOWN = "need_states", "unknown"


@dataclass(frozen=True, slots=True)
class Truth3:
    """A condition as formulas: true, false, and open so that a restriction applies."""

    true: z3.BoolRef
    false: z3.BoolRef
    restricts: z3.BoolRef

    @property
    def applies(self) -> z3.BoolRef:
        """When a restriction with this condition applies."""
        return z3.Or(self.true, self.restricts)


@dataclass(frozen=True, slots=True)
class Variable:
    """One fact as variables: whether it is known, and for each value whether it is that (or, for a set, holds it)."""

    domain: Domain
    known: z3.BoolRef
    values: Mapping[Scalar, z3.BoolRef]

    def constraints(self) -> Iterable[z3.BoolRef]:
        """What always holds between them."""
        held = list(self.values.values())
        if self.domain.kind is FactKind.SET:
            yield from (z3.Implies(one, self.known) for one in held)
        elif held:
            yield self.known == z3.Or(held)
            yield z3.AtMost(*held, 1)
        else:
            yield z3.Not(self.known)


class Space:
    """The inputs of a turn, shared by all bundles that are looked at together."""

    def __init__(self, bundles: Sequence[Bundle]) -> None:
        """Make the variables of every fact, and of the segments of the turn before."""
        self.ordinary: Mapping[str, FactContent] = {
            name: content
            for bundle in bundles
            for name, content in completed(ordinary(bundle)).items()
            if content is not None
        }
        self.domains = domains_of(bundles, self.ordinary)
        self.variables = {
            name: variable(domain) for name, domain in self.domains.items() if not name.startswith(SEGMENT_PREFIX)
        }
        segments = [segment for bundle in bundles for segment in bundle.segments]
        self.earlier = {name: z3.Bool(f"earlier {name}") for name in sorted({one.id for one in segments})}
        self.younger = {
            (name, minutes): z3.Bool(f"{name} younger than {minutes} minutes")
            for name, minutes in sorted({(one.id, one.hold_minutes) for one in segments if one.hold_minutes})
        }
        """Whether who is in a segment entered it less than so many minutes ago, for every hold that a bundle has."""

    def constraints(self) -> list[z3.BoolRef]:
        """What holds of every input."""
        found = [one for held in self.variables.values() for one in held.constraints()]
        found += [z3.Implies(young, self.earlier[name]) for (name, _), young in self.younger.items()]
        for ((name, _), young), ((other, _), younger) in pairwise(self.younger.items()):
            if name == other:
                found.append(z3.Implies(young, younger))
        return found

    def plausible(self) -> list[z3.BoolRef]:
        """What holds of every input that detection gives: the main need state is one of all. Only for examples."""
        main, every = self.variables.get(NEED), self.variables.get(NEEDS)
        if main is None or every is None:
            return []
        return [
            z3.Implies(one, every.values[word])
            for word, one in main.values.items()
            if word in every.values and word != UNKNOWN
        ] + [z3.Implies(main.known, every.known)]


def variable(domain: Domain, suffix: str = "") -> Variable:
    """Fresh variables for a fact; `suffix` tells a second copy of it apart."""
    values = {value: z3.Bool(f"{domain.name}{suffix} = {value}") for value in domain.values}
    return Variable(domain, z3.Bool(f"{domain.name}{suffix} known"), values)


@dataclass(frozen=True, slots=True)
class Before:
    """What a reading takes over from that of an earlier stage."""

    reading: Reading
    fixed: Mapping[str, Truth3]


class Reading:
    """The conditions of one bundle over the facts of a space, or over a changed copy of some of them."""

    def __init__(
        self,
        bundle: Bundle,
        space: Space,
        changed: Mapping[str, Variable] | None = None,
        before: Before | None = None,
    ) -> None:
        """Read `bundle`; `changed` facts take the place of the space's own. `later` says what `before` is for."""
        self.bundle = bundle
        self.space = space
        self._variables: dict[str, Variable] = {**space.variables, **(changed or {})}
        self._before = None if before is None else before.reading
        self._own: set[str] = set()
        self._read: dict[Matcher, Truth3] = {}
        self._fixed: dict[str, Truth3] = {} if before is None else {**before.fixed}
        self.members: dict[str, z3.BoolRef] = {} if before is None else before.reading.members
        for segment in bundle.segments if before is None else ():
            self._fixed[f"{SEGMENT_PREFIX}{segment.id}"] = self._segment(segment)

    def later(self) -> Reading:
        """The same facts at a later stage, where some may follow from others; membership stays as it is.

        What reads none of those is not read again.
        """
        return Reading(self.bundle, self.space, self._variables, Before(self, self._fixed))

    def fixed(self, name: str, truth: Truth3) -> None:
        """Let a boolean fact follow from others."""
        self._fixed[name] = truth
        self._own.add(name)

    def replace(self, name: str, replacing: Variable) -> None:
        """Let a fact stand for variables that follow from others. Conditions that read it must not be read before."""
        self._variables[name] = replacing
        self._own.add(name)

    def variable(self, name: str) -> Variable:
        """The variables of a fact."""
        return self._variables[name]

    def truth(self, matcher: Matcher) -> Truth3:
        """The three formulas of a condition."""
        found = self._read.get(matcher)
        if found is None:
            before = self._before
            shared = before is not None and self._own.isdisjoint(matcher.names())
            found = before.truth(matcher) if before is not None and shared else self._truth(matcher)
            self._read[matcher] = found
        return found

    def _truth(self, matcher: Matcher) -> Truth3:
        if isinstance(matcher, Not):
            part = self.truth(matcher.part)
            return Truth3(part.false, part.true, part.restricts)
        if isinstance(matcher, AtLeast):
            return self._at_least(matcher)
        if isinstance(matcher, Known):
            known = self._known(matcher.name)
            held = known if matcher.expected else z3.Not(known)
            return Truth3(held, z3.Not(held), FALSE)
        return self._leaf(matcher)

    def _at_least(self, matcher: AtLeast) -> Truth3:
        parts = [self.truth(part) for part in matcher.parts]
        true = _count([part.true for part in parts], matcher.count)
        false = _count([part.false for part in parts], len(parts) - matcher.count + 1)
        restricts = z3.Or([part.restricts for part in parts]) if parts else FALSE
        return Truth3(true, false, z3.And(z3.Not(true), z3.Not(false), restricts))

    def _leaf(self, leaf: Test) -> Truth3:
        fixed = self._fixed.get(leaf.name)
        if fixed is not None:
            return fixed if leaf.holds(True) else Truth3(fixed.false, fixed.true, fixed.restricts)
        held = self._variables[leaf.name]
        true = _holds(leaf, held)
        ignored = self._ignored(leaf.name)
        return Truth3(true, z3.And(held.known, z3.Not(true)), FALSE if ignored else z3.Not(held.known))

    def _known(self, name: str) -> z3.BoolRef:
        if name in self._fixed:
            return z3.Or(self._fixed[name].true, self._fixed[name].false)
        return self._variables[name].known

    def _ignored(self, name: str) -> bool:
        spec = self.bundle.facts.get(name)
        return spec is not None and spec.on_unknown is OnUnknown.IGNORE

    def _segment(self, segment: Segment) -> Truth3:
        """Membership as `assign` decides it: entered, or kept until the exit is true and the hold is over."""
        entry, leaving = self.truth(segment.entry), self.truth(segment.exit)
        held = self.space.younger[segment.id, segment.hold_minutes] if segment.hold_minutes else FALSE
        kept = z3.And(self.space.earlier[segment.id], z3.Or(z3.Not(leaving.true), held))
        member = z3.Or(entry.true, kept)
        self.members[segment.id] = member
        return Truth3(member, z3.And(z3.Not(member), entry.false), z3.And(z3.Not(member), entry.restricts))


def _holds(leaf: Test, held: Variable) -> z3.BoolRef:
    """When the leaf's comparison holds: asked of every value of the domain, by the comparison itself."""
    if leaf.kind is not FactKind.SET:
        return z3.Or([one for value, one in held.values.items() if leaf.holds(value)])
    wanted = leaf.operand if isinstance(leaf.operand, tuple) else (leaf.operand,)
    members = [held.values[word] for word in wanted if word in held.values]
    if leaf.operator == "has_all":
        return z3.And(members) if len(members) == len(wanted) else FALSE
    return z3.Or(members)


def _count(parts: Sequence[z3.BoolRef], least: int) -> z3.BoolRef:
    if least <= 0:
        return TRUE
    if least > len(parts):
        return FALSE
    if least == 1:
        return z3.Or(parts)
    return z3.And(parts) if least == len(parts) else z3.AtLeast(*parts, least)
