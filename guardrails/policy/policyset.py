"""The policy set: `decide` turns the facts of one stage into a decision, and names the rules that determined it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from handrail.guardrails.policy.clause import Clauses, clause, held_by, places
from handrail.guardrails.policy.combining import Combined, Combiner, dimensions
from handrail.guardrails.policy.facts import Evidence, Facts
from handrail.guardrails.policy.index import Bits, index
from handrail.guardrails.policy.reading import Columns, Leaf
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import (
    Decision,
    Dimensions,
    Effect,
    Obligation,
    RiskTier,
    Shadow,
    Stage,
)

TURN = "turn"
"""The subject of every stage but authorize_tools, whose subjects are tools."""

NO_RULE = "POLICY_NO_PERMIT"
UNKNOWN_FACT = "POLICY_UNKNOWN_FACT"

# INVARIANT: no stage defaults to allow. A turn that nothing permits goes to a person; a call or a text is refused.
DEFAULTS: dict[Stage, Effect] = {
    stage: Effect.REFUSE if stage in {Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT} else Effect.ESCALATE for stage in Stage
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """What rules come to for some facts, without the record of the facts: the pure part of a decision."""

    effect: Effect
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    combined: Combined
    asked: Asked

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What must accompany or precede, in the order of the vocabulary."""
        return self.combined.obligations

    @property
    def risk(self) -> RiskTier:
        """The risk tier."""
        return self.combined.risk

    def dimensions(self) -> Dimensions:
        """The other dimensions, with the rules that determined them."""
        return dimensions(self.combined, self.asked.ids)

    def applied(self) -> tuple[Rule, ...]:
        """Every rule that applied, determining or not, by id."""
        return tuple(held_by(self.asked.rules, self.combined.applied))


class Asked:
    """The rules asked about one subject at one stage, indexed, and the facts they may read."""

    def __init__(self, stage: Stage, rules: Iterable[Rule]) -> None:
        """Lay out `rules`, which are in the order of their ids."""
        self.stage = stage
        self.rules = tuple(rules)
        self.evidence = Evidence(sorted({name for rule in self.rules for name in rule.names()}))
        leaves: dict[Leaf, int] = {}

        def bit(leaf: Leaf) -> Bits:
            return 1 << leaves.setdefault(leaf, len(leaves))

        self._clauses = Clauses([clause(rule.when, bit) for rule in self.rules])
        self._columns = Columns(tuple(leaves), index([rule.when for rule in self.rules]))
        self._combiner = Combiner(self.rules)
        self._ids = tuple(rule.id for rule in self.rules)
        self._reasons = tuple(rule.reason for rule in self.rules)
        self._alone = {1 << place: (name,) for place, name in enumerate(self._ids)}

    def ids(self, bits: Bits) -> tuple[str, ...]:
        """The ids of the rules of `bits`, in order."""
        return self._alone.get(bits) or tuple(held_by(self._ids, bits))

    def resolve(self, facts: Facts) -> Resolution:
        """What the rules come to."""
        found = self._clauses.ask(self._columns.read(facts))
        doubtful = found.doubtful & self._combiner.restricting
        said = self._combiner.combine(found.true, found.true | doubtful)
        effect = said.effect_over(DEFAULTS[self.stage])
        determining = said.determining(effect)
        credited = 0
        for bits in said.determined.values():
            credited |= bits
        credited &= ~determining
        # The default speaks only where no rule says the same: an explicit reason explains more.
        order = places(determining) + places(credited)
        reasons = {} if determining else {NO_RULE: None}
        reasons.update(dict.fromkeys([self._reasons[place] for place in order]))
        if doubtful:
            reasons[UNKNOWN_FACT] = None
        ids = self._ids
        return Resolution(effect, tuple(reasons), tuple([ids[place] for place in order]), said, self)

    def permits(self, facts: Facts) -> bool:
        """Whether some rule permits."""
        found = self._clauses.ask(self._columns.read(facts))
        return bool(found.true & self._combiner.permits)


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
            dimensions=found.dimensions(),
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
        tried = tuple(rule.id for rule in found.applied() if rule.id in self._trial)
        if not tried:
            return None
        return Shadow(
            rules=tried,
            effect=found.effect,
            reasons=found.reasons,
            obligations=found.obligations,
            dimensions=found.dimensions(),
        )

    def asked(self, stage: Stage, subject: str = TURN) -> tuple[Rule, ...]:
        """The rules asked about `subject` at `stage`, by id."""
        return self._enforced.asked(stage, subject).rules

    def could_go_ahead(self, stage: Stage, facts: Facts, subject: str = TURN) -> bool:
        """Whether `decide` would allow, now or after a next step: for asking ahead, never for acting."""
        asked = self._enforced.asked(stage, subject)
        # INVARIANT: no stage defaults to allow or to not yet, so without a permit the other rules need not be asked.
        return asked.permits(facts) and asked.resolve(facts).effect in (Effect.ALLOW, Effect.NOT_YET)


class _Indexed:
    """Rules by stage and subject."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        held = tuple(rules)
        self._general: dict[Stage, Asked] = {}
        self._special: dict[tuple[Stage, str], Asked] = {}
        for stage in Stage:
            here = [rule for rule in held if rule.stage is stage]
            self._general[stage] = Asked(stage, (rule for rule in here if rule.subjects is None))
            for subject in sorted({name for rule in here for name in rule.subjects or ()}):
                self._special[stage, subject] = Asked(stage, (rule for rule in here if rule.asked_about(subject)))

    def asked(self, stage: Stage, subject: str) -> Asked:
        return self._special.get((stage, subject)) or self._general[stage]
