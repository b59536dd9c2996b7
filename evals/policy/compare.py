"""What differs between the decisions of two bundles, over the whole space of inputs: every value of every dimension."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import z3

from handrail.evals.policy.play import subjects
from handrail.evals.policy.space import FALSE, Reading, Space
from handrail.evals.policy.symbolic import NOTHING, Decisions, SymbolicDecision
from handrail.evals.policy.witness import Finder, Witness
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.policy.combining import ADDING
from handrail.guardrails.vocabulary import Automation, Dimensions, Obligation, Priority, RiskTier, Stage

Values = Mapping[str, z3.BoolRef]
"""When a dimension has each of its values; exactly one holds."""

Tokens = Mapping[str, z3.BoolRef]
"""When each word is among those of a dimension."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two bundles, encoded over the space that they share."""

    bundle: Bundle
    reading: Reading
    decisions: Decisions


class Pair:
    """Two bundles over one space of inputs."""

    def __init__(self, before: Bundle, after: Bundle, *, plausible: bool = True) -> None:
        """Encode the inputs of both; `plausible` leaves out what detection cannot give."""
        self.space = Space([before, after])
        self.before, self.after = (self._side(bundle) for bundle in (before, after))
        self.finder = Finder(self.space, plausible=plausible)

    def _side(self, bundle: Bundle) -> Side:
        reading = Reading(bundle, self.space)
        return Side(bundle, reading, Decisions(reading))

    def subjects(self, stage: Stage) -> tuple[str, ...]:
        """What either bundle decides on at `stage`."""
        return tuple(sorted({*subjects(self.before.bundle, stage), *subjects(self.after.bundle, stage)}))

    def decisions(self, stage: Stage, subject: str) -> tuple[SymbolicDecision | None, SymbolicDecision | None]:
        """Both decisions about `subject`; None where a bundle has no such tool."""
        sides = (self.before, self.after)
        first, second = (
            one.decisions.at(stage, subject) if self._knows(one, stage, subject) else None for one in sides
        )
        return first, second

    @staticmethod
    def _knows(side: Side, stage: Stage, subject: str) -> bool:
        return stage is not Stage.AUTHORIZE_TOOLS or subject in side.bundle.tools

    def differs_anywhere(self) -> Witness | None:
        """An input that the two decide differently in anything at all, membership and reasons too; None without one."""
        for stage in DECIDING_STAGES:
            for subject in self.subjects(stage):
                one, other = self.decisions(stage, subject)
                if one is None or other is None:
                    return Witness()
                difference = z3.Or([formula for _, formula in differences(one, other)])
                if self.finder.possible(difference):
                    model = self.finder.smallest(difference)
                    return None if model is None else self.finder.witness(model)
        members = z3.Or([z3.Xor(one, other) for one, other in self._members()])
        model = self.finder.smallest(members)
        return None if model is None else self.finder.witness(model)

    def _members(self) -> Iterator[tuple[z3.BoolRef, z3.BoolRef]]:
        first, second = self.before.reading.members, self.after.reading.members
        for name in sorted({*first, *second}):
            yield first.get(name, FALSE), second.get(name, FALSE)


def exclusive(decision: SymbolicDecision) -> dict[str, Values]:
    """The dimensions of which a decision has one value each."""
    return {
        "effect": {effect.value: formula for effect, formula in decision.effects.items()},
        "risk": _scale(RiskTier, decision.risk_at_least),
        "automation": _scale(Automation, decision.automation_at_least),
        "priority": _scale(Priority, decision.priority_at_least),
        **{name: decision.chosen(name) for name in ("queue", "flow")},
        **{name: _over_default(decision.chosen(name), default) for name, default in _DEFAULTS.items()},
        "first_response_minutes": _minutes(decision),
    }


_DEFAULTS: Mapping[str, str] = {"tone": Dimensions().tone.value, "depth": Dimensions().depth.value}


def _over_default(chosen: Values, default: str) -> Values:
    """Values of which one stands for nothing being chosen."""
    either = z3.Or(chosen[NOTHING], chosen.get(default, FALSE))
    return {**{value: when for value, when in chosen.items() if value != NOTHING}, default: either}


def tokens(decision: SymbolicDecision) -> dict[str, Tokens]:
    """The dimensions that hold any number of words."""
    scope = sorted(
        {(family, name) for one in decision.said for family, names in one.rule.selections.scope for name in names}
    )
    words = {
        kind: sorted({word for one in decision.said for word in getattr(one.rule.selections, kind)}) for kind in ADDING
    }
    return {
        "obligations": {duty.value: decision.obliges(duty) for duty in Obligation},
        "scope": {f"{family} {name}": decision.grants(family, name) for family, name in scope},
        **{kind: {word: decision.names(kind, word) for word in found} for kind, found in words.items()},
        "reasons": {reason: decision.gives(reason) for reason in decision.reasons},
    }


def differences(one: SymbolicDecision, other: SymbolicDecision) -> Iterator[tuple[str, z3.BoolRef]]:
    """(dimension, when it differs) for all of them."""
    for kind in (exclusive, tokens):
        first, second = kind(one), kind(other)
        for name, values in first.items():
            held, then = values, second[name]
            pairs = [(held.get(word, FALSE), then.get(word, FALSE)) for word in {*held, *then}]
            yield name, z3.Or([z3.Xor(before, after) for before, after in pairs])


def _scale(scale: type[RiskTier] | type[Automation] | type[Priority], reached: Callable[..., z3.BoolRef]) -> Values:
    members: list[RiskTier | Automation | Priority] = list(scale)
    found: dict[str, z3.BoolRef] = {}
    for member in members:
        above = [reached(other) for other in members[member.rank + 1 : member.rank + 2]]
        found[member.value] = z3.And(reached(member), *(z3.Not(one) for one in above))
    return found


def _minutes(decision: SymbolicDecision) -> Values:
    asked = {minutes for one in decision.said if (minutes := one.rule.selections.first_response_minutes) is not None}
    found: dict[str, z3.BoolRef] = {}
    sooner: z3.BoolRef = FALSE
    for minutes in sorted(asked):
        within = decision.answers_within(minutes)
        found[str(minutes)] = z3.And(within, z3.Not(sooner))
        sooner = within
    found["none"] = z3.Not(sooner)
    return found
