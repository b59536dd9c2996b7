"""Writes audit logs of turns without models: facts are drawn or given, decisions are made as the flow makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random
from typing import TypeAlias

from pydantic import JsonValue

from handrail.agent.audit.basis import written
from handrail.agent.audit.chain import Entry
from handrail.agent.audit.pseudonyms import Pseudonyms
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.holdouts import Draws
from handrail.agent.nodes.retrieve import flow_of_turn
from handrail.agent.store.ledger import Scribe, append
from handrail.agent.store.opening import open_database
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.masking import mask_json
from handrail.guardrails.gate.facts import tool_facts
from handrail.guardrails.policy.facts import (
    HOLDOUT_PREFIX,
    IGNORE,
    RESTRICT,
    FactKind,
    Facts,
    FactSpec,
    OnUnknown,
    fact,
)
from handrail.guardrails.policy.policyset import TURN
from handrail.guardrails.segments import assign
from handrail.guardrails.vocabulary import (
    Decision,
    Dimensions,
    Effect,
    FactContent,
    FactUsed,
    Obligation,
    Report,
    Stage,
)

Contents: TypeAlias = Mapping[str, FactContent | None]
"""Facts by name; None is unknown."""

SITE = "fernwell"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DRAWS = Draws(b"a secret of the tests, long enough")
QUIET: Mapping[str, FactContent] = {
    "need_state": "how_to",
    "need_states": ("how_to",),
    "intent": "use_feature",
    "confidence": 0.9,
    "signals": (),
    "language": "en",
    "identity": "identified",
    "channel": "web",
    "conversation": "bot",
    "unresolved_turns": 1,
    "clarifications": 0,
    "failed_attempts": 0,
    "in_flow": False,
    "person_offered": False,
    "earlier_risk": "low",
    "pending": "nothing",
    "assistance": "accepted",
    "company_open": True,
}
"""A simple question of a customer in a quiet hour."""


@dataclass(frozen=True)
class Told:
    """One turn to be written: what is known, by name, and what later stages find."""

    conversation_id: str = "c1"
    contents: Contents = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    earlier: Mapping[str, float] = field(default_factory=dict)
    under_way: str | None = None
    good: int = 2
    calls: tuple[tuple[str, Mapping[str, FactContent]], ...] = ()
    findings: tuple[str, ...] = ()
    at: datetime = START


def told_facts(bundle: Bundle, told: Told) -> list[FactUsed]:
    """The facts of a turn as the flow gathers them."""
    counted = {window.fact: 0 for window in bundle.windows}
    contents: Contents = {**QUIET, **counted, **told.contents}
    facts = [fact(name, content, "told") for name, content in contents.items() if name not in bundle.attributes]
    for attribute in bundle.attributes.values():
        content, age = contents.get(attribute.name), told.ages.get(attribute.name)
        why = "missing" if content is None else None
        if age is not None and age > attribute.max_age_days * 86_400:
            content, why = None, f"older than {attribute.max_age_days} days"
        how = IGNORE if content is None and attribute.on_unknown is OnUnknown.IGNORE else RESTRICT
        facts.append(
            FactUsed(
                name=attribute.name,
                content=content,
                source=attribute.source,
                age_seconds=age if age is not None or content is None else 60.0,
                why=why,
                on_unknown=how,
            )
        )
    facts += [one for one in DRAWS.facts(bundle.holdouts, SITE, told.conversation_id) if one.name not in told.contents]
    return facts


def events_of(bundle: Bundle, told: Told, turn_id: str) -> Iterator[AuditEvent]:
    """The events that a replay reads, as the flow would have written them for the turn."""

    def event(kind: EventKind, payload: dict[str, JsonValue]) -> AuditEvent:
        return AuditEvent(kind=kind, turn_id=turn_id, at=told.at, payload=payload)

    known = Facts.of(told_facts(bundle, told))
    found = assign(bundle.segments, known, told.earlier)
    declared = (*bundle.facts, *(f"{HOLDOUT_PREFIX}{one.id}" for one in bundle.holdouts))
    details: dict[str, JsonValue] = {
        "segments": dict(found.members),
        "open": list(found.open),
        **written(known.used.values(), declared, told.earlier, told.under_way),
    }
    report = Report(stage=Stage.ASSIGN_SEGMENTS, reasons=found.reasons or ("SEG_NONE",), details=details)
    yield event(EventKind.REPORT, report.model_dump(mode="json"))
    decisions = list(_decided(bundle, told, known.with_facts(found.facts)))
    yield from (event(EventKind.DECISION, one.model_dump(mode="json")) for one in decisions)
    if decisions[-1].effect is Effect.ESCALATE:
        queue = next((one.dimensions.queue for one in decisions if one.stage is Stage.APPLY_POLICY), None)
        yield event(EventKind.HANDOFF, {"queue": queue or bundle.manifest.default_queue})
    yield event(EventKind.TURN_FINISHED, {"status": "bot", "reasons": []})


def _decided(bundle: Bundle, told: Told, facts: Facts) -> Iterator[Decision]:
    """Decisions along the flow's way, until one ends the turn."""
    gate = bundle.policy.decide(Stage.GATE_RISK, facts)
    yield gate
    facts = facts.with_facts([fact("risk", gate.dimensions.risk.value, "gate_risk")])
    if gate.effect is Effect.ESCALATE:
        return
    policy = bundle.policy.decide(Stage.APPLY_POLICY, facts)
    yield policy
    if policy.effect in (Effect.ESCALATE, Effect.REFUSE):
        return
    if not {Obligation.CLOSE, Obligation.COURTESY} & {*policy.obligations}:
        facts = facts.with_facts(_retrieved(bundle, told, gate.dimensions, policy.dimensions, facts))
        found = bundle.policy.decide(Stage.RETRIEVE, facts)
        yield found
        if found.effect is Effect.ESCALATE:
            return
    for tool, contents in told.calls:
        call = bundle.policy.decide(Stage.AUTHORIZE_TOOLS, facts.with_facts(_call(bundle, tool, contents)), tool)
        yield call
        if call.effect is Effect.ESCALATE:
            return
    output: Mapping[str, FactContent] = {
        "findings": told.findings,
        "findings_count": len(told.findings),
        "repairs_left": 0,
        "speaker": "model",
    }
    yield bundle.policy.decide(
        Stage.GUARD_OUTPUT, facts.with_facts(fact(name, content, "output") for name, content in output.items())
    )


