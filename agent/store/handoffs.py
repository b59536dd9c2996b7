"""Handoffs that wait for a person: at most one per conversation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from handrail.agent.conversation import QueuedHandoff
from handrail.agent.store.conversations import Place
from handrail.agent.store.people_tables import handoffs
from handrail.agent.store_port import StoreError
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
    """Store a turn's handoff, which replaces an open one; close the open one when a person has come.

    Who is handed over again while waiting keeps the time of the first request, and so the place in line.
    """
    since = at if handoff is None else _waits_since(connection, place) or at
    if handoff is not None or status in TAKEN:
        close(connection, place, at)
    if handoff is not None:
        put(connection, place, handoff, since, closed_at=at if status in TAKEN else None)


def _waits_since(connection: Connection, place: Place) -> datetime | None:
    since: datetime | None = connection.execute(
        select(func.min(handoffs.c.at)).where(
            handoffs.c.site == place.site,
            handoffs.c.conversation_id == place.conversation_id,
            handoffs.c.closed_at.is_(None),
        )
    ).scalar_one()
    return since


def close(connection: Connection, place: Place, at: datetime) -> None:
    """End the waiting; nothing happens when nobody waits."""
    connection.execute(
        update(handoffs)
        .where(
            handoffs.c.site == place.site,
            handoffs.c.conversation_id == place.conversation_id,
            handoffs.c.closed_at.is_(None),
        )
        .values(closed_at=at)
    )


def put(connection: Connection, place: Place, handoff: Handoff, at: datetime, closed_at: datetime | None) -> None:
    """Store a packet, waiting from `at` on unless it is closed."""
    connection.execute(
        insert(handoffs).values(
            site=place.site,
            handoff_id=handoff.handoff_id,
            conversation_id=place.conversation_id,
            packet=handoff.model_dump_json(),
            queue=handoff.queue,
            urgency=-handoff.priority.rank,
            at=at,
            closed_at=closed_at,
        )
    )


def reopen(connection: Connection, place: Place, handoff_id: str | None) -> None:
    """Let a packet wait again, from when the person was first asked for: who waited before is not last now.

    Raises StoreError when there is no such packet.
    """
    reopened = connection.execute(
        update(handoffs)
        .where(
            handoffs.c.site == place.site,
            handoffs.c.conversation_id == place.conversation_id,
            handoffs.c.handoff_id == handoff_id,
        )
        .values(closed_at=None)
    )
    if reopened.rowcount != 1:
        raise StoreError("there is no packet to queue the conversation with again: give one")


def one(connection: Connection, site: str, handoff_id: str | None) -> Handoff | None:
    """One packet, open or closed."""
    packet = connection.execute(
        select(handoffs.c.packet).where(handoffs.c.site == site, handoffs.c.handoff_id == handoff_id)
    ).scalar_one_or_none()
    return None if packet is None else Handoff.model_validate_json(packet)


def places(connection: Connection, site: str) -> Mapping[str, int]:
    """Where each conversation that waits stands in line, from 1; reads no packet."""
    rows = connection.execute(
        select(handoffs.c.conversation_id)
        .where(handoffs.c.site == site, handoffs.c.closed_at.is_(None))
        .order_by(handoffs.c.urgency, handoffs.c.at, handoffs.c.handoff_id)
    )
    return {name: number for number, name in enumerate(rows.scalars(), start=1)}


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
