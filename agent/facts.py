"""Builds the facts of a turn from detection, conversation, customer attributes and counted events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handrail.agent.conversation import ASSISTANCE, ConversationState, Snapshot
from handrail.agent.hours import is_open
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.room import seconds_between
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import OPENED, Attribute, Ending, Window
from handrail.guardrails.policy.builtin import UNKNOWN_NEED
from handrail.guardrails.policy.facts import IGNORE, RESTRICT, FactKind, Facts, OnUnknown, fact
from handrail.guardrails.vocabulary import Detection, FactContent, FactUsed, IdentityLevel, Turn

INTENT_EVENT = "intent_detected"
ATTRIBUTE_STALE = "ATTRIBUTE_STALE"
ATTRIBUTE_MISSING = "ATTRIBUTE_MISSING"
ATTRIBUTE_INVALID = "ATTRIBUTE_INVALID"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts of a turn, and the reason codes of attributes that could not be used."""

    facts: Facts
    reasons: tuple[str, ...]


def identity_now(turn: Turn, state: ConversationState) -> IdentityLevel:
    """The identity level now: a step-up holds for a while, and only for somebody who is signed in."""
    if turn.customer_id is None:
        return IdentityLevel.ANONYMOUS
    if state.verified_until is not None and turn.at < state.verified_until:
        return IdentityLevel.VERIFIED
    return turn.identity


def gather(
    bundle: Bundle,
    turn: Turn,
    snapshot: Snapshot,
    detection: Detection,
    attributes: Sequence[AttributeValue],
    events: Sequence[CustomerEvent],
) -> Gathered:
    """All facts that exist before segments are assigned."""
    known, reasons = _attributes(bundle.attributes.values(), attributes, turn.at)
    used = [
        *message_facts(detection),
        *_of_conversation(bundle, turn, snapshot),
        *known,
        *(_count(window, detection, snapshot, events, turn.at) for window in bundle.windows),
    ]
    return Gathered(Facts.of(used), reasons)


def message_facts(detection: Detection) -> Iterable[FactUsed]:
    """The facts that detection alone gives."""
    source = "detection"
    need = detection.need_state.value if detection.need_state is not None else UNKNOWN_NEED
    yield fact("need_state", need, source)
    yield fact("need_states", tuple(sorted(state.value for state in detection.need_states)), source)
    yield fact("intent", detection.intent or UNKNOWN_NEED, source)
    yield fact("confidence", detection.confidence, source)
    yield fact("signals", tuple(sorted({signal.code for signal in detection.signals})), source)
    yield fact("language", detection.language or UNKNOWN_NEED, source)


def _of_conversation(bundle: Bundle, turn: Turn, snapshot: Snapshot) -> Iterable[FactUsed]:
    state, source = snapshot.state, "conversation"
    queue = bundle.queues[bundle.manifest.default_queue]
    yield fact("identity", identity_now(turn, state).value, "authentication")
    yield fact("channel", turn.channel, source)
    yield fact("conversation", state.status.value, source)
    yield fact("unresolved_turns", state.unresolved_turns + 1, source)
    yield fact("clarifications", state.clarifications, source)
    yield fact("failed_attempts", state.failed_attempts, source)
    yield fact("in_flow", state.flow is not None, source)
    yield fact("person_offered", state.person_offered, source)
    yield fact("earlier_risk", state.risk.value, source)
    yield fact("pending", state.pending.awaiting.value if state.pending is not None else "nothing", source)
    yield fact("assistance", "refused" if ASSISTANCE in snapshot.refused else "accepted", source)
    yield fact("company_open", is_open(queue.hours, turn.at), "clock")


def _attributes(
    declared: Iterable[Attribute], values: Sequence[AttributeValue], now: datetime
) -> tuple[list[FactUsed], tuple[str, ...]]:
    latest: dict[str, AttributeValue] = {}
    for value in values:
        held = latest.get(value.name)
        if held is None or value.observed_at > held.observed_at:
            latest[value.name] = value
    known: list[FactUsed] = []
    reasons: dict[str, None] = {}
    for attribute in declared:
        found = latest.get(attribute.name)
        content: FactContent | None = None
        age = None if found is None else seconds_between(found.observed_at, now)
        why: str | None = None
        if found is None or age is None:
            why, code = "missing", ATTRIBUTE_MISSING
        elif age > attribute.max_age_days * 86_400:
            why, code = f"older than {attribute.max_age_days} days", ATTRIBUTE_STALE
        elif not _fits(attribute, found.content):
            why, code = "not one of the declared values", ATTRIBUTE_INVALID
        else:
            content, code = found.content, None
        if code is not None:
            reasons[code] = None
        source = attribute.source if found is None else found.source
        how = IGNORE if content is None and attribute.on_unknown is OnUnknown.IGNORE else RESTRICT
        known.append(
            FactUsed(
                name=attribute.name, content=content, source=source, age_seconds=age, why=why, on_unknown=how
            )
        )
    return known, tuple(reasons)


def _fits(attribute: Attribute, content: FactContent) -> bool:
    if attribute.kind is FactKind.SET:
        return isinstance(content, tuple) and (attribute.values is None or set(content) <= set(attribute.values))
    if attribute.kind is FactKind.BOOLEAN:
        return isinstance(content, bool)
    if attribute.kind is FactKind.NUMBER:
        return isinstance(content, int | float) and not isinstance(content, bool)
    return isinstance(content, str) and (attribute.values is None or content in attribute.values)


def _count(
    window: Window, detection: Detection, snapshot: Snapshot, events: Sequence[CustomerEvent], now: datetime
) -> FactUsed:
    """How many events the window holds; with `same_intent` this message counts too."""
    wanted = [event for event in events if event.kind == window.count and event.at <= now]
    if window.same_intent:
        wanted = [event for event in wanted if event.details.get("intent") == (detection.intent or "")]
    span = timedelta(minutes=window.within_minutes)
    if window.ending is None:
        count = sum(now - event.at <= span for event in wanted)
    else:
        count = _run([event.at for event in wanted], span, window.ending, snapshot, events, now)
    if window.same_intent and detection.intent is not None:
        count += 1
    return fact(window.fact, count, "events")


def _run(  # noqa: PLR0913, PLR0917 - one place that knows what a run is
    times: Sequence[datetime],
    span: timedelta,
    ending: Ending,
    snapshot: Snapshot,
    events: Sequence[CustomerEvent],
    now: datetime,
) -> int:
    """How long the run is that ended shortly before the latest event of the kind that it has to end at."""
    if ending.of == OPENED:
        border: datetime | None = snapshot.opened_at
    else:
        border = max((event.at for event in events if event.kind == ending.of and event.at <= now), default=None)
    before = [at for at in times if border is not None and at <= border]
    last = max(before, default=None)
    if last is None or border is None or border - last > timedelta(minutes=ending.within_minutes):
        return 0
    return sum(last - at <= span for at in before)


def longest_window(bundle: Bundle) -> timedelta:
    """How far back events are needed."""
    reach = (one.within_minutes + (0 if one.ending is None else one.ending.within_minutes) for one in bundle.windows)
    return timedelta(minutes=max(reach, default=0) + 60)
