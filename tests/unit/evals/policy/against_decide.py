"""Holds the logic of a bundle against what it really decides, for one drawn input after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

import z3

from handrail.evals.policy.claims import formula as claimed
from handrail.evals.policy.claims import holds
from handrail.evals.policy.compare import exclusive, tokens
from handrail.evals.policy.play import given, subjects
from handrail.evals.policy.space import Reading, Space, Truth3, Variable
from handrail.evals.policy.symbolic import NOTHING, Decisions, SymbolicDecision
from handrail.evals.policy.witness import Finder
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.claims import Claim
from handrail.guardrails.policy.combining import CHOSEN
from handrail.guardrails.policy.facts import SEGMENT_PREFIX, FactKind, Facts
from handrail.guardrails.policy.matcher import Matcher, in_segment
from handrail.guardrails.policy.policyset import NO_RULE, UNKNOWN_FACT
from handrail.guardrails.segments import assign
from handrail.guardrails.vocabulary import (
    Automation,
    Decision,
    Effect,
    FactContent,
    Obligation,
    Priority,
    RiskTier,
    Stage,
)

STAGES = (Stage.GATE_RISK, Stage.APPLY_POLICY, Stage.RETRIEVE, Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT)
MINUTES = (1, 4, 5, 29, 30, 59, 60, 61, 90, 120, 240)


CLAIMS = (
    Claim(effect=(Effect.ALLOW, Effect.NOT_YET)),
    Claim(effect=(Effect.ESCALATE,), risk_at_least=RiskTier.MEDIUM, automation_at_least=Automation.GUIDED),
    Claim(obligations=(Obligation.CONFIRM, Obligation.APPROVE), priority_at_least=Priority.NORMAL),
    Claim(reasons=("RISK_ASSESSED",), queue=("general", "none")),
    Claim(reasons=(NO_RULE,)),
    Claim(reasons=(UNKNOWN_FACT,), flow=("access_restore",)),
    Claim(queue=("nobody",)),
    Claim(flow=("none",), scope={"authority": ("community", "standard")}),
    Claim(scope={"authority": ("authoritative",), "plan": ("trial",)}),
)


class Assigned:
    """One input: a constant for every variable of a space."""

    def __init__(self, space: Space, random: Random) -> None:
        """Draw every fact from its domain, or as unknown, and the segments of the turn before."""
        self.space = space
        self._solver = z3.Solver()
        for held in space.variables.values():
            self._fix(held, _drawn(held, random))
        for name, earlier in space.earlier.items():
            inside = random.random() < 0.4
            self._say(earlier, holds=inside)
            young = False
            for (segment, _), younger in space.younger.items():
                if segment == name:
                    young = young or (inside and random.random() < 0.5)
                    self._say(younger, holds=young)
        self._solver.add(*space.constraints())
        assert self._solver.check() == z3.sat, "a drawn input breaks what is said to hold of every input"
        self.model = self._solver.model()
        self.witness = Finder(space).witness(self.model)

    def _fix(self, held: Variable, content: FactContent | None) -> None:
        self._say(held.known, holds=content is not None)
        inside = content if isinstance(content, tuple) else () if content is None else (content,)
        for value, one in held.values.items():
            self._say(one, holds=value in inside)

    def _say(self, variable: z3.BoolRef, *, holds: bool) -> None:
        self._solver.add(variable if holds else z3.Not(variable))

    def true(self, formula: z3.BoolRef) -> bool:
        """Whether a formula holds for this input."""
        found = self.model.eval(formula, model_completion=True)
        assert z3.is_true(found) or z3.is_false(found), found
        return bool(z3.is_true(found))

    def truths(self, truth: Truth3) -> tuple[bool, bool, bool]:
        """Whether a condition is true, false, or open so that it restricts."""
        return self.true(truth.true), self.true(truth.false), self.true(truth.restricts)


def _drawn(held: Variable, random: Random) -> FactContent | None:
    values = list(held.values)
    if random.random() < 0.2:
        return None
    if held.domain.kind is FactKind.SET:
        density = random.choice((0.1, 0.4, 0.8))
        return tuple(sorted(str(one) for one in values if random.random() < density))
    return random.choice(values) if values else None


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that a decision says: when, as logic, and whether one that was made says so."""

    name: str
    formula: z3.BoolRef
    said: Callable[[Decision], bool]


class Examined:
    """A bundle as logic, with everything that is asked of each of its decisions."""

    def __init__(self, bundle: Bundle, space: Space) -> None:
        """Write down what is asked."""
        self.bundle = bundle
        self.space = space
        decisions = Decisions(Reading(bundle, space))
        self._base = decisions.reading(Stage.GATE_RISK)
        asked = [(stage, subject) for stage in STAGES for subject in subjects(bundle, stage)]
        self._logic = [decisions.at(*about) for about in asked]
        self._probes = [list(_probes(logic)) for logic in self._logic]

    def mismatches(self, one: Assigned) -> Iterator[str]:
        """Where the logic says something else than `assign` and `decide` for an input, in words."""
        yield from self._of_segments(one)
        for logic, probes in zip(self._logic, self._probes, strict=True):
            about = f"{logic.stage} {logic.subject}"
            facts = one.witness.facts(self.bundle, logic.stage, logic.subject)
            made = self.bundle.policy.decide(logic.stage, facts, logic.subject)
            assert made == one.witness.decision(self.bundle, logic.stage, logic.subject)
            for probe in probes:
                if one.true(probe.formula) is not probe.said(made):
                    yield f"{about}: {probe.name} is said to be {one.true(probe.formula)}; {one.witness}"
            for said in logic.said:
                if one.truths(logic.reading.truth(said.rule.when)) != _truths(said.rule.when, facts):
                    yield f"{about}: the condition of {said.rule.id}; {one.witness}"

    def _of_segments(self, one: Assigned) -> Iterator[str]:
        raw = {name: content for name, content in one.witness.contents.items() if name != "risk"}
        facts = given(self.bundle, raw)
        held = assign(self.bundle.segments, facts, one.witness.earlier)
        used = {fact.name: fact for fact in held.facts}
        for segment in self.bundle.segments:
            fact = used[f"{SEGMENT_PREFIX}{segment.id}"]
            unknown = fact.content is None and fact.on_unknown == "restrict"
            real = (fact.content is True, fact.content is False, unknown)
            inside = one.true(self._base.members[segment.id])
            said = one.truths(self._base.truth(in_segment(segment.id)))
            if said != real or inside is not (segment.id in held.members):
                yield f"segment {segment.id}, which is {fact}; {one.witness}"


