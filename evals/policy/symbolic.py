"""A decision as logic: for one stage and subject, when each thing that a decision can say is said.

It mirrors `PolicySet.decide` formula by formula; a test holds the two against each other on drawn facts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import z3

from handrail.evals.policy.domains import Domain
from handrail.evals.policy.play import of_tool
from handrail.evals.policy.space import FALSE, TRUE, Reading, Truth3, Variable
from handrail.guardrails.policy.combining import ADDING
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.policy.policyset import DEFAULTS, NO_RULE, TURN, UNKNOWN_FACT
from handrail.guardrails.policy.rule import Choice, Rule
from handrail.guardrails.vocabulary import Automation, Effect, Obligation, Priority, RiskTier, Stage

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Said:
    """One rule with the formulas of when it selects or permits, and of when it restricts."""

    rule: Rule
    true: z3.BoolRef
    applies: z3.BoolRef


class SymbolicDecision:
    """What is decided about `subject` at `stage`."""

    def __init__(self, reading: Reading, stage: Stage, subject: str = TURN) -> None:
        """Encode the rules asked; `reading` must know the facts of the stage."""
        self.stage = stage
        self.subject = subject
        self.reading = reading
        asked = [(rule, reading.truth(rule.when)) for rule in reading.bundle.policy.asked(stage, subject)]
        self.said = tuple(Said(rule, truth.true, truth.applies) for rule, truth in asked)

    @cached_property
    def permitted(self) -> z3.BoolRef:
        """When a rule permits."""
        return z3.Or([one.true for one in self.said if one.rule.permits is not None])

    def _restricted_to(self, effect: Effect) -> z3.BoolRef:
        return z3.Or([one.applies for one in self.said if one.rule.restrictions.effect is effect])

    @cached_property
    def effects(self) -> dict[Effect, z3.BoolRef]:
        """When each effect is decided: the strictest that applies, over the stage's default where nothing permits."""
        found: dict[Effect, z3.BoolRef] = {}
        stricter: list[z3.BoolRef] = []
        for effect in reversed(Effect):
            here = self.permitted if effect is Effect.ALLOW else self._restricted_to(effect)
            if effect is DEFAULTS[self.stage]:
                here = z3.Or(here, z3.Not(self.permitted))
            found[effect] = z3.And(here, *(z3.Not(one) for one in stricter))
            stricter.append(here)
        return found

    def obliges(self, duty: Obligation) -> z3.BoolRef:
        """When `duty` is among the obligations."""
        return z3.Or([one.applies for one in self.said if duty in one.rule.restrictions.obligations])

    def risk_at_least(self, tier: RiskTier) -> z3.BoolRef:
        """When the tier is `tier` or higher."""
        if tier is RiskTier.LOW:
            return TRUE
        return z3.Or([one.applies for one in self.said if (one.rule.restrictions.risk or RiskTier.LOW) >= tier])

    def automation_at_least(self, scope: Automation) -> z3.BoolRef:
        """When the automation is as restricted as `scope`, or more."""
        if scope is Automation.ANSWER:
            return TRUE
        held = ((one, one.rule.restrictions.automation or Automation.ANSWER) for one in self.said)
        return z3.Or([one.applies for one, asked in held if asked >= scope])

    def priority_at_least(self, priority: Priority) -> z3.BoolRef:
        """When the priority is as urgent as `priority`; without any it is normal."""
        setting = [one for one in self.said if one.rule.selections.priority is not None]
        higher = z3.Or([one.true for one in setting if (one.rule.selections.priority or Priority.LOW) >= priority])
        none = z3.Not(z3.Or([one.true for one in setting])) if priority <= Priority.NORMAL else FALSE
        return TRUE if priority is Priority.LOW else z3.Or(higher, none)

    def chosen(self, dimension: str) -> dict[str, z3.BoolRef]:
        """When each value of a dimension decided by precedence is chosen, `none` included."""
        choices = [
            (one, choice) for one in self.said for name, choice in one.rule.selections.choices if name == dimension
        ]
        found: dict[str, list[z3.BoolRef]] = {}
        better: list[z3.BoolRef] = []
        for precedence in sorted({choice.precedence for _, choice in choices}, reverse=True):
            here = [(one, choice) for one, choice in choices if choice.precedence == precedence]
            for one, choice in here:
                won = z3.And(one.true, *(z3.Not(other) for other in better))
                found.setdefault(choice.value, []).append(won)
            better += [one.true for one, _ in here]
        nothing = z3.And([z3.Not(one) for one in better]) if better else TRUE
        return {**{value: z3.Or(won) for value, won in found.items()}, NOTHING: nothing}

    def grants(self, family: str, name: str) -> z3.BoolRef:
        """When documents of a class are in scope."""
        return z3.Or([one.true for one in self.said if name in dict(one.rule.selections.scope).get(family, ())])

    def answers_within(self, minutes: int) -> z3.BoolRef:
        """When the first response is due within `minutes`."""
        return z3.Or(
            [one.true for one in self.said if (one.rule.selections.first_response_minutes or minutes + 1) <= minutes]
        )

    def names(self, kind: str, word: str) -> z3.BoolRef:
        """When a word of `kind` (one of ADDING) is there."""
        return z3.Or([one.true for one in self.said if word in getattr(one.rule.selections, kind)])

    def gives(self, reason: str) -> z3.BoolRef:
        """When a code is among the reasons: one of its rules determines something, or it says that none did."""
        ways = [self.determines(one) for one in self.said if one.rule.reason == reason]
        if reason == NO_RULE:
            ways.append(self.unruled)
        if reason == UNKNOWN_FACT:
            ways.append(self.doubtful)
        return z3.Or(ways)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every code that can be among the reasons."""
        return tuple(sorted({NO_RULE, UNKNOWN_FACT, *(one.rule.reason for one in self.said)}))

    @cached_property
    def unruled(self) -> z3.BoolRef:
        """When the effect is the stage's default, and no rule says the same."""
        least = DEFAULTS[self.stage]
        saying = [one.applies for one in self.said if (one.rule.restrictions.effect or Effect.ALLOW) >= least]
        return z3.Not(z3.Or([self.permitted, *saying]))

    @cached_property
    def doubtful(self) -> z3.BoolRef:
        """When a restriction applies because a fact is unknown."""
        return z3.Or([z3.And(one.applies, z3.Not(one.true)) for one in self.said if one.rule.restricts])

    def determines(self, one: Said) -> z3.BoolRef:
        """When a rule is among the determining ones."""
        return z3.Or(list(self.ways(one).values()))

    def ways(self, one: Said) -> dict[str, z3.BoolRef]:
        """When a rule determines each dimension of which it says something, by the names of `determined_by`."""
        asked, wanted = one.rule.restrictions, one.rule.selections
        ways: dict[str, z3.BoolRef] = {}
        if one.rule.permits is not None:
            ways["effect"] = z3.And(one.true, self.effects[Effect.ALLOW])
        if asked.effect is not None:
            ways["effect"] = z3.And(one.applies, self.effects[asked.effect])
        if asked.obligations:
            ways["obligations"] = one.applies
        if asked.risk is not None:
            ways["risk"] = self._strictest(one.applies, asked.risk, lambda other: other.restrictions.risk)
        if asked.automation is not None:
            ways["automation"] = self._strictest(one.applies, asked.automation, lambda it: it.restrictions.automation)
        for name, words in (*((kind, getattr(wanted, kind)) for kind in ADDING), *wanted.scope):
            if words:
                ways[name if name in ADDING else f"scope.{name}"] = one.true
        if wanted.priority is not None:
            ways["priority"] = self._most_urgent(one)
        if wanted.first_response_minutes is not None:
            sooner = self.answers_within(wanted.first_response_minutes - 1)
            ways["first_response_minutes"] = z3.And(one.true, z3.Not(sooner))
        return ways | {name: self._wins(one, name, choice) for name, choice in wanted.choices}

    def _strictest(
        self, applies: z3.BoolRef, held: RiskTier | Automation, asked: Callable[[Rule], RiskTier | Automation | None]
    ) -> z3.BoolRef:
        above = [other.applies for other in self.said if (found := asked(other.rule)) is not None and found > held]
        return z3.And(applies, *(z3.Not(one) for one in above))

    def _most_urgent(self, one: Said) -> z3.BoolRef:
        held = one.rule.selections.priority or Priority.LOW
        above = [other.true for other in self.said if (other.rule.selections.priority or Priority.LOW) > held]
        return z3.And(one.true, *(z3.Not(other) for other in above))

    def _wins(self, one: Said, dimension: str, choice: Choice) -> z3.BoolRef:
        above = [
            other.true
            for other in self.said
            for name, held in other.rule.selections.choices
            if name == dimension and held.precedence > choice.precedence
        ]
        return z3.And(one.true, *(z3.Not(other) for other in above))


