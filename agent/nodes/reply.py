"""Turns the released text into the result of the turn."""

from __future__ import annotations

from handrail.agent.channels import (
    DRAFT,
    PENDING,
    QUICK_REPLIES,
    RELEASE,
    RESULT,
    SNAPSHOT,
    SOLVED,
    TURN,
    Step,
    View,
)
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.nodes.dressing import cited
from handrail.agent.room import Room
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.vocabulary import ConversationStatus, Obligation, Report, Stage, TurnResult

RELEASED = "REPLY_RELEASED"


async def reply(view: View, room: Room) -> Step:
    """The audit event of the release stands in the same transaction as the reply, before it leaves (S10.2)."""
    turn, draft, text = view[TURN], view[DRAFT], view[RELEASE]
    status = ConversationStatus.RESOLVED if view.get(SOLVED, False) else _status(view)
    pending = view.get(PENDING, view[SNAPSHOT].state.pending)
    asks = pending is not None and pending.awaiting is Obligation.CONFIRM and view.has(PENDING)
    result = TurnResult(
        turn_id=turn.turn_id,
        reply=text,
        status=status,
        decisions=(),
        reasons=(RELEASED,),
        citations=tuple(dict.fromkeys(passage.doc_id for passage in cited(draft, view))),
        quick_replies=view.get(QUICK_REPLIES, ()),
        confirmation=pending.call if asks and pending is not None else None,
    )
    event = AuditEvent(
        kind=EventKind.RELEASE,
        turn_id=turn.turn_id,
        at=room.clock.now(),
        payload={
            "sentences": [sentence.text for sentence in sentences(text)],
            "author": draft.author,
            "cites": list(result.citations),
            "status": status.value,
        },
    )
    return Step((Report(stage=Stage.REPLY, reasons=(RELEASED,)),), (RESULT.put(result),), (event,))


def _status(view: View) -> ConversationStatus:
    status = view[SNAPSHOT].state.status
    # A customer who writes again after "resolved" has opened the matter again.
    return ConversationStatus.BOT if status is ConversationStatus.RESOLVED else status
