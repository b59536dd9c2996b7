"""Hands the conversation to people, with everything they need, and tells the customer the truth about when."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from pydantic import JsonValue

from handrail.agent.channels import (
    CAUSE,
    DETECTION,
    DRAFT,
    ESCALATION,
    LAST,
    POLICY,
    QUEUED,
    RESULT,
    SNAPSHOT,
    TURN,
    Step,
    View,
)
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.hours import is_open
from handrail.agent.nodes.guard_output import promised
from handrail.agent.packet import packet
from handrail.agent.releasing import left
from handrail.agent.room import Room, bounded
from handrail.agent.standing import WITH_A_PERSON
from handrail.agent.turns import CauseKind
from handrail.agent.waiting import handoff_text, in_line, place_of
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.vocabulary import ConversationStatus, Decision, Handoff, Report, Stage, TurnResult

CREATED = "HANDOFF_CREATED"
CLOSED = "HANDOFF_CLOSED_HOURS"
STANDS = "HANDOFF_STANDS"


async def hand_off(view: View, room: Room) -> Step:
    """Reachable from every stage, and it needs nothing that could have failed before it but the bundle."""
    turn, bundle = view[TURN], room.bundle
    reasons = escalation_reasons(view, room)
    language = view[DETECTION].language if view.has(DETECTION) else None
    if view[SNAPSHOT].state.status in WITH_A_PERSON:
        return _stands(view, room, reasons, language)
    handoff_id = uuid5(NAMESPACE_URL, f"handoff:{turn.turn_id}").hex
    made = packet(view, bundle, handoff_id, reasons, turn.at)
    made = made.model_copy(update={"promises": (*made.promises, *promised(left(), view, room))})
    queue = bundle.queues[made.queue]
    position = await _position(view, room, made)
    minutes = made_minutes(view, queue.first_response_minutes)
    words = handoff_text(bundle, queue, turn.at, position, minutes, language)
    before = _explanation(view, room, reasons, language)
    text = "\n\n".join(part for part in (before, words) if part)
    opening = () if is_open(queue.hours, turn.at) else (CLOSED,)
    result = TurnResult(
        turn_id=turn.turn_id,
        reply=text,
        status=ConversationStatus.QUEUED,
        decisions=(),
        reasons=(CREATED, *opening),
        handoff=made,
    )
    payload: dict[str, JsonValue] = {
        "queue": made.queue,
        "priority": made.priority.value,
        "risk": made.risk.value,
        "reasons": list(made.reasons),
        "segments": list(made.segments),
        "next_step": made.next_step,
        "collected": [one.name for one in made.collected],
    }
    event = AuditEvent(kind=EventKind.HANDOFF, turn_id=turn.turn_id, at=room.clock.now(), payload=payload)
    release = _released(view, room, text, ConversationStatus.QUEUED)
    report = Report(stage=Stage.HAND_OFF, reasons=(CREATED, *opening, *reasons), details={"queue": made.queue})
    queued = in_line(bundle, made, position, turn.at, language)
    return Step((report,), (RESULT.put(result), QUEUED.put(queued)), (event, release))


def _stands(view: View, room: Room, reasons: tuple[str, ...], language: str | None) -> Step:
    """A person has the conversation, and keeps it. They are not spoken over, except about what an operator decided."""
    decided = view[CAUSE].kind is CauseKind.OPERATOR_DECISION
    text = _explanation(view, room, reasons, language) if decided else ""
    result = TurnResult(
        turn_id=view[TURN].turn_id,
        reply=text,
        status=view[SNAPSHOT].state.status,
        decisions=(),
        reasons=(STANDS,),
    )
    audit = (_released(view, room, text, result.status),) if text else ()
    return Step((Report(stage=Stage.HAND_OFF, reasons=(STANDS, *reasons)),), (RESULT.put(result),), audit)


def _released(view: View, room: Room, text: str, status: ConversationStatus) -> AuditEvent:
    return AuditEvent(
        kind=EventKind.RELEASE,
        turn_id=view[TURN].turn_id,
        at=room.clock.now(),
        payload={
            "author": "text:handoff",
            "status": status.value,
            "sentences": [sentence.text for sentence in sentences(text)],
        },
    )


def escalation_reasons(view: View, room: Room) -> tuple[str, ...]:
    """Why a person is brought: the escalation that a node wrote, else the reasons of the last decision."""
    if view.has(ESCALATION) and view[ESCALATION]:
        return view[ESCALATION]
    last = view[LAST]
    if not isinstance(last, Decision):
        return last.reasons
    asked = {rule.id: rule for rule in room.bundle.policy.rules}
    effects = [rule for name in last.rules if (rule := asked.get(name)) and rule.restrictions.effect is last.effect]
    return tuple(dict.fromkeys(rule.reason for rule in effects)) or last.reasons


def made_minutes(view: View, otherwise: int) -> int:
    """The first response promised by the strictest of segment and queue, in minutes."""
    wanted = view[POLICY].dimensions.first_response_minutes if view.has(POLICY) else None
    return min(wanted, otherwise) if wanted is not None else otherwise


def _explanation(view: View, room: Room, reasons: tuple[str, ...], language: str | None) -> str:
    """Customer-safe words for the reason, or the closing words of the guided flow that led here."""
    if view.has(DRAFT) and view[DRAFT].author.startswith("flow:") and view[DRAFT].text:
        return view[DRAFT].text
    for code in reasons:
        words = room.bundle.customer_text(code, language) if code in room.bundle.reasons else ""
        if words and not code.startswith("HANDOFF"):
            return words
    return ""


async def _position(view: View, room: Room, made: Handoff) -> int:
    """The place in line. A store that does not answer costs the number, never the handoff."""
    try:
        waiting = await bounded(room.store.handoffs(view[TURN].site), room.patience.handoff)
        mine = view[SNAPSHOT].conversation_id
        # Who asks again while waiting keeps the time of the first request.
        since = next((one.at for one in waiting if one.conversation_id == mine), view[TURN].at)
        return place_of(waiting, mine, made.priority, since)
    except Exception:  # noqa: BLE001 - whatever the store does, the customer reaches a person
        return 1
