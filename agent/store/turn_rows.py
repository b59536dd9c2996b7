"""Turns, row by row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from handrail.agent.conversation import LatestTurn
from handrail.agent.store.conversations import Place, Standing
from handrail.agent.store.tables import turns
from handrail.guardrails.vocabulary import Role, Turn, TurnResult


class Progress(StrEnum):
    """How far a turn got."""

    RECEIVED = "received"
    FINISHED = "finished"


class StoredTurn(NamedTuple):
    """A turn's row. Messages numbered from `before_message` on came with it or later.

    `arrival` orders the turns of a conversation as they came; turns from before there was such a number have 0.
    """

    turn_id: str
    place: Place
    text: str
    before_message: int
    arrival: int
    progress: Progress
    at: datetime
    result: str | None
    sender: Role


CUSTOMER_KEY = "c:"
OPERATOR_KEY = "o:"
CONTINUED_KEY = "b:"
"""How the keys of turns begin that a customer's message, an operator's decision, or results of calls caused."""

_SENDERS = {OPERATOR_KEY: Role.OPERATOR, CONTINUED_KEY: Role.BOT}


def _sender(key: str) -> Role:
    return _SENDERS.get(key[:2], Role.CUSTOMER)


_ADD = insert(turns)
_HERE = (turns.c.site == bindparam("site")) & (turns.c.conversation_id == bindparam("conversation_id"))
_NEWEST_FIRST = (turns.c.arrival.desc(), turns.c.before_message.desc(), turns.c.at.desc(), turns.c.turn_id.desc())
_LATEST = (
    select(turns.c.turn_id, turns.c.key, turns.c.text, turns.c.at)
    .where(_HERE, turns.c.key.startswith(CUSTOMER_KEY))
    .order_by(*_NEWEST_FIRST)
    .limit(1)
)
_RESULTS = (
    select(turns.c.result).where(_HERE, turns.c.result.is_not(None)).order_by(*_NEWEST_FIRST).limit(bindparam("most"))
)
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
            "arrival": stored.arrival,
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
            row.arrival,
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
            row.arrival,
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


def latest(connection: Connection, place: Place) -> LatestTurn | None:
    """The turn of the customer's newest message."""
    row = connection.execute(_LATEST, place._asdict()).one_or_none()
    if row is None:
        return None
    return LatestTurn(turn_id=row.turn_id, key=row.key.removeprefix(CUSTOMER_KEY), text=row.text, at=row.at)


def results(connection: Connection, place: Place, limit: int) -> tuple[TurnResult, ...]:
    """The results of the latest `limit` finished turns, in the order in which the turns came."""
    rows = connection.execute(_RESULTS, {**place._asdict(), "most": limit}).scalars().all()
    return tuple(TurnResult.model_validate_json(result) for result in reversed(rows))
