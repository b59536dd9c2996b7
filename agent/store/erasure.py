"""A customer's rights: a copy of everything stored about them, and its erasure."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from handrail.agent.conversation import (
    AuditEvent,
    ConversationState,
    CustomerExport,
    EventKind,
    ExportedConversation,
)
from handrail.agent.store import approvals, customers, handoffs, tables
from handrail.agent.store import conversations as rows
from handrail.agent.store.conversations import Place
from handrail.agent.store.ledger import Scribe, append
from handrail.agent.store.tables import audit_payloads, conversations, turns


def export(connection: Connection, site: str, customer_id: str) -> CustomerExport:
    """Everything stored about a customer; of a conversation, what was said and asked, not how it was decided."""
    return CustomerExport(
        site=site,
        customer_id=customer_id,
        attributes=customers.known_attributes(connection, site, customer_id),
        events=customers.events_since(connection, site, customer_id, since=None, limit=None),
        conversations=tuple(
            _exported(connection, place) for place in _places(connection, site, customer_id, lock=False)
        ),
    )


def _exported(connection: Connection, place: Place) -> ExportedConversation:
    standing = rows.find(connection, place)
    return ExportedConversation(
        conversation_id=place.conversation_id,
        channel=standing.channel,
        opened_at=standing.opened_at,
        status=ConversationState.model_validate_json(standing.state).status,
        messages=rows.listed(connection, place, after=0, limit=rows.HIGHEST_SEQ),
        handoffs=handoffs.of_conversation(connection, place),
        approvals=approvals.of_conversation(connection, place),
    )


def erase(connection: Connection, scribe: Scribe, site: str, customer_id: str, at: datetime) -> int:
    """Erase a customer; returns how many conversations that concerned."""
    places = _places(connection, site, customer_id, lock=True)
    for place in places:
        _erase_conversation(connection, scribe, place, at)
    for table in (tables.attributes, tables.customer_events):
        connection.execute(delete(table).where(table.c.site == site, table.c.customer_id == customer_id))
    return len(places)


def _erase_conversation(connection: Connection, scribe: Scribe, place: Place, at: datetime) -> None:
    for table in (tables.messages, tables.journal, tables.approvals, tables.handoffs):
        connection.execute(
            delete(table).where(table.c.site == place.site, table.c.conversation_id == place.conversation_id)
        )
    connection.execute(
        update(turns)
        .where(turns.c.site == place.site, turns.c.conversation_id == place.conversation_id)
        # The key may hold anything that the client chose; the turn's own id keeps it unique.
        .values(text="", result=None, key=turns.c.turn_id)
    )
    payloads = connection.execute(
        delete(audit_payloads).where(
            audit_payloads.c.site == place.site, audit_payloads.c.conversation_id == place.conversation_id
        )
    ).rowcount
    connection.execute(
        update(conversations)
        .where(conversations.c.site == place.site, conversations.c.conversation_id == place.conversation_id)
        .values(
            customer_id=None,
            state=ConversationState().model_dump_json(),
            erased_at=at,
            # INVARIANT: a turn that runs now cannot write the customer's words back: its lease is gone.
            lease_owner=None,
            lease_token=None,
            lease_turn=None,
            lease_until=None,
            version=conversations.c.version + 1,
        )
    )
    event = AuditEvent(kind=EventKind.ERASURE, turn_id="", at=at, payload={"payloads": payloads})
    append(connection, place.site, place.conversation_id, scribe.seal(place.site, None, [event]))


def _places(connection: Connection, site: str, customer_id: str, *, lock: bool) -> tuple[Place, ...]:
    statement = (
        select(conversations.c.site, conversations.c.conversation_id)
        .where(conversations.c.site == site, conversations.c.customer_id == customer_id)
        .order_by(conversations.c.opened_at, conversations.c.conversation_id)
    )
    found = connection.execute(statement.with_for_update() if lock else statement)
    return tuple(Place(site_name, conversation_id) for site_name, conversation_id in found)
