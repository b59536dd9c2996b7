"""Sums up a turn: its result, its next state, and every audit event, for one transaction."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.after import customer_events, next_state
from handrail.agent.channels import APPROVAL, MEMBERS, REOPENED, RESULT, TURN, USED_APPROVAL, WITHDRAWN, View
from handrail.agent.conversation import AuditEvent, ConversationState, EventKind, FinishedTurn, Received
from handrail.agent.releasing import after, left
from handrail.agent.room import Room
from handrail.agent.telling import reply_id, told
from handrail.guardrails.vocabulary import Decision, Report, TurnResult


def summed_up(view: View, received: Received, room: Room) -> FinishedTurn:
    """Everything the turn leaves behind."""
    trail = view.trail()
    decisions = tuple(said for said in trail if isinstance(said, Decision))
    result = view[RESULT]
    reasons = tuple(dict.fromkeys([code for said in trail for code in said.reasons] + list(result.reasons)))
    # INVARIANT: what has left stays, whoever speaks at the end of the turn.
    reply = after(left(), result.reply)
    result = result.model_copy(update={"decisions": decisions, "reasons": reasons, "reply": reply})
    now = room.clock.now()
    turn_id = received.turn.turn_id
    events = [_trail_event(said, plain, view) for said, plain in zip(trail, view.state.get("trail", ()), strict=True)]
    events += [*view.audit(), _closing(view, result, turn_id, room)]
    state = next_state(view, room, result)
    return FinishedTurn(
        turn=received.turn,
        state=state,
        result=result,
        events=tuple(event if event.at <= now else event.model_copy(update={"at": now}) for event in events),
        feed=told(view, room.bundle, result, received.snapshot.state, state, now),
        reply_id=reply_id(result),
        handoff=result.handoff,
        approval=view[APPROVAL] if view.has(APPROVAL) and _waits(state, view[APPROVAL].approval_id) else None,
        used_approval=view[USED_APPROVAL] if view.has(USED_APPROVAL) else None,
        reopened_approval=view[REOPENED] if view.has(REOPENED) else None,
        withdrawn_approval=view[WITHDRAWN] if view.has(WITHDRAWN) else None,
        customer_events=customer_events(view, result),
    )


def _waits(state: ConversationState, approval_id: str) -> bool:
    """Whether the request for approval was told to the customer; one that was not told is not made."""
    return state.pending is not None and state.pending.approval_id == approval_id


def _closing(view: View, result: TurnResult, turn_id: str, room: Room) -> AuditEvent:
    """The event that names every revision the turn was decided with."""
    bundle = room.bundle
    prompt = bundle.prompts[bundle.manifest.prompt]
    retrieved = view.state.get("retrieved")
    base = retrieved.get("revision", "none") if isinstance(retrieved, dict) else "none"
    return AuditEvent(
        kind=EventKind.TURN_FINISHED,
        turn_id=turn_id,
        at=room.clock.now(),
        payload={
            "revisions": {
                "bundle": f"{bundle.manifest.version}+{bundle.revision}",
                "model": room.model.name,
                "prompt": prompt.revision,
                "kb": base,
            },
            "status": result.status.value,
            "reasons": list(result.reasons),
            "segments": [{"segment": member.segment, "because": member.because} for member in view.get(MEMBERS, ())],
            "detection": view.state.get("detection"),
        },
    )


def _trail_event(said: Decision | Report, plain: JsonValue, view: View) -> AuditEvent:
    kind = EventKind.DECISION if isinstance(said, Decision) else EventKind.REPORT
    # Not validated: `plain` is what the flow itself has dumped, or has just read `said` from.
    return AuditEvent.model_construct(kind=kind, turn_id=view[TURN].turn_id, at=view[TURN].at, payload=plain)
