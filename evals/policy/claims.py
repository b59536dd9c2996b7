"""What an invariant claims of a decision: as logic over all inputs, and of one decision that was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import z3

from handrail.evals.policy.symbolic import NOTHING, SymbolicDecision
from handrail.guardrails.bundle.claims import Aspect, Claim
from handrail.guardrails.vocabulary import (
    Automation,
    Decision,
    Effect,
    Obligation,
    Priority,
    RiskTier,
)

RELAXABLE: tuple[Aspect, ...] = ("effect", "risk", "automation", "obligations")
"""What a further risk signal may never lower."""


def formula(claim: Claim, decision: SymbolicDecision) -> z3.BoolRef:
    """When the decision is as claimed."""
    parts: list[z3.BoolRef] = []
    if claim.effect is not None:
        parts.append(z3.Or([decision.effects[effect] for effect in claim.effect]))
    parts += [decision.obliges(duty) for duty in claim.obligations]
    parts += [decision.gives(reason) for reason in claim.reasons]
    if claim.risk_at_least is not None:
        parts.append(decision.risk_at_least(claim.risk_at_least))
    if claim.automation_at_least is not None:
        parts.append(decision.automation_at_least(claim.automation_at_least))
    if claim.priority_at_least is not None:
        parts.append(decision.priority_at_least(claim.priority_at_least))
    for dimension, wanted in (("queue", claim.queue), ("flow", claim.flow)):
        if wanted is not None:
            chosen = decision.chosen(dimension)
            parts.append(z3.Or([chosen[value] for value in wanted if value in chosen]))
    for family, classes in claim.scope.items():
        parts.append(z3.Or([decision.grants(family, name) for name in classes]))
    return z3.And(parts)


def holds(claim: Claim, decision: Decision) -> bool:
    """Whether a decision that was made is as claimed."""
    return not any(_misses(claim, decision))


def _misses(claim: Claim, decision: Decision) -> Iterator[bool]:
    found = decision.dimensions
    yield claim.effect is not None and decision.effect not in claim.effect
    yield not set(claim.obligations) <= set(decision.obligations)
    yield not set(claim.reasons) <= set(decision.reasons)
    yield claim.risk_at_least is not None and found.risk < claim.risk_at_least
    yield claim.automation_at_least is not None and found.automation < claim.automation_at_least
    yield claim.priority_at_least is not None and found.priority < claim.priority_at_least
    yield claim.queue is not None and (found.queue or NOTHING) not in claim.queue
    yield claim.flow is not None and (found.flow or NOTHING) not in claim.flow
    for family, classes in claim.scope.items():
        yield set(classes).isdisjoint(found.scope.get(family, ()))


def differs(aspect: Aspect, one: SymbolicDecision, other: SymbolicDecision) -> z3.BoolRef:
    """When two decisions differ in an aspect."""
    pairs = list(_levels(aspect, one, other))
    return z3.Or([z3.Xor(first, second) for first, second in pairs])


def relaxed(aspect: Aspect, one: SymbolicDecision, other: SymbolicDecision) -> z3.BoolRef:
    """When `other` is more permissive than `one` in an aspect that has an order."""
    return z3.Or([z3.And(first, z3.Not(second)) for first, second in _levels(aspect, one, other)])


def _levels(aspect: Aspect, one: SymbolicDecision, other: SymbolicDecision) -> Iterator[tuple[z3.BoolRef, z3.BoolRef]]:
    """Pairs of formulas, each "at least this strict" where the aspect has an order, that say all of the aspect."""
    if aspect in _STEPS:
        yield from ((step(one), step(other)) for step in _STEPS[aspect])
    elif aspect == "scope":
        for family, name in sorted({*_classes(one), *_classes(other)}):
            yield one.grants(family, name), other.grants(family, name)
    else:
        first, second = one.chosen(aspect), other.chosen(aspect)
        for value in sorted({*first, *second}):
            yield first.get(value, z3.BoolVal(False)), second.get(value, z3.BoolVal(False))


def _at_least(decision: SymbolicDecision, effect: Effect) -> z3.BoolRef:
    return z3.Or([formula_ for found, formula_ in decision.effects.items() if found >= effect])


_STEPS: Mapping[Aspect, tuple[Callable[[SymbolicDecision], z3.BoolRef], ...]] = {
    "effect": tuple(partial(_at_least, effect=effect) for effect in Effect),
    "obligations": tuple(partial(SymbolicDecision.obliges, duty=duty) for duty in Obligation),
    "risk": tuple(partial(SymbolicDecision.risk_at_least, tier=tier) for tier in RiskTier),
    "automation": tuple(partial(SymbolicDecision.automation_at_least, scope=scope) for scope in Automation),
    "priority": tuple(partial(SymbolicDecision.priority_at_least, priority=priority) for priority in Priority),
}
"""The aspects whose values are known beforehand, each as the questions that tell its values apart."""


def _classes(decision: SymbolicDecision) -> Iterator[tuple[str, str]]:
    for one in decision.said:
        for family, names in one.rule.selections.scope:
            yield from ((family, name) for name in names)


def varies(aspect: Aspect, one: Decision, other: Decision) -> bool:
    """Whether two decisions that were made differ in an aspect."""
    return _aspect_of(aspect, one) != _aspect_of(aspect, other)


def relaxes(aspect: Aspect, one: Decision, other: Decision) -> bool:
    """Whether `other`, of two decisions that were made, is more permissive than `one`, in an aspect with an order."""
    first, second = one.dimensions, other.dimensions
    return {
        "effect": other.effect < one.effect,
        "obligations": not set(one.obligations) <= set(other.obligations),
        "risk": second.risk < first.risk,
        "automation": second.automation < first.automation,
    }[aspect]


def _aspect_of(aspect: Aspect, decision: Decision) -> object:
    """The aspect of a decision that was made, for comparing."""
    found = decision.dimensions
    match aspect:
        case "effect":
            return decision.effect
        case "obligations":
            return decision.obligations
        case "risk":
            return found.risk
        case "automation":
            return found.automation
        case "priority":
            return found.priority
        case "queue":
            return found.queue
        case "flow":
            return found.flow
        case "scope":
            return sorted(found.scope.items())