def _truths(matcher: Matcher, facts: Facts) -> tuple[bool, bool, bool]:
    truth = matcher.truth(facts)
    return truth is True, truth is False, not isinstance(truth, bool) and not facts.ignored(truth)


def _as_risky(tier: RiskTier, made: Decision) -> bool:
    return made.dimensions.risk >= tier


def _as_restricted(scope: Automation, made: Decision) -> bool:
    return made.dimensions.automation >= scope


def _as_urgent(priority: Priority, made: Decision) -> bool:
    return made.dimensions.priority >= priority


def _gives(reason: str, made: Decision) -> bool:
    return reason in made.reasons


def _names(rule: str, made: Decision) -> bool:
    return rule in made.rules


def _probes(logic: SymbolicDecision) -> Iterator[Probe]:
    yield from (Probe(f"obliges {one}", logic.obliges(one), partial(_obliges, one)) for one in Obligation)
    yield from (Probe(f"effect {one}", logic.effects[one], partial(_has_effect, one)) for one in Effect)
    for tier in RiskTier:
        yield Probe(f"risk {tier} or more", logic.risk_at_least(tier), partial(_as_risky, tier))
    for scope in Automation:
        formula = logic.automation_at_least(scope)
        yield Probe(f"automation {scope} or more", formula, partial(_as_restricted, scope))
    for one in Priority:
        formula = logic.priority_at_least(one)
        yield Probe(f"priority {one} or more", formula, partial(_as_urgent, one))
    for minutes in MINUTES:
        yield Probe(f"within {minutes} minutes", logic.answers_within(minutes), partial(_answers_within, minutes))
    for reason in ("TURN_ANSWER", "RESOLVED", NO_RULE, UNKNOWN_FACT):
        yield Probe(f"reason {reason}", logic.gives(reason), partial(_gives, reason))
    for name in CHOSEN:
        yield from (
            Probe(f"{name} {one} chosen", of, partial(_chosen, name, one)) for one, of in logic.chosen(name).items()
        )
    yield from _by_rule(logic)
    for claim in CLAIMS:
        yield Probe(f"claimed {claim}", claimed(claim, logic), partial(holds, claim))
    yield from _compared(logic)


def _by_rule(logic: SymbolicDecision) -> Iterator[Probe]:
    """Which rules determine a decision, and which each dimension of it."""
    for said in logic.said:
        rule = said.rule.id
        yield Probe(f"determined by {rule}", logic.determines(said), partial(_names, rule))
        for name, when in logic.ways(said).items():
            if name != "effect":
                yield Probe(f"{name} determined by {rule}", when, partial(_determined, name, rule))


def _determined(name: str, rule: str, made: Decision) -> bool:
    return rule in made.dimensions.determined_by.get(name, ())


def _compared(logic: SymbolicDecision) -> Iterator[Probe]:
    """What bundles are compared by: exactly one value of each dimension, and the words of the others."""
    for name, values in exclusive(logic).items():
        yield Probe(f"any {name}", z3.Or(list(values.values())), lambda _: True)
        for value, formula in values.items():
            yield Probe(f"{name} {value}", formula, partial(_is, name, value))
    for name, words in tokens(logic).items():
        yield Probe(f"only known {name}", z3.BoolVal(True), partial(_only, name, frozenset(words)))
        for word, formula in words.items():
            yield Probe(f"{name} {word}", formula, partial(_holds, name, word))


def _obliges(duty: Obligation, made: Decision) -> bool:
    return duty in made.obligations


def _has_effect(effect: Effect, made: Decision) -> bool:
    return made.effect is effect


def _answers_within(minutes: int, made: Decision) -> bool:
    due = made.dimensions.first_response_minutes
    return due is not None and due <= minutes


def _is(name: str, value: str, made: Decision) -> bool:
    if name == "effect":
        return made.effect.value == value
    held = getattr(made.dimensions, name)
    return str(NOTHING if held is None else held) == value


def _chosen(name: str, value: str, made: Decision) -> bool:
    """Where nobody chose, what stands there is the usual one."""
    held = getattr(made.dimensions, name) if name in made.dimensions.determined_by else NOTHING
    return str(held) == value


def _words_of(name: str, made: Decision) -> set[str]:
    if name == "scope":
        return {f"{family} {word}" for family, words in made.dimensions.scope.items() for word in words}
    of = made if name in {"obligations", "reasons"} else made.dimensions
    return {str(word) for word in getattr(of, name)}


def _holds(name: str, word: str, made: Decision) -> bool:
    return word in _words_of(name, made)


def _only(name: str, words: frozenset[str], made: Decision) -> bool:
    return _words_of(name, made) <= words
