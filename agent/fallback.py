"""The last line: a handoff made from the bundle alone, when the graph itself could not end the turn."""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from handrail.agent.channels import View
from handrail.agent.conversation import Received
from handrail.agent.hours import due
from handrail.agent.packet import packet
from handrail.agent.standing import WITH_A_PERSON
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Handoff,
    IdentityLevel,
    Priority,
    TurnResult,
)


def fallback_result(
    view: View, bundle: Bundle, received: Received, reasons: tuple[str, ...], now: datetime
) -> TurnResult:
    """A person takes over with whatever is known. Uses no port and cannot fail for reasons outside the bundle.

    Where a person has the conversation already, they keep it, and the machine says nothing.
    """
    status = received.snapshot.state.status
    if status in WITH_A_PERSON:
        return TurnResult(
            turn_id=received.turn.turn_id,
            reply="",
            status=status,
            decisions=(),
            reasons=(*reasons, "HANDOFF_STANDS"),
        )
    handoff = _handoff(view, bundle, received, reasons, now)
    team = next(iter(bundle.queues[handoff.queue].title.values()))
    return TurnResult(
        turn_id=received.turn.turn_id,
        reply=bundle.text("handoff_failed", None, team=team),
        status=ConversationStatus.QUEUED,
        decisions=(),
        reasons=(*reasons, "HANDOFF_CREATED"),
        handoff=handoff,
    )


def _handoff(view: View, bundle: Bundle, received: Received, reasons: tuple[str, ...], now: datetime) -> Handoff:
    handoff_id = uuid5(NAMESPACE_URL, f"handoff:{received.turn.turn_id}").hex
    try:
        return packet(view, bundle, handoff_id, reasons, now)
    except Exception:  # noqa: BLE001 - a packet with little in it is better than none
        queue = bundle.queues[bundle.manifest.default_queue]
        return Handoff(
            handoff_id=handoff_id,
            wants="see the conversation",
            reasons=reasons,
            next_step=bundle.next_steps["default"],
            queue=queue.id,
            skills=queue.skills,
            priority=Priority.HIGH,
            due_at=due(queue.hours, now, queue.first_response_minutes),
            identity=received.turn.identity if received.turn.customer_id else IdentityLevel.ANONYMOUS,
        )
