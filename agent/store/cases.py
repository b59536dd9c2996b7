"""Conversations as the people who look after them see them: the queue, and one case whole."""

from __future__ import annotations

from sqlalchemy import Connection, Row, and_, exists, func, select

from handrail.agent.case import Case, CaseQuery, CaseSummary
from handrail.agent.conversation import ApprovalState
from handrail.agent.store import approvals, attachments, handoffs, turn_rows
from handrail.agent.store import conversations as rows
from handrail.agent.store.conversations import Place, find
from handrail.agent.store.people_tables import approvals as approval_table
from handrail.agent.store.people_tables import handoffs as handoff_table
from handrail.agent.store.tables import conversations
from handrail.guardrails.vocabulary import ConversationStatus, Handoff, Priority

LEAST_URGENT = 1
"""Conversations without a packet stand behind all that have one; urgencies of packets are 0 or less."""

_AWAITS = exists().where(
    approval_table.c.site == conversations.c.site,
    approval_table.c.conversation_id == conversations.c.conversation_id,
    approval_table.c.state == ApprovalState.PENDING.value,
)
_SUMMARIES = (
    select(
        conversations.c.conversation_id,
        conversations.c.status,
        conversations.c.holder,
        conversations.c.opened_at,
        handoff_table.c.packet,
        handoff_table.c.at.label("asked_at"),
        _AWAITS.label("awaits_approval"),
    )
    .outerjoin(
        handoff_table,
        and_(
            handoff_table.c.site == conversations.c.site,
            handoff_table.c.handoff_id == conversations.c.handoff_id,
        ),
    )
    .where(conversations.c.erased_at.is_(None))
    .order_by(
        func.coalesce(handoff_table.c.urgency, LEAST_URGENT),
        func.coalesce(handoff_table.c.at, conversations.c.opened_at),
        conversations.c.conversation_id,
    )
)


def listed(connection: Connection, site: str, query: CaseQuery) -> tuple[CaseSummary, ...]:
    """What `query` asks for, most urgent first, then oldest first."""
    statement = _SUMMARIES.where(conversations.c.site == site)
    if query.statuses:
        statement = statement.where(conversations.c.status.in_(sorted(status.value for status in query.statuses)))
    if query.queue is not None:
        statement = statement.where(handoff_table.c.queue == query.queue)
    if query.holder is not None:
        statement = statement.where(conversations.c.holder == query.holder)
    return tuple(_summary(row) for row in connection.execute(statement.limit(query.limit)))


def _summary(row: Row[tuple[object, ...]]) -> CaseSummary:
    packet = None if row.packet is None else Handoff.model_validate_json(row.packet)
    return CaseSummary(
        conversation_id=row.conversation_id,
        status=ConversationStatus(row.status),
        holder=row.holder,
        queue="" if packet is None else packet.queue,
        priority=Priority.NORMAL if packet is None else packet.priority,
        due_at=None if packet is None else packet.due_at,
        since=row.opened_at if packet is None else row.asked_at,
        wants="" if packet is None else packet.wants,
        awaits_approval=bool(row.awaits_approval),
    )


def whole(connection: Connection, place: Place) -> Case:
    """All that a person needs of one conversation. Raises UnknownConversation."""
    standing = find(connection, place)
    return Case(
        conversation_id=place.conversation_id,
        channel=standing.channel,
        customer_id=standing.customer_id,
        identity=standing.identity,
        status=standing.status,
        holder=standing.holder,
        opened_at=standing.opened_at,
        packet=handoffs.one(connection, place.site, standing.handoff_id),
        messages=rows.listed(connection, place, after=0, limit=rows.HIGHEST_SEQ),
        approvals=approvals.of_conversation(connection, place),
        files=attachments.of_conversation(connection, place),
        turns=turn_rows.results(connection, place, limit=rows.HIGHEST_SEQ),
    )
