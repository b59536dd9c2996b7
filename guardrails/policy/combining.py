"""How the dimensions of a decision combine (spec S2.3): for each the rules that could set it, the strictest first.

Which rules hold is a whole number with a bit for each of them, so the strictest of any number of rules is found in a
few operations, and the order of rules cannot matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from handrail.guardrails.policy.index import Bits
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import Automation, Depth, Dimensions, Effect, Obligation, Priority, RiskTier, Tone

ValueT = TypeVar("ValueT")
HeldT_co = TypeVar("HeldT_co", covariant=True)
CHOSEN = ("queue", "tone", "depth", "flow")
ADDING = ("skills", "tags", "commitments")
"""Dimensions that hold words and combine by union."""


@dataclass(frozen=True, slots=True)
class Level(Generic[HeldT_co]):
    """One value of a dimension, and the rules that say it."""

    value: HeldT_co
    rules: Bits


@dataclass(slots=True)
class Combined:
    """What the rules that apply come to. `applied` are all of them, `determined` those that determine a dimension."""

    effect: Effect | None
    effect_rules: Bits
    permits: Bits
    applied: Bits
    obligations: tuple[Obligation, ...]
    automation: Automation
    risk: RiskTier
    priority: Priority
    first_response: int | None
    chosen: dict[str, str]
    skills: tuple[str, ...]
    tags: tuple[str, ...]
    commitments: tuple[str, ...]
    scope: dict[str, tuple[str, ...]]
    determined: dict[str, Bits]

    def effect_over(self, default: Effect) -> Effect:
        """The effect, where `default` speaks for a stage that nothing permits."""
        base = Effect.ALLOW if self.permits else default
        return base if self.effect is None else max(base, self.effect)

    def determining(self, effect: Effect) -> Bits:
        """The rules that determined `effect`; none when it is the stage's default."""
        return (self.effect_rules if self.effect is effect else 0) or self.permits


class Combiner:
    """Combines the rules of one stage and subject, by the place that each has among them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Sort what the rules say, by dimension and strictness."""
        places = list(enumerate(rules))

        def falling(of: Callable[[Rule], ValueT | None], key: Callable[[ValueT], int]) -> tuple[Level[ValueT], ...]:
            return _levels(places, of, lambda value: -key(value))

        self.permits = _bits(place for place, rule in places if rule.permits is not None)
        self.restricting = _bits(place for place, rule in places if rule.restricts)
        self._effects = falling(lambda rule: rule.restrictions.effect, lambda one: one.rank)
        self._risks = falling(lambda rule: rule.restrictions.risk, lambda one: one.rank)
        self._automations = falling(lambda rule: rule.restrictions.automation, lambda one: one.rank)
        self._priorities = falling(lambda rule: rule.selections.priority, lambda one: one.rank)
        self._minutes = _levels(places, lambda rule: rule.selections.first_response_minutes, lambda one: one)
        self._duties = tuple(
            Level(duty, _bits(place for place, rule in places if duty in rule.restrictions.obligations))
            for duty in Obligation
            if any(duty in rule.restrictions.obligations for rule in rules)
        )
        self._choices = {
            name: falling(lambda rule, name=name: dict(rule.selections.choices).get(name), lambda one: one.precedence)  # type: ignore[misc]
            for name in CHOSEN
        }
        self._skills = _words(places, lambda rule: rule.selections.skills)
        self._tags = _words(places, lambda rule: rule.selections.tags)
        self._commitments = _words(places, lambda rule: rule.selections.commitments)
        families = sorted({family for rule in rules for family, _ in rule.selections.scope})
        self._scope = {
            family: _words(places, lambda rule, family=family: dict(rule.selections.scope).get(family, ()))  # type: ignore[misc]
            for family in families
        }
        self._any_duty, self._any_skill, self._any_tag, self._any_commitment = (
            _all(some) for some in (self._duties, self._skills, self._tags, self._commitments)
        )
        self._any_scope = {family: _all(levels) for family, levels in self._scope.items()}

    def combine(self, true: Bits, applied: Bits) -> Combined:
        """Combine the rules that are `true` and, as restrictions, `applied`; both by their places."""
        determined: dict[str, Bits] = {}
        restricting = applied & self.restricting
        effect, effect_rules = _first(self._effects, restricting)
        risk = self._strictest("risk", self._risks, restricting, determined)
        automation = self._strictest("automation", self._automations, restricting, determined)
        priority = self._strictest("priority", self._priorities, true, determined)
        minutes = self._strictest("first_response_minutes", self._minutes, true, determined)
        chosen: dict[str, str] = {}
        for name, levels in self._choices.items():
            choice = self._strictest(name, levels, true, determined)
            if choice is not None:
                chosen[name] = choice.value
        duties = restricting & self._any_duty
        if duties:
            determined["obligations"] = duties
        scope: dict[str, tuple[str, ...]] = {}
        for family, any_of in self._any_scope.items():
            granting = true & any_of
            if granting:
                determined[f"scope.{family}"] = granting
                scope[family] = _held(self._scope[family], granting)
        return Combined(
            effect=effect,
            effect_rules=effect_rules,
            permits=true & self.permits,
            applied=true | applied,
            obligations=_held(self._duties, duties),
            automation=automation or Automation.ANSWER,
            risk=risk or RiskTier.LOW,
            priority=priority or Priority.NORMAL,
            first_response=minutes,
            chosen=chosen,
            skills=self._union("skills", self._skills, true & self._any_skill, determined),
            tags=self._union("tags", self._tags, true & self._any_tag, determined),
            commitments=self._union("commitments", self._commitments, true & self._any_commitment, determined),
            scope=scope,
            determined=determined,
        )

    @staticmethod
    def _strictest(
        name: str, levels: tuple[Level[ValueT], ...], holding: Bits, determined: dict[str, Bits]
    ) -> ValueT | None:
        value, rules = _first(levels, holding)
        if rules:
            determined[name] = rules
        return value

    @staticmethod
    def _union(
        name: str, levels: tuple[Level[ValueT], ...], holding: Bits, determined: dict[str, Bits]
    ) -> tuple[ValueT, ...]:
        if not holding:
            return ()
        determined[name] = holding
        return _held(levels, holding)


