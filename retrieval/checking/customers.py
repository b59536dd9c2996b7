"""The customers that a bundle can describe, as far as it matters for what they may read, with their scope plans.

Customers differ by the attributes that stand for a family of documents (role, region, plan and stack in the shipped
bundle), and write the first message of a conversation, about one need. Whatever else policy may ask about is left open:
what a rule would grant to some of them counts as granted. So "nobody gets it" is certain, and "somebody gets it" means
"there may be such a customer".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import product

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import Attribute
from handrail.guardrails.grants import families
from handrail.guardrails.policy.facts import SEGMENT_PREFIX, FactKind, Facts, fact
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.scope import ALL, Audience, Family, ScopePlan
from handrail.guardrails.vocabulary import FactContent, FactUsed, RiskTier, Stage

SOURCE = "check"

_OPENING: Mapping[str, FactContent] = {
    "in_flow": False,
    "pending": "nothing",
    "failed_attempts": 0,
    "clarifications": 0,
    "unresolved_turns": 1,
    "person_offered": False,
    "earlier_risk": RiskTier.LOW.value,
    "assistance": "accepted",
}
"""The facts of a conversation at its first message."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A kind of customer: the content of every attribute that stands for a family; several values for a set."""

    attributes: Mapping[str, FactContent]

    def has(self, name: str, value: str) -> bool:
        """Whether the attribute is the value, or has it among others."""
        content = self.attributes[name]
        return value in content if isinstance(content, tuple) else content == value


@dataclass(frozen=True, slots=True)
class Population:
    """All kinds of customers with each need state.

    Attributes:
        needs: The need states of the bundle.
        segments: The active segments.
        names: The attributes that stand for a family, and the values of each.
        families: The family that each of these attributes stands for.
        customers: The kinds of customers.
        plans: The different scope plans among them.
        plan_of: Which plan a customer with a need has; shape (needs, customers).
        member: Whether such a customer may be in a segment; shape (needs, customers, segments).
    """

    needs: tuple[str, ...]
    segments: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    families: Mapping[str, Family]
    customers: tuple[Customer, ...]
    plans: tuple[ScopePlan, ...]
    plan_of: NDArray[np.int32]
    member: NDArray[np.bool_]


def population(bundle: Bundle, audiences: Iterable[Audience], day: date) -> Population:
    """The customers of `bundle`. Where it leaves the values of an attribute open, the classes of documents stand in."""
    names = scope_values(bundle, audiences)
    kinds = tuple(_customers(bundle.attributes, names))
    needs = tuple(need.value for need in bundle.manifest.need_states)
    granting = [rule for rule in bundle.policy.rules if rule.stage is Stage.APPLY_POLICY and rule.selections.scope]
    member = np.zeros((len(needs), len(kinds), len(bundle.segments)), dtype=np.bool_)
    plan_of = np.zeros((len(needs), len(kinds)), dtype=np.int32)
    numbers: dict[tuple[tuple[str, tuple[str, ...]], ...], int] = {}
    for (row, need), (column, customer) in product(enumerate(needs), enumerate(kinds)):
        facts = _facts(need, customer)
        truths = [segment.entry.truth(facts) for segment in bundle.segments]
        member[row, column] = [truth is not False for truth in truths]
        inside = [
            fact(f"{SEGMENT_PREFIX}{segment.id}", truth, SOURCE)
            for segment, truth in zip(bundle.segments, truths, strict=True)
            if isinstance(truth, bool)
        ]
        granted = _granted(granting, facts.with_facts(inside))
        key = tuple(sorted(families(granted, bundle.attributes.values(), facts).items()))
        plan_of[row, column] = numbers.setdefault(key, len(numbers))
    on = datetime.combine(day, time(12), UTC)
    return Population(
        needs=needs,
        segments=tuple(segment.id for segment in bundle.segments),
        names=names,
        families={
            attribute.name: Family(attribute.scope_family)
            for attribute in bundle.attributes.values()
            if attribute.scope_family is not None
        },
        customers=kinds,
        plans=tuple(ScopePlan(families=dict(key), on=on) for key in numbers),
        plan_of=plan_of,
        member=member,
    )


def scope_values(bundle: Bundle, audiences: Iterable[Audience]) -> dict[str, tuple[str, ...]]:
    """The values of every attribute that stands for a family."""
    asked = tuple(audiences)
    found = {}
    for attribute in bundle.attributes.values():
        if attribute.scope_family is not None:
            family = Family(attribute.scope_family)
            used = {word for audience in asked for word in audience.classes(family)} - {ALL}
            found[attribute.name] = attribute.values if attribute.values is not None else tuple(sorted(used))
    return found


def _customers(attributes: Mapping[str, Attribute], names: Mapping[str, Sequence[str]]) -> Iterator[Customer]:
    for contents in product(*(_contents(attributes[name], values) for name, values in names.items())):
        yield Customer(dict(zip(names, contents, strict=True)))


def _contents(attribute: Attribute, values: Sequence[str]) -> tuple[FactContent, ...]:
    """A word is one of the values; a set is empty, has one of them, or all: whoever has more may read more."""
    if attribute.kind is not FactKind.SET:
        return tuple(values) or ("",)
    return ((), *((value,) for value in values), *((tuple(values),) if len(values) > 1 else ()))


def _facts(need: str, customer: Customer) -> Facts:
    said: dict[str, FactContent] = {"need_state": need, "need_states": (need,), **_OPENING, **customer.attributes}
    return Facts.of(FactUsed(name=name, content=content, source=SOURCE) for name, content in said.items())


def _granted(rules: Iterable[Rule], facts: Facts) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for rule in rules:
        if rule.when.truth(facts) is not False:
            for family, classes in rule.selections.scope:
                found.setdefault(family, set()).update(classes)
    return found
