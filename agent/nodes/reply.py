"""Turns the released text into the result of the turn."""

from __future__ import annotations

from handrail.agent.channels import (
    CAUSE,
    CHECKLIST,
    DRAFT,
    PENDING,
    QUICK_REPLIES,
    RELEASE,
    RESULT,
    RESULTS,
    SNAPSHOT,
    SOLVED,
    TURN,
    Step,
    View,
)
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.nodes.dressing import SAFE, cited
from handrail.agent.releasing import after, left
from handrail.agent.room import Room
from handrail.agent.turns import CauseKind
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Obligation,
    Report,
    Stage,
    ToolCall,
    ToolOutcome,
    TurnResult,
)

RELEASED = "REPLY_RELEASED"
NOTHING_SAID = "REPLY_NONE"


async def reply(view: View, room: Room) -> Step:
    """The audit event of the release stands in the same transaction as the reply, before it leaves (S10.2).

    What has left before, while the model wrote, has events of its own.
    """
    turn, draft, text = view[TURN], view[DRAFT], view[RELEASE]
    status = ConversationStatus.RESOLVED if view.get(SOLVED, False) else _status(view)
    pending = view.get(PENDING, view[SNAPSHOT].state.pending)
    said = left()
    text = after(said, text)
    rest = [sentence.text for sentence in sentences(text) if sentence.span.end > len(said)]
    reason = RELEASED if text else NOTHING_SAID
    # What went with a draft that was withheld is withheld too.
    whole = draft.author != SAFE
    asks = whole and pending is not None and pending.awaiting is Obligation.CONFIRM and view.has(PENDING)
    result = TurnResult(
        turn_id=turn.turn_id,
        reply=text,
        status=status,
        decisions=(),
        reasons=(reason,),
        citations=tuple(dict.fromkeys(passage.doc_id for passage in cited(draft, view))),
        quick_replies=view.get(QUICK_REPLIES, ()) if whole else (),
        checklist=view.get(CHECKLIST, ()) if draft.author.startswith("flow:") else (),
        confirmation=pending.call if asks and pending is not None else None,
        calls=() if text else _handed_over(view),
    )
    event = AuditEvent(
        kind=EventKind.RELEASE,
        turn_id=turn.turn_id,
        at=room.clock.now(),
        payload={
            "sentences": [*rest],
            "author": draft.author,
            "cites": list(result.citations),
            "status": status.value,
        },
    )
    audit = (event,) if rest else ()
    return Step((Report(stage=Stage.REPLY, reasons=(reason,)),), (RESULT.put(result),), audit)


def _handed_over(view: View) -> tuple[ToolCall, ...]:
    return tuple(one.call for one in view.get(RESULTS, ()) if one.outcome is ToolOutcome.HANDED_OVER)


def _status(view: View) -> ConversationStatus:
    """A customer who writes again after "resolved" has opened the matter again; once it has spoken, the bot is back."""
    status = view[SNAPSHOT].state.status
    if status is ConversationStatus.RESOLVED and view[CAUSE].kind is not CauseKind.OPERATOR_DECISION:
        return ConversationStatus.BOT
    return ConversationStatus.BOT if status is ConversationStatus.RETURNED_TO_BOT else status