def dimensions(said: Combined, ids: Callable[[Bits], tuple[str, ...]]) -> Dimensions:
    """The dimensions as a decision records them; `ids` names rules by their bits."""
    chosen = said.chosen
    return Dimensions(
        queue=chosen.get("queue"),
        skills=said.skills,
        tags=said.tags,
        commitments=said.commitments,
        priority=said.priority,
        first_response_minutes=said.first_response,
        automation=said.automation,
        risk=said.risk,
        scope=said.scope,
        tone=Tone(chosen["tone"]) if "tone" in chosen else Tone.PLAIN,
        depth=Depth(chosen["depth"]) if "depth" in chosen else Depth.STANDARD,
        flow=chosen.get("flow"),
        determined_by={name: ids(rules) for name, rules in sorted(said.determined.items())},
    )


def _first(levels: tuple[Level[ValueT], ...], holding: Bits) -> tuple[ValueT | None, Bits]:
    for level in levels:
        rules = level.rules & holding
        if rules:
            return level.value, rules
    return None, 0


def _held(levels: tuple[Level[ValueT], ...], holding: Bits) -> tuple[ValueT, ...]:
    return tuple([level.value for level in levels if level.rules & holding])


def _levels(
    places: list[tuple[int, Rule]], of: Callable[[Rule], ValueT | None], key: Callable[[ValueT], int]
) -> tuple[Level[ValueT], ...]:
    """The values that rules give a dimension, in the order of `key`."""
    found: dict[ValueT, Bits] = defaultdict(int)
    for place, rule in places:
        value = of(rule)
        if value is not None:
            found[value] |= 1 << place
    return tuple(Level(value, found[value]) for value in sorted(found, key=key))


def _words(places: list[tuple[int, Rule]], of: Callable[[Rule], Iterable[str]]) -> tuple[Level[str], ...]:
    found: dict[str, Bits] = defaultdict(int)
    for place, rule in places:
        for word in of(rule):
            found[word] |= 1 << place
    return tuple(Level(word, found[word]) for word in sorted(found))


def _all(levels: Iterable[Level[ValueT]]) -> Bits:
    found = 0
    for level in levels:
        found |= level.rules
    return found


def _bits(places: Iterable[int]) -> Bits:
    found = 0
    for place in places:
        found |= 1 << place
    return found
