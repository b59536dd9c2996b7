"""The policy set: `decide` turns the facts of one stage into a decision, and names the rules that determined it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handrail.guardrails.policy.combining import Combined
from handrail.guardrails.policy.facts import Evidence, Facts
from handrail.guardrails.policy.index import Index
from handrail.guardrails.policy.matcher import Truth, applies_to_restriction
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import Decision, Effect, Obligation, Shadow, Stage

TURN = "turn"
"""The subject of every stage but authorize_tools, whose subjects are tools."""

NO_RULE = "POLICY_NO_PERMIT"
UNKNOWN_FACT = "POLICY_UNKNOWN_FACT"

# INVARIANT: no stage defaults to allow. A turn that nothing permits goes to a person; a call or a text is refused.
DEFAULTS: dict[Stage, Effect] = {
    stage: Effect.REFUSE if stage in {Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT} else Effect.ESCALATE for stage in Stage
}

_POSITIONS = {duty: position for position, duty in enumerate(Obligation)}


@dataclass(frozen=True, slots=True)
class Resolution:
    """What rules come to for some facts, without the record of the facts: the pure part of a decision."""

    effect: Effect
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    combined: Combined

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What must accompany or precede, in the order of the vocabulary."""
        return tuple(sorted(self.combined.obligations, key=_POSITIONS.__getitem__))


class _Asked:
    """The rules asked about one subject at one stage, indexed, and the facts they may read."""

    def __init__(self, stage: Stage, rules: Iterable[Rule]) -> None:
        self.stage = stage
        self.rules = tuple(rules)
        self.index = Index([rule.when for rule in self.rules])
        self.evidence = Evidence(sorted({name for rule in self.rules for name in rule.names()}))

    def holding(self, facts: Facts) -> Iterator[tuple[Rule, Truth]]:
        """The rules whose condition is not false, in the order of their ids."""
        rules = self.rules
        for position in self.index.picked(facts):
            rule = rules[position]
            truth = rule.when.truth(facts)
            if truth is not False:
                yield rule, truth

    def resolve(self, facts: Facts) -> Resolution:
        """What the rules come to."""
        said = Combined()
        for rule, truth in self.holding(facts):
            if truth is True:
                said.apply(rule)
            elif rule.restricts and applies_to_restriction(truth, facts):
                said.doubtful = True
                said.restrict(rule)
        effect = said.effect_over(DEFAULTS[self.stage])
        determining = said.determining(effect)
        # The default speaks only where no rule says the same: an explicit reason explains more.
        reasons = [rule.reason for rule in determining] or [NO_RULE]
        credited = said.credited()
        reasons += [rule.reason for rule in credited]
        if said.doubtful:
            reasons.append(UNKNOWN_FACT)
        rules = (rule.id for rule in (*determining, *credited))
        return Resolution(effect, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(rules)), said)


class PolicySet:
    """All rules of a bundle, indexed by stage, subject and content. Immutable, free of I/O, safe to share."""

    def __init__(self, rules: Iterable[Rule], revision: str, shadows: Iterable[Rule] = ()) -> None:
        """Index `rules`; their order never matters. `revision` is the content hash of the bundle.

        `shadows` are evaluated and recorded beside the decision, never enforced (S11.2).
        """
        self.revision = revision
        self.rules: tuple[Rule, ...] = tuple(sorted(rules, key=lambda rule: rule.id))
        self.shadows: tuple[Rule, ...] = tuple(sorted(shadows, key=lambda rule: rule.id))
        self._enforced = _Indexed(self.rules)
        self._tried = _Indexed(sorted((*self.rules, *self.shadows), key=lambda rule: rule.id))
        self._trial = frozenset(rule.id for rule in self.shadows)
        self._stages_tried = frozenset(rule.stage for rule in self.shadows)

    def decide(self, stage: Stage, facts: Facts, subject: str = TURN) -> Decision:
        """The decision about `subject` at `stage`.

        Permits and selections apply when true; restrictions apply unless false. Effects combine by maximum,
        obligations by union; without a permit the effect is the stage's default, which is never allow.
        """
        asked = self._enforced.asked(stage, subject)
        found = asked.resolve(facts)
        shadow, evidence = None, asked.evidence
        if stage in self._stages_tried:
            # The record holds what the shadow rules read too, so that it can be replayed with them.
            evidence = self._tried.asked(stage, subject).evidence
            shadow = self.shadow(stage, facts, subject)
        return Decision(
            stage=stage,
            subject=subject,
            effect=found.effect,
            reasons=found.reasons,
            rules=found.rules,
            obligations=found.obligations,
            dimensions=found.combined.dimensions(),
            facts=evidence.of(facts),
            revision=self.revision,
            shadow=shadow,
        )

    def resolve(self, stage: Stage, facts: Facts, subject: str = TURN) -> Resolution:
        """What `decide` comes to, without recording the facts: for analysis and replay."""
        return self._enforced.asked(stage, subject).resolve(facts)

    def shadow(self, stage: Stage, facts: Facts, subject: str = TURN) -> Shadow | None:
        """What would be decided if the shadow rules were enforced; None when none of them applies."""
        found = self._tried.asked(stage, subject).resolve(facts)
        tried = tuple(rule.id for rule in found.combined.applied if rule.id in self._trial)
        if not tried:
            return None
        return Shadow(
            rules=tried,
            effect=found.effect,
            reasons=found.reasons,
            obligations=found.obligations,
            dimensions=found.combined.dimensions(),
        )

    def asked(self, stage: Stage, subject: str = TURN) -> tuple[Rule, ...]:
        """The rules asked about `subject` at `stage`, by id."""
        return self._enforced.asked(stage, subject).rules

    def could_go_ahead(self, stage: Stage, facts: Facts, subject: str = TURN) -> bool:
        """Whether `decide` would allow, now or after a next step: for asking ahead, never for acting."""
        asked = self._enforced.asked(stage, subject)
        # INVARIANT: no stage defaults to allow or to not yet, so without a permit the other rules need not be asked.
        if not any(rule.permits is not None and truth is True for rule, truth in asked.holding(facts)):
            return False
        return asked.resolve(facts).effect in (Effect.ALLOW, Effect.NOT_YET)


class _Indexed:
    """Rules by stage and subject."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        held = tuple(rules)
        self._general: dict[Stage, _Asked] = {}
        self._special: dict[tuple[Stage, str], _Asked] = {}
        for stage in Stage:
            here = [rule for rule in held if rule.stage is stage]
            self._general[stage] = _Asked(stage, (rule for rule in here if rule.subjects is None))
            for subject in sorted({name for rule in here for name in rule.subjects or ()}):
                self._special[stage, subject] = _Asked(stage, (rule for rule in here if rule.asked_about(subject)))

    def asked(self, stage: Stage, subject: str) -> _Asked:
        return self._special.get((stage, subject)) or self._general[stage]
