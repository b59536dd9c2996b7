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
from handrail.guardrails.bundle.sections import LONGEST_WINDOW, OPENED, Attribute, Window
from handrail.guardrails.policy.builtin import UNKNOWN_NEED
from handrail.guardrails.policy.facts import IGNORE, RESTRICT, Facts, OnUnknown, fact, fits
from handrail.guardrails.vocabulary import Detection, FactContent, FactUsed, IdentityLevel, Turn

INTENT_EVENT = "intent_detected"
SECOND_OPINION_USED = "SECOND_OPINION_USED"
"""The signal of a need state that comes from a model that was asked, and not from detection."""

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
    known, reasons = attribute_facts(bundle.attributes.values(), attributes, turn.at)
    used = [
        *message_facts(detection),
        *_of_conversation(bundle, turn, snapshot),
        *known,
        *window_facts(bundle.windows, detection.intent, snapshot.opened_at, events, turn.at),
    ]
    return Gathered(Facts.of(used), reasons)


def message_facts(detection: Detection) -> Iterable[FactUsed]:
    """The facts that detection alone gives, with the need from a second opinion marked as such."""
    source = "detection"
    signals = {signal.code for signal in detection.signals}
    placed = "second_opinion" if SECOND_OPINION_USED in signals else source
    need = detection.need_state.value if detection.need_state is not None else UNKNOWN_NEED
    yield fact("need_state", need, placed)
    yield fact("need_states", tuple(sorted(state.value for state in detection.need_states)), source)
    yield fact("intent", detection.intent or UNKNOWN_NEED, placed)
    yield fact("confidence", detection.confidence, placed)
    yield fact("signals", tuple(sorted(signals)), source)
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


def attribute_facts(
    declared: Iterable[Attribute], values: Sequence[AttributeValue], now: datetime
) -> tuple[list[FactUsed], tuple[str, ...]]:
    """One fact for each declared attribute, and the reason codes of those that are unknown (S3.3)."""
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
        elif not fits_attribute(attribute, found.content):
            why, code = "not one of the declared values", ATTRIBUTE_INVALID
        else:
            content, code = found.content, None
        if code is not None:
            reasons[code] = None
        source = attribute.source if found is None else found.source
        how = IGNORE if content is None and attribute.on_unknown is OnUnknown.IGNORE else RESTRICT
        known.append(
            FactUsed(name=attribute.name, content=content, source=source, age_seconds=age, why=why, on_unknown=how)
        )
    return known, tuple(reasons)


def fits_attribute(attribute: Attribute, content: FactContent) -> bool:
    """Whether it is a value of the declared kind, and one of the declared values where these are closed."""
    if not fits(attribute.kind, content):
        return False
    if isinstance(content, tuple):
        return attribute.values is None or set(content) <= set(attribute.values)
    return not isinstance(content, str) or attribute.values is None or content in attribute.values


def window_facts(
    windows: Iterable[Window],
    intent: str | None,
    opened_at: datetime,
    events: Sequence[CustomerEvent],
    now: datetime,
) -> Iterable[FactUsed]:
    """What each window counts; with `same_intent` this message, of `intent`, counts too."""
    past = [event for event in events if event.at <= now]
    for window in windows:
        wanted = [event for event in past if event.kind == window.count]
        if window.same_intent:
            # Two messages that nobody could place are not about the same thing.
            wanted = [event for event in wanted if intent is not None and event.details.get("intent") == intent]
        times = [event.at for event in wanted]
        count = _until(window, times, now) if window.ending is None else _run(window, times, opened_at, past)
        yield fact(window.fact, count + (1 if window.same_intent and intent is not None else 0), "events")


def _until(window: Window, times: Sequence[datetime], now: datetime) -> int:
    return sum(now - at <= timedelta(minutes=window.within_minutes) for at in times)


def _run(window: Window, times: Sequence[datetime], opened_at: datetime, past: Sequence[CustomerEvent]) -> int:
    """How long the run is that ended shortly before the latest event of the kind that it has to end at."""
    ending = window.ending
    if ending is None:
        return 0
    borders = [opened_at] if ending.of == OPENED else [event.at for event in past if event.kind == ending.of]
    border = max(borders, default=None)
    last = max((at for at in times if border is not None and at <= border), default=None)
    if last is None or border is None or border - last > timedelta(minutes=ending.within_minutes):
        return 0
    return sum(at <= last and last - at <= timedelta(minutes=window.within_minutes) for at in times)


def events_since(bundle: Bundle, opened_at: datetime, now: datetime) -> datetime:
    """From when on events are needed: the start of the earliest window, with an hour to spare."""
    starts = (_start(window, min(opened_at, now), now) for window in bundle.windows)
    return min(starts, default=now) - timedelta(minutes=60)


def _start(window: Window, opened_at: datetime, now: datetime) -> datetime:
    if window.ending is None:
        return now - timedelta(minutes=window.within_minutes)
    if window.ending.of == OPENED:
        return opened_at - timedelta(minutes=window.within_minutes + window.ending.within_minutes)
    # The latest event that it may end at can lie as far back as events are kept.
    return now - timedelta(minutes=LONGEST_WINDOW)
