"""Turns, row by row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from handrail.agent.store.conversations import Place, Standing
from handrail.agent.store.tables import turns
from handrail.guardrails.vocabulary import Role, Turn


class Progress(StrEnum):
    """How far a turn got."""

    RECEIVED = "received"
    FINISHED = "finished"


class StoredTurn(NamedTuple):
    """A turn's row. Messages numbered from `before_message` on came with it or later."""

    turn_id: str
    place: Place
    text: str
    before_message: int
    progress: Progress
    at: datetime
    result: str | None
    sender: Role


OPERATOR_KEY = "o:"
"""How the keys of turns begin that an operator's decision caused; those of customers begin otherwise."""


def _sender(key: str) -> Role:
    return Role.OPERATOR if key.startswith(OPERATOR_KEY) else Role.CUSTOMER


_ADD = insert(turns)
_BY_KEY = select(turns).where(
    turns.c.site == bindparam("site"),
    turns.c.conversation_id == bindparam("conversation_id"),
    turns.c.key == bindparam("key"),
)


def add(connection: Connection, stored: StoredTurn, key: str) -> None:
    """Store a turn that begins."""
    connection.execute(
        _ADD,
        {
            **stored.place._asdict(),
            "turn_id": stored.turn_id,
            "key": key,
            "text": stored.text,
            "before_message": stored.before_message,
            "progress": stored.progress.value,
            "at": stored.at,
        },
    )


def by_key(connection: Connection, place: Place, key: str) -> StoredTurn | None:
    """The turn that a conversation has under an idempotency key."""
    row = connection.execute(_BY_KEY, {**place._asdict(), "key": key}).one_or_none()
    return (
        None
        if row is None
        else StoredTurn(
            row.turn_id,
            place,
            row.text,
            row.before_message,
            Progress(row.progress),
            row.at,
            row.result,
            _sender(row.key),
        )
    )


def by_id(connection: Connection, turn_id: str) -> StoredTurn | None:
    """One turn."""
    row = connection.execute(select(turns).where(turns.c.turn_id == turn_id)).one_or_none()
    return (
        None
        if row is None
        else StoredTurn(
            row.turn_id,
            Place(row.site, row.conversation_id),
            row.text,
            row.before_message,
            Progress(row.progress),
            row.at,
            row.result,
            _sender(row.key),
        )
    )


def turn_of(stored: StoredTurn, standing: Standing) -> Turn:
    """The turn as the flow knows it."""
    return Turn(
        turn_id=stored.turn_id,
        site=stored.place.site,
        conversation_id=stored.place.conversation_id,
        customer_id=standing.customer_id,
        identity=standing.identity,
        channel=standing.channel,
        text=stored.text,
        at=stored.at,
        sender=stored.sender,
    )
