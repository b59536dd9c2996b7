"""What a turn leaves behind: the next state of the conversation and the events that later windows count."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from handrail.agent.channels import (
    CAUSE,
    CLARIFIED,
    COLLECTED,
    DETECTION,
    DRAFT,
    GATE,
    MEMBERS,
    PENDING,
    PLACE,
    RESULTS,
    SNAPSHOT,
    SOLVED,
    TRIED,
    TURN,
    VERIFIED_UNTIL,
    View,
)
from handrail.agent.conversation import ConversationState, PendingCall
from handrail.agent.facts import INTENT_EVENT
from handrail.agent.nodes.deciding import TOOL_EVENT
from handrail.agent.nodes.dressing import SAFE, by_model, cited
from handrail.agent.nodes.guard_output import distrusted, promised
from handrail.agent.packet import merged, wants
from handrail.agent.ports import CustomerEvent
from handrail.agent.releasing import left
from handrail.agent.room import Room
from handrail.agent.turns import CauseKind
from handrail.guardrails.flows.place import FlowPlace
from handrail.guardrails.gate.results import recorded
from handrail.guardrails.vocabulary import (
    NeedState,
    Obligation,
    Promise,
    RiskTier,
    ToolOutcome,
    ToolResult,
    TurnResult,
)

SHOWN_LIMIT = 60
"""Passages remembered as shown; a conversation that showed more ended with a person long ago."""
PROMISES_LIMIT = 20
RECORDS_LIMIT = 6
ATTESTED = "TOOL_ATTESTED"
"""The reason of a result that the caller brings: it ran the call itself."""
DISTRUSTED_LIMIT = 100
"""More messages than a snapshot has."""
TALK = (NeedState.HUMAN_REQUEST, NeedState.OUT_OF_SCOPE)


def next_state(view: View, room: Room, result: TurnResult) -> ConversationState:
    """The state that the next turn starts from."""
    state = view[SNAPSHOT].state
    solved = view.get(SOLVED, False)
    message = view[CAUSE].kind is not CauseKind.OPERATOR_DECISION
    detection = view[DETECTION] if view.has(DETECTION) else None
    place = view.get(PLACE, state.flow)
    failed = place.attempts if place is not None else state.failed_attempts
    spoken = view.has(DRAFT) and result.handoff is None
    shown = [passage.passage_id for passage in cited(view[DRAFT], view)] if spoken else []
    need = detection.need_state if detection is not None else None
    keeps = need is None or need in TALK
    return state.model_copy(
        update={
            "status": result.status,
            # An operator's decision counts too: a yes after what it made the bot say answers no earlier question.
            "turns": state.turns + 1,
            "verified_until": _until(view, state),
            "segments": () if solved else view.get(MEMBERS, state.segments),
            "flow": None if result.handoff is not None else place,
            "pending": _pending(view, result),
            "person_offered": view.has(DRAFT) and view[DRAFT].author == SAFE and result.handoff is None,
            "clarifications": state.clarifications + 1 if view.get(CLARIFIED, False) else 0,
            "unresolved_turns": 0 if solved else state.unresolved_turns + (1 if message else 0),
            "failed_attempts": 0 if solved else max(failed, state.failed_attempts),
            "shown_passages": tuple(dict.fromkeys((*state.shown_passages, *shown)))[-SHOWN_LIMIT:],
            "collected": merged(state.collected, view.get(COLLECTED, ())),
            "tried": view.get(TRIED, state.tried),
            "promises": (*state.promises, *_promised(view, room, result))[-PROMISES_LIMIT:],
            "records": (*state.records, *_records(view, room))[-RECORDS_LIMIT:],
            "distrusted": distrusted(view)[-DISTRUSTED_LIMIT:],
            "risk": _risk(view, place, solved=solved),
            "need_state": state.need_state if keeps else need,
            "intent": state.intent if keeps or detection is None else detection.intent,
            "wants": None if solved else _wants(view, keeps=keeps, message=message),
        }
    )


def customer_events(view: View, result: TurnResult) -> tuple[CustomerEvent, ...]:
    """Events for the windows of later turns: the intent, tool runs, the handoff. One id per turn and kind."""
    turn = view[TURN]
    events = []
    detection = view[DETECTION] if view.has(DETECTION) else None
    talks = detection is None or detection.need_state is None or detection.need_state in TALK
    answering = view[SNAPSHOT].state.flow is not None or view[SNAPSHOT].state.pending is not None
    if not talks and not answering and detection is not None and view[CAUSE].kind is CauseKind.MESSAGE:
        details = {"intent": detection.intent or "", "need_state": detection.need_state or ""}
        events.append(_event(INTENT_EVENT, turn.turn_id, turn.at, details))
    events += [
        _event(TOOL_EVENT, f"{turn.turn_id}:{ran.call.call_id}", turn.at, {"tool": ran.call.tool})
        for ran in view.get(RESULTS, ())
        if _counts(ran)
    ]
    if result.handoff is not None:
        events.append(_event("handed_off", turn.turn_id, turn.at, {"queue": result.handoff.queue}))
    return tuple(events)


def _counts(ran: ToolResult) -> bool:
    """Whether this is a run of the tool: what was handed over counts then, and not again when its result comes."""
    succeeded = ran.outcome is ToolOutcome.SUCCEEDED and ATTESTED not in ran.reasons
    return succeeded or ran.outcome is ToolOutcome.HANDED_OVER


def _event(kind: str, event_id: str, at: datetime, details: dict[str, str]) -> CustomerEvent:
    return CustomerEvent(event_id=f"{kind}:{event_id}", kind=kind, at=at, source="conversation", details=details)


def _wants(view: View, *, keeps: bool, message: bool) -> str | None:
    """The line that says what the matter is about: set by the message that names a need, kept by small talk."""
    held = view[SNAPSHOT].state.wants
    return held if (keeps and held) or not message else wants(view)


def _pending(view: View, result: TurnResult) -> PendingCall | None:
    """What waits for an answer. A question that did not leave waits for none; a request for approval stays."""
    asked = view.get(PENDING, view[SNAPSHOT].state.pending)
    withheld = result.handoff is not None or (view.has(DRAFT) and view[DRAFT].author == SAFE)
    if asked is None or not withheld:
        return asked
    before = view[SNAPSHOT].state.pending
    if before is not None and asked.awaiting is Obligation.APPROVE and asked.approval_id == before.approval_id:
        return asked
    return before if before is not None and before.awaiting is Obligation.APPROVE and not view.has(PENDING) else None


def _risk(view: View, place: FlowPlace | None, *, solved: bool) -> RiskTier:
    """The tier that the next message starts from: kept while the matter is under way, gone when it is over."""
    pending = view.get(PENDING, view[SNAPSHOT].state.pending)
    if solved or (place is None and pending is None) or not view.has(GATE):
        return RiskTier.LOW
    return view[GATE].dimensions.risk


def _until(view: View, state: ConversationState) -> datetime | None:
    if view.has(VERIFIED_UNTIL):
        return datetime.fromisoformat(view[VERIFIED_UNTIL])
    return state.verified_until


def _records(view: View, room: Room) -> tuple[JsonValue, ...]:
    """What the company's systems vouch for in the results of this turn."""
    tools = room.bundle.tools
    found = [
        recorded(tools[result.call.tool], result.content)
        for result in view.get(RESULTS, ())
        if result.outcome is ToolOutcome.SUCCEEDED and result.call.tool in tools
    ]
    return tuple(part for part in found if part is not None)


def _promised(view: View, room: Room, result: TurnResult) -> tuple[Promise, ...]:
    """What the reply promises, as far as a model wrote it: all, or what had left when something else took over.

    What was promised before keeps its first turn.
    """
    whole = view.has(DRAFT) and by_model(view[DRAFT]) and result.handoff is None
    turn, known = view[TURN], {promise.text for promise in view[SNAPSHOT].state.promises}
    found = promised(result.reply if whole else left(), view, room)
    return tuple(Promise(text=text, turn_id=turn.turn_id, at=turn.at) for text in found if text not in known)
