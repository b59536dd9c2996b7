"""The policy set: `decide` turns the facts of one stage into a decision, and names the rules that determined it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from handrail.guardrails.policy.facts import Facts
from handrail.guardrails.policy.matcher import applies_to_restriction
from handrail.guardrails.policy.rule import Choice, Rule
from handrail.guardrails.vocabulary import (
    Automation,
    Decision,
    Depth,
    Dimensions,
    Effect,
    FactUsed,
    Obligation,
    Priority,
    RiskTier,
    Stage,
    Tone,
)

TURN = "turn"
"""The subject of every stage but authorize_tools, whose subjects are tools."""

NO_RULE = "POLICY_NO_PERMIT"
UNKNOWN_FACT = "POLICY_UNKNOWN_FACT"

# INVARIANT: no stage defaults to allow. A turn that nothing permits goes to a person; a call or a text is refused.
DEFAULTS: dict[Stage, Effect] = {
    stage: Effect.REFUSE if stage in {Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT} else Effect.ESCALATE for stage in Stage
}


@dataclass(slots=True)
class _Gathering:
    """What the applying rules have said so far."""

    effect: Effect | None = None
    effect_rules: list[Rule] = field(default_factory=list)
    contributors: dict[str, list[Rule]] = field(default_factory=dict)
    permits: list[Rule] = field(default_factory=list)
    obligations: set[Obligation] = field(default_factory=set)
    automation: Automation = Automation.ANSWER
    risk: RiskTier = RiskTier.LOW
    priority: Priority | None = None
    first_response: int | None = None
    skills: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    scope: dict[str, set[str]] = field(default_factory=dict)
    chosen: dict[str, Choice] = field(default_factory=dict)
    doubtful: bool = False

    def credit(self, dimension: str, rule: Rule) -> None:
        self.contributors.setdefault(dimension, []).append(rule)

    def restrict(self, rule: Rule) -> None:
        asked = rule.restrictions
        if asked.effect is not None:
            if self.effect is None or asked.effect > self.effect:
                self.effect, self.effect_rules = asked.effect, [rule]
            elif asked.effect is self.effect:
                self.effect_rules.append(rule)
        if asked.automation is not None:
            self._strictest("automation", self.automation, asked.automation, rule)
            self.automation = max(self.automation, asked.automation)
        if asked.risk is not None:
            self._strictest("risk", self.risk, asked.risk, rule)
            self.risk = max(self.risk, asked.risk)
        if asked.obligations:
            self.obligations |= asked.obligations
            self.credit("obligations", rule)

    def _strictest(self, dimension: str, held: object, asked: object, rule: Rule) -> None:
        if dimension not in self.contributors or asked > held:  # type: ignore[operator]  # same ordered scale
            self.contributors[dimension] = [rule]
        elif asked == held:
            self.credit(dimension, rule)

    def select(self, rule: Rule) -> None:
        wanted = rule.selections
        if wanted.priority is not None:
            held = self.priority or Priority.LOW
            self._strictest("priority", held, wanted.priority, rule)
            self.priority = max(held, wanted.priority)
        minutes = wanted.first_response_minutes
        if minutes is not None and (self.first_response is None or minutes < self.first_response):
            self.first_response = minutes
            self.contributors["first_response_minutes"] = [rule]
        elif minutes is not None and minutes == self.first_response:
            self.credit("first_response_minutes", rule)
        for name, held_words, more in (("skills", self.skills, wanted.skills), ("tags", self.tags, wanted.tags)):
            if more:
                held_words.update(more)
                self.credit(name, rule)
        for family, classes in wanted.scope:
            self.scope.setdefault(family, set()).update(classes)
            self.credit(f"scope.{family}", rule)
        for name, choice in wanted.choices():
            best = self.chosen.get(name)
            if best is None or choice.precedence > best.precedence:
                self.chosen[name] = choice
                self.contributors[name] = [rule]
            elif choice == best:
                self.credit(name, rule)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The rules asked about one subject at one stage, those that permit, and the facts they may read, by name."""

    rules: tuple[Rule, ...]
    permits: tuple[Rule, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> _Asked:
        asked = tuple(rules)
        permits = tuple(rule for rule in asked if rule.permits is not None)
        return cls(asked, permits, tuple(sorted({name for rule in asked for name in rule.names()})))


class PolicySet:
    """All rules of a bundle, indexed by stage and subject. Immutable, free of I/O, safe to share."""

    def __init__(self, rules: Iterable[Rule], revision: str) -> None:
        """Index `rules`; their order never matters. `revision` is the content hash of the bundle."""
        self.revision = revision
        self.rules: tuple[Rule, ...] = tuple(sorted(rules, key=lambda rule: rule.id))
        self._general: dict[Stage, _Asked] = {}
        self._special: dict[tuple[Stage, str], _Asked] = {}
        for stage in Stage:
            here = [rule for rule in self.rules if rule.stage is stage]
            self._general[stage] = _Asked.of(rule for rule in here if rule.subjects is None)
            for subject in sorted({name for rule in here for name in rule.subjects or ()}):
                asked = (rule for rule in here if rule.subjects is None or subject in rule.subjects)
                self._special[stage, subject] = _Asked.of(asked)

    def decide(self, stage: Stage, facts: Facts, subject: str = TURN) -> Decision:
        """The decision about `subject` at `stage`.

        Permits and selections apply when true; restrictions apply unless false. Effects combine by maximum,
        obligations by union; without a permit the effect is the stage's default, which is never allow.
        """
        asked = self._asked(stage, subject)
        return self._decision(stage, subject, _gathered(asked, facts), facts.evidence(asked.names))

    def could_go_ahead(self, stage: Stage, facts: Facts, subject: str = TURN) -> bool:
        """Whether `decide` would allow, now or after a next step: for asking ahead, never for acting."""
        asked = self._asked(stage, subject)
        # INVARIANT: no stage defaults to allow or to not yet, so without a permit the other rules need not be asked.
        if not any(rule.when.truth(facts) is True for rule in asked.permits):
            return False
        return _effect(stage, _gathered(asked, facts)) in (Effect.ALLOW, Effect.NOT_YET)

    def _asked(self, stage: Stage, subject: str) -> _Asked:
        return self._special.get((stage, subject), self._general[stage])

    def _decision(self, stage: Stage, subject: str, said: _Gathering, facts: tuple[FactUsed, ...]) -> Decision:
        effect = _effect(stage, said)
        determining = said.effect_rules if said.effect is effect else []
        determining = determining or said.permits
        # The default speaks only where no rule says the same: an explicit reason explains more.
        reasons = [rule.reason for rule in determining] or [NO_RULE]
        credited = [rule for rules in said.contributors.values() for rule in rules]
        reasons += [rule.reason for rule in credited]
        if said.doubtful:
            reasons.append(UNKNOWN_FACT)
        return Decision(
            stage=stage,
            subject=subject,
            effect=effect,
            reasons=tuple(dict.fromkeys(reasons)),
            rules=tuple(dict.fromkeys(rule.id for rule in (*determining, *credited))),
            obligations=tuple(obligation for obligation in Obligation if obligation in said.obligations),
            dimensions=_dimensions(said),
            facts=facts,
            revision=self.revision,
        )


def _gathered(asked: _Asked, facts: Facts) -> _Gathering:
    """What the rules say of these facts."""
    said = _Gathering()
    for rule in asked.rules:
        truth = rule.when.truth(facts)
        if truth is True:
            if rule.permits is not None:
                said.permits.append(rule)
            said.restrict(rule)
            said.select(rule)
        elif truth is not False and applies_to_restriction(truth, facts) and _restricts(rule):
            said.doubtful = True
            said.restrict(rule)
    return said


def _effect(stage: Stage, said: _Gathering) -> Effect:
    base = Effect.ALLOW if said.permits else DEFAULTS[stage]
    return base if said.effect is None else max(base, said.effect)


def _restricts(rule: Rule) -> bool:
    asked = rule.restrictions
    return bool(asked.effect or asked.automation or asked.risk or asked.obligations)


def _dimensions(said: _Gathering) -> Dimensions:
    chosen = {name: choice.value for name, choice in said.chosen.items()}
    return Dimensions(
        queue=chosen.get("queue"),
        skills=tuple(sorted(said.skills)),
        tags=tuple(sorted(said.tags)),
        priority=said.priority or Priority.NORMAL,
        first_response_minutes=said.first_response,
        automation=said.automation,
        risk=said.risk,
        scope={family: tuple(sorted(classes)) for family, classes in sorted(said.scope.items())},
        tone=Tone(chosen.get("tone", Tone.PLAIN)),
        depth=Depth(chosen.get("depth", Depth.STANDARD)),
        flow=chosen.get("flow"),
        determined_by={
            name: tuple(sorted({rule.id for rule in rules})) for name, rules in sorted(said.contributors.items())
        },
    )