def _retrieved(bundle: Bundle, told: Told, gate: Dimensions, policy: Dimensions, facts: Facts) -> Iterator[FactUsed]:
    under_way = None if told.under_way is None else bundle.flows[told.under_way]
    flow = flow_of_turn(under_way, policy.flow, gate.risk, facts)
    yield fact("passages_good", told.good, "retrieval")
    yield fact("passages_fresh", told.good, "retrieval")
    yield fact("flow", flow or "none", "policy")


def _call(bundle: Bundle, tool: str, contents: Mapping[str, FactContent]) -> Iterator[FactUsed]:
    if tool in bundle.tools:
        stated = {**tool_facts(bundle.tools[tool]), **contents}
        yield from (fact(name, content, "gate") for name, content in stated.items())


def write(url: str, bundle: Bundle, turns: Iterable[Told], customer_id: str | None = None) -> list[str]:
    """Write the turns, by conversation; returns their ids, in the order in which they were told."""
    database = open_database(url, 1)
    scribe = Scribe(mask_json, Pseudonyms(b"0123456789abcdef0123456789abcdef"))
    ids = []
    try:
        numbered = ((number, told) for number, told in enumerate(turns))
        for conversation_id, group in groupby(numbered, key=lambda one: one[1].conversation_id):
            entries: list[Entry] = []
            for number, told in group:
                ids.append(f"t{number}")
                entries += scribe.seal(SITE, customer_id, events_of(bundle, told, ids[-1]))
            database.write(lambda c, name=conversation_id, new=entries: append(c, SITE, name, new))  # type: ignore[misc]
    finally:
        database.close()
    return ids


def drawn(bundle: Bundle, count: int, seed: int = 1) -> Iterator[Told]:
    """Turns with facts of every declared kind, three to a conversation, with calls and findings."""
    random = Random(seed)  # noqa: S311 - the same log every time, no secret
    names = [segment.id for segment in bundle.segments]
    intents = [(file.need_state.value, one.id) for file in bundle.detection.intents for one in file.intents]
    for number in range(count):
        need, intent = ("unknown", "unknown") if random.random() < 0.1 else random.choice(intents)
        contents: dict[str, FactContent | None] = {
            spec.name: _content(spec, random)
            for spec in bundle.facts.values()
            if spec.only_at is None and spec.since is Stage.DETECT_INTENT and random.random() < 0.5
        }
        contents.pop("in_flow", None)
        contents |= {"need_state": need, "need_states": () if need == "unknown" else (need,), "intent": intent}
        contents["signals"] = tuple(sorted(random.sample(_codes(bundle), random.choice((0, 0, 0, 1, 2)))))
        contents["conversation"] = random.choice(("bot",) * 9 + ("queued",))
        contents["language"] = random.choice(("en",) * 9 + ("de",))
        yield Told(
            conversation_id=f"c{number // 3}",
            contents=contents,
            earlier={name: random.uniform(0, 9_000) for name in random.sample(names, random.choice((0, 1, 2)))},
            under_way=random.choice((None, None, None, *bundle.flows)),
            good=random.choice((0, 1, 2, 3)),
            calls=tuple(_drawn_call(bundle, random) for _ in range(random.choice((0, 0, 1, 2)))),
            findings=tuple(sorted(random.sample(_codes(bundle, "findings"), random.choice((0, 0, 0, 1))))),
            at=START + timedelta(minutes=number),
        )


def _codes(bundle: Bundle, name: str = "signals") -> list[str]:
    return sorted(bundle.facts[name].values or ())


def _drawn_call(bundle: Bundle, random: Random) -> tuple[str, Mapping[str, FactContent]]:
    tool = random.choice((*sorted(bundle.tools), "format_disk"))
    about = tool_facts(bundle.tools[tool]) if tool in bundle.tools else {}
    asked = [
        spec
        for spec in bundle.facts.values()
        if spec.name not in about
        and spec.only_at is Stage.AUTHORIZE_TOOLS
        and (spec.tools is None or tool in spec.tools)
    ]
    contents = {spec.name: _content(spec, random) for spec in asked if random.random() < 0.95}
    return tool, contents if tool in bundle.tools else {}


def _content(spec: FactSpec, random: Random) -> FactContent:
    if spec.kind is FactKind.BOOLEAN:
        return random.random() < 0.5
    if spec.kind is FactKind.NUMBER:
        return round(random.random(), 2) if spec.name == "confidence" else random.randrange(6)
    words = sorted(spec.values or ("fernwell",))
    if spec.kind is FactKind.SET:
        return tuple(sorted(random.sample(words, random.choice((0, 1, 2)) if len(words) > 1 else 1)))
    return random.choice(words)


__all__ = ["DRAWS", "QUIET", "SITE", "START", "TURN", "Told", "drawn", "events_of", "told_facts", "write"]
