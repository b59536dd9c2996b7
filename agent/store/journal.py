"""The journal of write calls: what was about to run, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, text, update

from handrail.agent.conversation import Granted, JournalEntry, JournalState
from handrail.agent.store.conversations import Place
from handrail.agent.store.tables import conversations, journal
from handrail.agent.store_port import GrantsMoved, StoreError
from handrail.guardrails.gate.amounts import Amount, Grant
from handrail.guardrails.vocabulary import ToolCall

_AMOUNTS: TypeAdapter[tuple[Amount, ...]] = TypeAdapter(tuple[Amount, ...])
_QUEUE_UP = text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))")


def intend(connection: Connection, place: Place, entry: JournalEntry, seen: Granted | None = None) -> None:
    """Store a call before it runs. Raises StoreError when its key is there already: it must not run again.

    Raises GrantsMoved when the customer has been granted something else by now than the decision has `seen`.
    """
    if entry.state is not JournalState.INTENDED:
        raise ValueError(f"a call is journalled as intended first, not as {entry.state}")
    if seen is not None:
        _one_by_one(connection, place.site, seen.customer_id)
        if granted(connection, place.site, seen.customer_id, seen.tools, seen.since, seen.but) != seen:
            raise GrantsMoved("the customer was granted something else meanwhile: decide the call again")
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
            amounts=_AMOUNTS.dump_json(entry.amounts).decode(),
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


def _one_by_one(connection: Connection, site: str, customer_id: str) -> None:
    """Let the customer's writes begin one after the other, in whatever conversation, until the transaction ends.

    SQLite has its single writer for that. Conversations are locked before, so nobody waits in a circle.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_QUEUE_UP, {"whose": json.dumps([site, customer_id])})


def granted(
    connection: Connection, site: str, customer_id: str, tools: Sequence[str], since: datetime, but: str
) -> Granted:
    """What a customer was granted by `tools` since an instant; what failed was not."""
    rows = connection.execute(
        select(journal.c.key, journal.c.call, journal.c.amounts, journal.c.intended_at)
        .join(
            conversations,
            (conversations.c.site == journal.c.site) & (conversations.c.conversation_id == journal.c.conversation_id),
        )
        .where(
            conversations.c.site == site,
            conversations.c.customer_id == customer_id,
            journal.c.intended_at >= since,
            journal.c.state != JournalState.FAILED.value,
            journal.c.key != but,
        )
        .order_by(journal.c.intended_at, journal.c.key)
    )
    found = (
        Grant(
            key=row.key,
            tool=json.loads(row.call)["tool"],
            at=row.intended_at,
            amounts=_AMOUNTS.validate_json(row.amounts),
        )
        for row in rows
    )
    return Granted(
        customer_id=customer_id,
        tools=tuple(tools),
        since=since,
        but=but,
        grants=tuple(grant for grant in found if grant.tool in tools),
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
            amounts=_AMOUNTS.validate_json(row.amounts),
            at=row.at,
        )
        for row in rows
    )