class Decisions:
    """The decisions of one bundle over a space: the risk gate first, because its tier is a fact of what follows."""

    def __init__(self, reading: Reading) -> None:
        """Read nothing yet."""
        self._base = reading
        self._made: dict[tuple[Stage, str], SymbolicDecision] = {}
        self._later: Reading | None = None

    def at(self, stage: Stage, subject: str = TURN) -> SymbolicDecision:
        """The decision about `subject` at `stage`."""
        found = self._made.get((stage, subject))
        if found is None:
            found = self._made[stage, subject] = SymbolicDecision(self.reading(stage, subject), stage, subject)
        return found

    def reading(self, stage: Stage, subject: str = TURN) -> Reading:
        """The facts of a stage: before the gate, with its tier, or with what is fixed for a tool."""
        if stage is Stage.GATE_RISK:
            return self._base
        if self._later is None:
            self._later = self._with_risk()
        if stage is not Stage.AUTHORIZE_TOOLS:
            return self._later
        found = self._later.later()
        for stated in of_tool(self._base.bundle, subject):
            if isinstance(stated.content, bool):
                truth = z3.BoolVal(stated.content)
                found.fixed(stated.name, Truth3(truth, z3.Not(truth), FALSE))
            elif isinstance(stated.content, str):
                found.replace(stated.name, _constant(stated.name, stated.content, found))
        return found

    def _with_risk(self) -> Reading:
        """The tier follows from the gate, or is unknown: which does not happen, and must not open anything."""
        reading = self._base.later()
        if "risk" not in reading.space.variables:
            return reading
        free = reading.variable("risk")
        gate = self.at(Stage.GATE_RISK)
        tiers = list(RiskTier)
        values = {}
        for value in free.values:
            tier = RiskTier(str(value))
            above = tiers[tier.rank + 1 :]
            exact = z3.And(gate.risk_at_least(tier), *(z3.Not(gate.risk_at_least(other)) for other in above[:1]))
            values[value] = z3.And(free.known, exact)
        reading.replace("risk", Variable(free.domain, free.known, values))
        return reading


def _constant(name: str, content: str, reading: Reading) -> Variable:
    domain = reading.space.domains.get(name) or Domain(name, FactKind.WORD, (content,))
    return Variable(domain, TRUE, {value: z3.BoolVal(value == content) for value in domain.values})
