"""What the company knows about a customer: attributes and events, as source systems report them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, update

from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.store.people_tables import attributes, customer_events
from handrail.guardrails.vocabulary import FactContent

EVENTS_LIMIT = 500
_CONTENT: TypeAdapter[FactContent] = TypeAdapter(FactContent)


def put_attributes(connection: Connection, site: str, customer_id: str, values: Sequence[AttributeValue]) -> int:
    """Store the values that are news; an older or equally old observation changes nothing."""
    known = {
        row.name: row.observed_at
        for row in connection.execute(
            select(attributes.c.name, attributes.c.observed_at)
            .where(attributes.c.site == site, attributes.c.customer_id == customer_id)
            .with_for_update()
        )
    }
    changed = 0
    for value in sorted(values, key=lambda value: value.observed_at):
        columns = {
            "content": _CONTENT.dump_json(value.content).decode(),
            "source": value.source,
            "observed_at": value.observed_at,
        }
        if value.name not in known:
            connection.execute(
                insert(attributes).values(site=site, customer_id=customer_id, name=value.name, **columns)
            )
        elif value.observed_at > known[value.name]:
            connection.execute(
                update(attributes)
                .where(
                    attributes.c.site == site,
                    attributes.c.customer_id == customer_id,
                    attributes.c.name == value.name,
                    attributes.c.observed_at < value.observed_at,
                )
                .values(**columns)
            )
        else:
            continue
        known[value.name] = value.observed_at
        changed += 1
    return changed


def known_attributes(connection: Connection, site: str, customer_id: str) -> tuple[AttributeValue, ...]:
    """The latest value of every attribute, by name."""
    rows = connection.execute(
        select(attributes)
        .where(attributes.c.site == site, attributes.c.customer_id == customer_id)
        .order_by(attributes.c.name)
    )
    return tuple(
        AttributeValue(
            name=row.name,
            content=_CONTENT.validate_json(row.content),
            source=row.source,
            observed_at=row.observed_at,
        )
        for row in rows
    )


def put_events(connection: Connection, site: str, customer_id: str, events: Sequence[CustomerEvent]) -> int:
    """Store the events whose ids are new; returns how many."""
    fresh = {event.event_id: event for event in reversed(events)}
    if not fresh:
        return 0
    known = connection.execute(
        select(customer_events.c.event_id).where(
            customer_events.c.site == site,
            customer_events.c.customer_id == customer_id,
            customer_events.c.event_id.in_(fresh),
        )
    ).scalars()
    for event_id in known.all():
        del fresh[event_id]
    if fresh:
        connection.execute(
            insert(customer_events),
            [
                {
                    "site": site,
                    "customer_id": customer_id,
                    "event_id": event.event_id,
                    "kind": event.kind,
                    "at": event.at,
                    "source": event.source,
                    "details": json.dumps(event.details),
                }
                for event in fresh.values()
            ],
        )
    return len(fresh)


def events_since(
    connection: Connection, site: str, customer_id: str, since: datetime | None, limit: int | None = EVENTS_LIMIT
) -> tuple[CustomerEvent, ...]:
    """Events at or after `since`, oldest first; of more than `limit`, the latest."""
    statement = select(customer_events).where(
        customer_events.c.site == site, customer_events.c.customer_id == customer_id
    )
    if since is not None:
        statement = statement.where(customer_events.c.at >= since)
    statement = statement.order_by(customer_events.c.at.desc(), customer_events.c.event_id.desc())
    rows = connection.execute(statement if limit is None else statement.limit(limit)).all()
    return tuple(
        CustomerEvent(
            event_id=row.event_id, kind=row.kind, at=row.at, source=row.source, details=json.loads(row.details)
        )
        for row in reversed(rows)
    )
