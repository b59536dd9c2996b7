"""The journal of write calls: what was about to run, and how it ended."""

from __future__ import annotations

import json

from sqlalchemy import Connection, insert, select, update

from handrail.agent.conversation import JournalEntry, JournalState
from handrail.agent.store.conversations import Place
from handrail.agent.store.tables import journal
from handrail.agent.store_port import StoreError
from handrail.guardrails.vocabulary import ToolCall


def intend(connection: Connection, place: Place, entry: JournalEntry) -> None:
    """Store a call before it runs. Raises StoreError when its key is there already: it must not run again."""
    if entry.state is not JournalState.INTENDED:
        raise ValueError(f"a call is journalled as intended first, not as {entry.state}")
    known = connection.execute(
        select(journal.c.state).where(journal.c.site == place.site, journal.c.key == entry.key)
    ).scalar_one_or_none()
    if known is not None:
        raise StoreError(f"the call with key {entry.key} was journalled before ({known}): look up its outcome instead")
    connection.execute(
        insert(journal).values(
            site=place.site,
            key=entry.key,
            conversation_id=place.conversation_id,
            turn_id=entry.turn_id,
            call=entry.call.model_dump_json(),
            digest=entry.digest,
            state=entry.state.value,
            content=json.dumps(entry.content),
            intended_at=entry.at,
            at=entry.at,
        )
    )


def conclude(connection: Connection, place: Place, entry: JournalEntry) -> None:
    """Store how an intended call ended; the same ending twice is fine. Raises StoreError for any other change."""
    if entry.state is JournalState.INTENDED:
        raise ValueError("a call is concluded as succeeded, failed or unknown")
    row = connection.execute(
        select(journal.c.state, journal.c.turn_id, journal.c.digest)
        .where(journal.c.site == place.site, journal.c.key == entry.key)
        .with_for_update()
    ).one_or_none()
    if row is None or row.turn_id != entry.turn_id or row.digest != entry.digest:
        raise StoreError(f"no such call was journalled under key {entry.key}: journal it before it runs")
    # `unknown` may still become known: the company's system answers later, or a person looks.
    if JournalState(row.state) not in {JournalState.INTENDED, JournalState.UNKNOWN, entry.state}:
        raise StoreError(f"the call with key {entry.key} ended as {row.state} already")
    connection.execute(
        update(journal)
        .where(journal.c.site == place.site, journal.c.key == entry.key)
        .values(state=entry.state.value, content=json.dumps(entry.content), at=entry.at)
    )


def of_turn(connection: Connection, site: str, turn_id: str) -> tuple[JournalEntry, ...]:
    """The calls of a turn, in the order in which they were intended."""
    rows = connection.execute(
        select(journal)
        .where(journal.c.site == site, journal.c.turn_id == turn_id)
        .order_by(journal.c.intended_at, journal.c.key)
    )
    return tuple(
        JournalEntry(
            turn_id=row.turn_id,
            call=ToolCall.model_validate_json(row.call),
            digest=row.digest,
            key=row.key,
            state=JournalState(row.state),
            content=json.loads(row.content),
            at=row.at,
        )
        for row in rows
    )
