"""A customer's rights: a copy of everything stored about them, and its erasure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection, Table, delete, select, update

from handrail.agent.conversation import AuditEvent, ConversationState, EventKind
from handrail.agent.export import CustomerExport, ExportedConversation
from handrail.agent.store import approvals, attachments, belongings, customers, feeds, handoffs, people_tables, tables
from handrail.agent.store import conversations as rows
from handrail.agent.store.audit_tables import audit_events, audit_payloads
from handrail.agent.store.claims import NO_LEASE
from handrail.agent.store.conversations import Place
from handrail.agent.store.ledger import Scribe, append
from handrail.agent.store.tables import conversations, turns

_OF_THE_CUSTOMER: Final[tuple[Table, ...]] = (
    tables.feed,
    tables.messages,
    tables.moves,
    tables.journal,
    people_tables.approvals,
    people_tables.handoffs,
    tables.ratings,
    tables.consents,
    tables.files,
)
"""Tables of which nothing stays; accounts and sessions of operators are not the customer's."""


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
        status=standing.status,
        messages=rows.listed(connection, place, after=0, limit=rows.HIGHEST_SEQ),
        handoffs=handoffs.of_conversation(connection, place),
        approvals=approvals.of_conversation(connection, place),
        feed=feeds.listed(connection, place, after=0, limit=rows.HIGHEST_SEQ),
        files=attachments.of_conversation(connection, place),
        rating=belongings.rating(connection, place),
        consents=belongings.consented(connection, place),
    )


def erase(connection: Connection, scribe: Scribe, site: str, customer_id: str, at: datetime) -> int:
    """Erase a customer; returns how many conversations that concerned."""
    places = _places(connection, site, customer_id, lock=True)
    for place in places:
        erase_conversation(connection, scribe, place, at)
    for table in (people_tables.attributes, people_tables.customer_events):
        connection.execute(delete(table).where(table.c.site == site, table.c.customer_id == customer_id))
    return len(places)


def erase_conversation(connection: Connection, scribe: Scribe, place: Place, at: datetime) -> None:
    """Erase one conversation. Raises UnknownConversation, also for one that was erased before."""
    rows.find(connection, place, lock=True)
    for table in _OF_THE_CUSTOMER:
        connection.execute(
            delete(table).where(table.c.site == place.site, table.c.conversation_id == place.conversation_id)
        )
    connection.execute(
        update(turns)
        .where(turns.c.site == place.site, turns.c.conversation_id == place.conversation_id)
        # The key may hold anything that the client chose; the turn's own id keeps it unique.
        .values(text="", result=None, key=turns.c.turn_id)
    )
    staff = _staff(connection, place)
    payloads = connection.execute(
        delete(audit_payloads).where(
            audit_payloads.c.site == place.site, audit_payloads.c.conversation_id == place.conversation_id
        )
    ).rowcount
    state = ConversationState()
    rows.change(
        connection,
        place,
        {
            "customer_id": None,
            "status": state.status.value,
            "state": state.model_dump_json(),
            "holder": None,
            "handoff_id": None,
            "erased_at": at,
            # INVARIANT: a turn that runs now cannot write the customer's words back: its lease is gone.
            **NO_LEASE,
        },
    )
    event = AuditEvent(kind=EventKind.ERASURE, turn_id="", at=at, payload={"payloads": payloads, "staff": list(staff)})
    append(connection, place.site, place.conversation_id, scribe.seal(place.site, None, [event]))


def _staff(connection: Connection, place: Place) -> tuple[dict[str, JsonValue], ...]:
    """Who of the staff did what, when: that is no word about the customer, and stays when all else goes."""
    found = connection.execute(
        select(audit_events.c.at, audit_payloads.c.payload)
        .join(
            audit_payloads,
            (audit_payloads.c.site == audit_events.c.site)
            & (audit_payloads.c.conversation_id == audit_events.c.conversation_id)
            & (audit_payloads.c.seq == audit_events.c.seq),
        )
        .where(
            audit_events.c.site == place.site,
            audit_events.c.conversation_id == place.conversation_id,
            audit_events.c.kind.in_((EventKind.OPERATOR_ACTION.value, EventKind.OPERATOR_DECISION.value)),
        )
        .order_by(audit_events.c.seq)
    )
    acted = ((at, json.loads(payload)) for at, payload in found)
    return tuple(
        {"by": payload["by"], "action": payload.get("action"), "at": at}
        for at, payload in acted
        if isinstance(payload.get("by"), str)
    )


def _places(connection: Connection, site: str, customer_id: str, *, lock: bool) -> tuple[Place, ...]:
    statement = (
        select(conversations.c.site, conversations.c.conversation_id)
        .where(conversations.c.site == site, conversations.c.customer_id == customer_id)
        .order_by(conversations.c.opened_at, conversations.c.conversation_id)
    )
    found = connection.execute(statement.with_for_update() if lock else statement)
    return tuple(Place(site_name, conversation_id) for site_name, conversation_id in found)
