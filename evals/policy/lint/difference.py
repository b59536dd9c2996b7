"""What two decisions of the same rules differ in, asked only of what some of these rules can say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import z3

from handrail.evals.policy.space import FALSE
from handrail.evals.policy.symbolic import Said, SymbolicDecision
from handrail.guardrails.policy.policyset import DEFAULTS
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import Effect, Priority, Stage


class Altered(SymbolicDecision):
    """A decision that is made by other rules than the bundle's own."""

    def __init__(self, like: SymbolicDecision, said: Iterable[Said]) -> None:
        """Decide as `like` does, by what `said` says."""
        self.stage = like.stage
        self.subject = like.subject
        self.reading = like.reading
        self.said = tuple(said)


def without(decision: SymbolicDecision, rule: Rule) -> SymbolicDecision:
    """The decision as it would be if `rule` were not there."""
    return Altered(decision, (one for one in decision.said if one.rule.id != rule.id))


def along_with(decision: SymbolicDecision, rule: Rule) -> SymbolicDecision:
    """The decision as it would be with one rule more."""
    truth = decision.reading.truth(rule.when)
    return Altered(decision, (*decision.said, Said(rule, truth.true, truth.applies)))


def falls_through(decision: SymbolicDecision) -> z3.BoolRef:
    """When no rule speaks, so that the built-in default of the stage does (POLICY_NO_PERMIT)."""
    default = DEFAULTS[decision.stage]
    strict = [one.applies for one in decision.said if (one.rule.restrictions.effect or Effect.ALLOW) >= default]
    return z3.Not(z3.Or(decision.permitted, *strict))


def difference(
    rules: Iterable[Rule], one: SymbolicDecision, other: SymbolicDecision, *, tags: bool = True
) -> z3.BoolRef:
    """When two decisions that differ by nothing but `rules` differ in effect, obligations or any dimension.

    Reasons do not count, `tags` only when asked for.
    """
    return z3.Or([way for rule in rules for way in _ways(rule, one, other, tags=tags)])


def _ways(rule: Rule, one: SymbolicDecision, other: SymbolicDecision, *, tags: bool) -> Iterator[z3.BoolRef]:
    yield from _restricted(rule, one, other)
    wanted = rule.selections
    if wanted.priority is not None:
        yield from (z3.Xor(one.priority_at_least(step), other.priority_at_least(step)) for step in Priority)
    minutes = wanted.first_response_minutes
    if minutes is not None:
        yield z3.Xor(one.answers_within(minutes), other.answers_within(minutes))
    adding = (("skills", wanted.skills), ("tags", wanted.tags if tags else ()), ("commitments", wanted.commitments))
    for kind, words in adding:
        yield from (z3.Xor(one.names(kind, word), other.names(kind, word)) for word in sorted(words))
    for family, classes in wanted.scope:
        yield from (z3.Xor(one.grants(family, name), other.grants(family, name)) for name in sorted(classes))
    for dimension, _ in wanted.choices:
        first, second = one.chosen(dimension), other.chosen(dimension)
        yield from (z3.Xor(first.get(name, FALSE), second.get(name, FALSE)) for name in sorted({*first, *second}))


def _restricted(rule: Rule, one: SymbolicDecision, other: SymbolicDecision) -> Iterator[z3.BoolRef]:
    asked = rule.restrictions
    if rule.permits is not None or asked.effect is not None:
        yield from (z3.Xor(one.effects[effect], other.effects[effect]) for effect in Effect)
        # What a rule says outright is not left to the default, except for tools: denied until granted is meant so.
        if rule.stage is not Stage.AUTHORIZE_TOOLS:
            yield z3.Xor(falls_through(one), falls_through(other))
    yield from (z3.Xor(one.obliges(duty), other.obliges(duty)) for duty in sorted(asked.obligations))
    if asked.risk is not None:
        yield z3.Xor(one.risk_at_least(asked.risk), other.risk_at_least(asked.risk))
    if asked.automation is not None:
        yield z3.Xor(one.automation_at_least(asked.automation), other.automation_at_least(asked.automation))
