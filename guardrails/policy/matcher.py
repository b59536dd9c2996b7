"""Conditions as typed matchers on declared facts, with three-valued logic.

A condition evaluates to True, to False, or to the set of fact names whose being unknown keeps it open (Kleene's strong
three-valued logic; the names let a restriction tell ignorable unknowns from others).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from handrail.guardrails.policy.facts import HOLDOUT_PREFIX, SEGMENT_PREFIX, FactKind, Facts, fits
from handrail.guardrails.vocabulary import FactContent

Truth: TypeAlias = bool | frozenset[str]
"""True, False, or the names of the unknown facts that leave the question open."""


@dataclass(frozen=True, slots=True)
class Test:
    """A leaf: one fact, one comparison. `operator` and `operand` say what `holds` computes."""

    name: str
    kind: FactKind
    operator: str
    operand: FactContent
    holds: Callable[[FactContent], bool] = field(compare=False, repr=False)

    def truth(self, facts: Facts) -> Truth:
        """Unknown when the fact is unknown, or not of its declared kind."""
        found = facts.used.get(self.name)
        # INVARIANT: nonsense is unknown, never false: "false" as text must not slip past a rule that asks for false.
        if found is None or found.content is None or not fits(self.kind, found.content):
            return frozenset((self.name,))
        return self.holds(found.content)

    def names(self) -> frozenset[str]:
        """The one fact of this leaf."""
        return frozenset((self.name,))

    def because(self, facts: Facts) -> tuple[str, ...]:
        """This leaf in words, when it holds."""
        if self.truth(facts) is not True:
            return ()
        if self.name.startswith(SEGMENT_PREFIX):
            return (f"in segment {self.name.removeprefix(SEGMENT_PREFIX)}",)
        content = facts.content(self.name)
        if isinstance(content, tuple):
            wanted = self.operand if isinstance(self.operand, tuple) else (self.operand,)
            return (f"{self.name} has {', '.join(str(word) for word in wanted if word in content)}",)
        return (f"{self.name} is {content}",)


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a fact is known at all; never unknown itself."""

    name: str
    expected: bool

    def truth(self, facts: Facts) -> Truth:
        """True when the fact's being known is as expected."""
        return (facts.content(self.name) is not None) is self.expected

    def names(self) -> frozenset[str]:
        """The one fact of this leaf."""
        return frozenset((self.name,))

    def because(self, facts: Facts) -> tuple[str, ...]:
        """This leaf in words, when it holds."""
        return (f"{self.name} is {'known' if self.expected else 'unknown'}",) if self.truth(facts) is True else ()


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `count` of the parts hold: k of n. `all` is n of n, `any` is 1 of n."""

    count: int
    parts: tuple[Matcher, ...]

    def truth(self, facts: Facts) -> Truth:
        """True once enough parts hold, False once enough cannot, else open."""
        needed = self.count
        if not needed:
            return True
        spare = len(self.parts) - needed
        unknown: frozenset[str] | None = None
        for part in self.parts:
            truth = part.truth(facts)
            if truth is True:
                needed -= 1
                if needed == 0:
                    return True
            elif truth is False:
                spare -= 1
                if spare < 0:
                    return False
            else:
                unknown = truth if unknown is None else unknown | truth
        # Neither settled it, so some part is open.
        return unknown or frozenset()

    def names(self) -> frozenset[str]:
        """Facts of all parts."""
        return frozenset().union(*(part.names() for part in self.parts))

    def because(self, facts: Facts) -> tuple[str, ...]:
        """The leaves of the parts that hold."""
        return tuple(line for part in self.parts if part.truth(facts) is True for line in part.because(facts))


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; unknown stays unknown."""

    part: Matcher

    def truth(self, facts: Facts) -> Truth:
        """The opposite of the part, or its unknowns."""
        truth = self.part.truth(facts)
        return (not truth) if isinstance(truth, bool) else truth

    def names(self) -> frozenset[str]:
        """Facts of the part."""
        return self.part.names()

    def because(self, facts: Facts) -> tuple[str, ...]:
        """The facts that the part found otherwise."""
        return tuple(f"{name} is {facts.content(name)}" for name in sorted(self.names()))


Matcher: TypeAlias = Test | Known | AtLeast | Not
"""A condition over facts: a closed set, so that what analyses conditions can be complete."""

ALWAYS = AtLeast(0, ())
"""Holds whatever the facts are."""


def _is_true(name: str) -> Test:
    return Test(name, FactKind.BOOLEAN, "is", True, lambda content: content is True)


def in_segment(segment_id: str) -> Test:
    """The leaf that asks for membership of a segment."""
    return _is_true(f"{SEGMENT_PREFIX}{segment_id}")


def outside_holdout(holdout_id: str) -> Not:
    """Holds unless the conversation is known to be in the holdout: who was never assigned gets the whole policy."""
    name = f"{HOLDOUT_PREFIX}{holdout_id}"
    return Not(AtLeast(2, (Known(name, True), _is_true(name))))


def applies_to_restriction(truth: Truth, facts: Facts) -> bool:
    """Whether a restriction with this truth applies: unless false, or open only for ignorable facts (S2.2)."""
    return truth if isinstance(truth, bool) else not facts.ignored(truth)
