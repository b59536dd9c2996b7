"""Handoffs that wait for a person: at most one per conversation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from handrail.agent.conversation import QueuedHandoff
from handrail.agent.store.conversations import Place
from handrail.agent.store.tables import handoffs
from handrail.guardrails.vocabulary import ConversationStatus, Handoff

TAKEN = frozenset(
    {
        ConversationStatus.ACCEPTED,
        ConversationStatus.HUMAN,
        ConversationStatus.RETURNED_TO_BOT,
        ConversationStatus.RESOLVED,
    }
)
"""Statuses in which nobody waits for a person any more."""


def settle(
    connection: Connection, place: Place, handoff: Handoff | None, status: ConversationStatus, at: datetime
) -> None:
    """Store a turn's handoff, which replaces an open one; close the open one when a person has come."""
    if handoff is not None or status in TAKEN:
        connection.execute(
            update(handoffs)
            .where(
                handoffs.c.site == place.site,
                handoffs.c.conversation_id == place.conversation_id,
                handoffs.c.closed_at.is_(None),
            )
            .values(closed_at=at)
        )
    if handoff is not None:
        connection.execute(
            insert(handoffs).values(
                site=place.site,
                handoff_id=handoff.handoff_id,
                conversation_id=place.conversation_id,
                packet=handoff.model_dump_json(),
                urgency=-handoff.priority.rank,
                at=at,
            )
        )


def waiting(connection: Connection, site: str) -> tuple[QueuedHandoff, ...]:
    """Open handoffs, most urgent first, then oldest first."""
    rows = connection.execute(
        select(handoffs.c.conversation_id, handoffs.c.packet, handoffs.c.at)
        .where(handoffs.c.site == site, handoffs.c.closed_at.is_(None))
        .order_by(handoffs.c.urgency, handoffs.c.at, handoffs.c.handoff_id)
    )
    return tuple(
        QueuedHandoff(conversation_id=conversation_id, handoff=Handoff.model_validate_json(packet), at=at)
        for conversation_id, packet, at in rows
    )


def of_conversation(connection: Connection, place: Place) -> tuple[Handoff, ...]:
    """Every handoff of a conversation, oldest first."""
    rows = connection.execute(
        select(handoffs.c.packet)
        .where(handoffs.c.site == place.site, handoffs.c.conversation_id == place.conversation_id)
        .order_by(handoffs.c.at, handoffs.c.handoff_id)
    )
    return tuple(Handoff.model_validate_json(packet) for (packet,) in rows)
