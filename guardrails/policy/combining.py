"""How the dimensions of a decision combine (spec S2.3), one rule after the other, in any order."""

from __future__ import annotations

from dataclasses import dataclass, field

from handrail.guardrails.policy.rule import Choice, Rule
from handrail.guardrails.vocabulary import (
    Automation,
    Depth,
    Dimensions,
    Effect,
    Obligation,
    Priority,
    RiskTier,
    Tone,
)


@dataclass(slots=True)
class Combined:
    """What the applying rules have said so far, and which of them determined it.

    `applied` are all of them, `contributors` those that determine a dimension, by its name.
    """

    effect: Effect | None = None
    effect_rules: list[Rule] = field(default_factory=list)
    contributors: dict[str, list[Rule]] = field(default_factory=dict)
    permits: list[Rule] = field(default_factory=list)
    applied: list[Rule] = field(default_factory=list)
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

    def apply(self, rule: Rule) -> None:
        """Take in a rule whose condition is true."""
        if rule.permits is not None:
            self.permits.append(rule)
        self.restrict(rule)
        if rule.selects:
            self._select(rule)

    def restrict(self, rule: Rule) -> None:
        """Take in what a rule restricts."""
        self.applied.append(rule)
        if not rule.restricts:
            return
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
            self._credit("obligations", rule)

    def effect_over(self, default: Effect) -> Effect:
        """The effect, where `default` speaks for a stage that nothing permits."""
        base = Effect.ALLOW if self.permits else default
        return base if self.effect is None else max(base, self.effect)

    def determining(self, effect: Effect) -> list[Rule]:
        """The rules that determined `effect`; none when it is the stage's default."""
        return (self.effect_rules if self.effect is effect else []) or self.permits

    def credited(self) -> list[Rule]:
        """The rules that determined any other dimension."""
        return [rule for rules in self.contributors.values() for rule in rules]

    def dimensions(self) -> Dimensions:
        """The dimensions as a decision records them."""
        chosen = self.chosen
        determined = {
            name: tuple(sorted({rule.id for rule in rules})) if len(rules) > 1 else (rules[0].id,)
            for name, rules in sorted(self.contributors.items())
        }
        return Dimensions(
            queue=chosen["queue"].value if "queue" in chosen else None,
            skills=tuple(sorted(self.skills)),
            tags=tuple(sorted(self.tags)),
            priority=self.priority or Priority.NORMAL,
            first_response_minutes=self.first_response,
            automation=self.automation,
            risk=self.risk,
            scope={family: tuple(sorted(classes)) for family, classes in sorted(self.scope.items())},
            tone=Tone(chosen["tone"].value) if "tone" in chosen else Tone.PLAIN,
            depth=Depth(chosen["depth"].value) if "depth" in chosen else Depth.STANDARD,
            flow=chosen["flow"].value if "flow" in chosen else None,
            determined_by=determined,
        )

    def _credit(self, dimension: str, rule: Rule) -> None:
        self.contributors.setdefault(dimension, []).append(rule)

    def _strictest(self, dimension: str, held: object, asked: object, rule: Rule) -> None:
        if dimension not in self.contributors or asked > held:  # type: ignore[operator]  # same ordered scale
            self.contributors[dimension] = [rule]
        elif asked == held:
            self._credit(dimension, rule)

    def _select(self, rule: Rule) -> None:
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
            self._credit("first_response_minutes", rule)
        if wanted.skills:
            self.skills |= wanted.skills
            self._credit("skills", rule)
        if wanted.tags:
            self.tags |= wanted.tags
            self._credit("tags", rule)
        for family, classes in wanted.scope:
            self.scope.setdefault(family, set()).update(classes)
            self._credit(f"scope.{family}", rule)
        for name, choice in wanted.choices:
            best = self.chosen.get(name)
            if best is None or choice.precedence > best.precedence:
                self.chosen[name] = choice
                self.contributors[name] = [rule]
            elif choice == best:
                self._credit(name, rule)
