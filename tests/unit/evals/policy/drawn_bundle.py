"""Small bundles drawn at random: every kind of condition, segment, rule and holdout, in strange company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from pydantic import JsonValue

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import Attribute, Family, Purpose
from handrail.guardrails.policy.condition import ConditionReader
from handrail.guardrails.policy.facts import ANY_NUMBER, COUNT, FactKind, FactSpec, OnUnknown, Range
from handrail.guardrails.policy.matcher import AtLeast, Matcher, outside_holdout
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.policy.rule import Choice, Restrictions, Rule, Selections
from handrail.guardrails.segments import Segment
from handrail.guardrails.vocabulary import Automation, Effect, Obligation, Priority, RiskTier, Stage
from handrail.guardrails.yamlsource import Document, Problem

STAGES = (Stage.GATE_RISK, Stage.APPLY_POLICY, Stage.RETRIEVE, Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT)
COLOURS = ("red", "green", "blue", "grey")
CODES = tuple(f"code_{number:02d}" for number in range(15))
REASONS = ("TURN_ANSWER", "RISK_ASSESSED", "RISK_FRAUD", "OUTPUT_CLEAN", "POLICY_NO_PERMIT", "POLICY_UNKNOWN_FACT")

_DECLARED: tuple[tuple[str, FactKind, tuple[str, ...] | None, OnUnknown], ...] = (
    ("colour", FactKind.WORD, COLOURS, OnUnknown.IGNORE),
    ("shade", FactKind.WORD, None, OnUnknown.RESTRICT),
    ("size", FactKind.NUMBER, None, OnUnknown.IGNORE),
    ("weight", FactKind.NUMBER, None, OnUnknown.RESTRICT),
    ("bright", FactKind.BOOLEAN, None, OnUnknown.IGNORE),
    ("codes", FactKind.SET, CODES, OnUnknown.IGNORE),
    ("parts", FactKind.SET, ("bolt", "nut", "spring"), OnUnknown.RESTRICT),
)
_BUILT_IN = ("need_state", "need_states", "signals", "unresolved_turns", "in_flow", "identity")
_LATER = ("risk",)
_OF_CALLS = ("call_confirmed", "tool_access", "tool_sensitivity", "tool_reversible", "call_edit")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "shade": ("dark", "pale", "another"),
    "signals": ("RISK_FRAUD", "HUMAN_REQUESTED", "FRUSTRATION"),
}


def drawn(shipped: Bundle, random: Random) -> Bundle:
    """`shipped` with attributes, segments, rules and holdouts of its own in place of all of its policy."""
    attributes = {name: _attribute(name, kind, values, how) for name, kind, values, how in _DECLARED}
    facts = {name: spec for name, spec in shipped.facts.items() if name not in shipped.attributes}
    for name, kind, values, how in _DECLARED:
        closed = None if values is None else frozenset(values)
        facts[name] = FactSpec(name, kind, name, values=closed, on_unknown=how, range=_range(name))
    words = tuple(f"segment_{number}" for number in range(random.randint(0, 3)))
    writer = _Writer(random, facts, words)
    segments = tuple(
        Segment(
            name,
            "TURN_ANSWER",
            writer.condition(Stage.ASSIGN_SEGMENTS),
            writer.condition(Stage.ASSIGN_SEGMENTS),
            random.choice((0, 0, 30, 60)),
        )
        for name in words
    )
    tools = sorted(random.sample(sorted(shipped.tools), 3))
    rules = [writer.rule(stage, number, tools) for stage in STAGES for number in range(random.randint(1, 4))]
    return replace(
        shipped,
        attributes=attributes,
        windows=(),
        holdouts=(),
        invariants=(),
        facts=facts,
        segments=segments,
        policy=PolicySet(rules, "drawn"),
        tools={name: shipped.tools[name] for name in tools},
    )


def _range(name: str) -> Range:
    return {"size": COUNT, "weight": ANY_NUMBER}.get(name, ANY_NUMBER)


def _attribute(name: str, kind: FactKind, values: tuple[str, ...] | None, how: OnUnknown) -> Attribute:
    return Attribute(
        name=name,
        meaning=name,
        kind=kind,
        values=values,
        family=Family.BEHAVIOURAL,
        source="product",
        purposes=(Purpose.QUEUE,),
        max_age_days=3,
        inferred=False,
        on_unknown=how,
    )


@dataclass(slots=True)
class _Writer:
    """Writes conditions as YAML content, so that they are read as those of a file are, and rules around them."""

    random: Random
    facts: Mapping[str, FactSpec]
    segments: tuple[str, ...]

    def condition(self, stage: Stage) -> Matcher:
        problems: list[Problem] = []
        reader = ConditionReader(Document("drawn", None, {}), self.facts, frozenset(self.segments), problems)
        found = reader.read(self._content(stage, depth=0), (), stage)
        assert not problems, problems
        return found

    def _content(self, stage: Stage, depth: int) -> dict[str, JsonValue]:
        random = self.random
        form = random.random() if depth < 3 else 1.0
        if form < 0.12:
            return {"not": self._content(stage, depth + 1)}
        if form < 0.42:
            parts: list[JsonValue] = [self._content(stage, depth + 1) for _ in range(random.randint(1, 3))]
            if form < 0.22:
                return {"at_least": {"count": random.randint(1, len(parts)), "of": parts}}
            return {"all" if form < 0.32 else "any": parts}
        if self.segments and stage is not Stage.ASSIGN_SEGMENTS and random.random() < 0.3:
            return {"segment": random.choice(self.segments)}
        return self._leaf(stage)

    def _leaf(self, stage: Stage) -> dict[str, JsonValue]:
        names = [*(one[0] for one in _DECLARED), *_BUILT_IN]
        names += [name for name in (*_LATER, *_OF_CALLS) if self.facts[name].exists_at(stage)] * 2
        name = self.random.choice(names)
        if self.random.random() < 0.1:
            return {name: {"known": self.random.random() < 0.5}}
        return {name: self._asked(self.facts[name])}

    def _asked(self, spec: FactSpec) -> JsonValue:
        random = self.random
        words = list(_WORDS.get(spec.name, sorted(spec.values or ())))
        some: list[JsonValue] = [*random.sample(words, min(len(words), random.randint(1, 2)))]
        match spec.kind:
            case FactKind.BOOLEAN:
                return random.random() < 0.5
            case FactKind.NUMBER:
                bound = random.choice((-1, 0, 1, 1.5, 2, 2.5, 7))
                return {random.choice(("at_least", "at_most", "above", "below")): bound}
            case FactKind.WORD:
                return random.choice(words) if random.random() < 0.5 else {"in": some}
            case FactKind.SET:
                operator = random.choice(("has", "has_any", "has_all", "has_all"))
                return {operator: random.choice(words) if operator == "has" else some}

    def rule(self, stage: Stage, number: int, tools: list[str]) -> Rule:
        random = self.random
        when = self.condition(stage)
        if random.random() < 0.3:
            when = AtLeast(2, (when, outside_holdout(random.choice(("one", "other")))))
        permits = Effect.ALLOW if random.random() < 0.35 else None
        of_tools = stage is Stage.AUTHORIZE_TOOLS and random.random() < 0.5
        return Rule(
            id=f"{stage.value}.{number}",
            stage=stage,
            reason=random.choice(REASONS),
            when=when,
            where="drawn:1",
            subjects=frozenset(random.sample(tools, random.randint(1, 2))) if of_tools else None,
            permits=permits,
            restrictions=self._restrictions(permits),
            selections=self._selections(),
        )

    def _restrictions(self, permits: Effect | None) -> Restrictions:
        random = self.random
        effects = (Effect.NOT_YET, Effect.REFUSE, Effect.ESCALATE)
        return Restrictions(
            effect=random.choice(effects) if permits is None and random.random() < 0.5 else None,
            automation=random.choice(list(Automation)) if random.random() < 0.3 else None,
            risk=random.choice(list(RiskTier)) if random.random() < 0.4 else None,
            obligations=frozenset(random.sample(list(Obligation), random.choice((0, 0, 1, 2)))),
        )

    def _selections(self) -> Selections:
        random = self.random

        def choice(*words: str) -> Choice | None:
            # Each word has precedences of its own, so nothing ties.
            position = random.randrange(len(words))
            return Choice(words[position], 10 * random.randint(1, 3) + position) if random.random() < 0.4 else None

        return Selections(
            queue=choice("general", "identity", "incidents"),
            tone=choice("calm", "plain", "formal"),
            depth=choice("brief", "standard", "detailed"),
            flow=choice("access_restore", "self_serve_failed"),
            skills=frozenset(random.sample(("x", "y"), random.choice((0, 0, 1, 2)))),
            tags=frozenset(random.sample(("x", "y"), random.choice((0, 0, 1)))),
            priority=random.choice(list(Priority)) if random.random() < 0.3 else None,
            first_response_minutes=random.choice((5, 30, 60)) if random.random() < 0.3 else None,
            scope=random.choice(
                ((), (), (("authority", frozenset({"standard"})),), (("authority", frozenset({"community"})),))
            ),
        )
