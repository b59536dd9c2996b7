"""Replies that leave while they are written: what has left, and whether more may be written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from handrail.agent.conversation import FinishedTurn
from handrail.agent.feed import MessageDelta
from handrail.agent.store import feeds
from handrail.agent.store.conversations import Lease, Place, Standing, change, find, storable
from handrail.agent.store.tables import feed, moves
from handrail.agent.store_port import UnknownConversation
from handrail.guardrails.vocabulary import Turn

_EVENT = "message.delta"
_HERE = (feed.c.site == bindparam("site")) & (feed.c.conversation_id == bindparam("conversation_id"))
_PIECES = select(feed.c.seq, feed.c.item).where(_HERE, feed.c.event == _EVENT).order_by(feed.c.seq)


def tell(connection: Connection, standing: Standing, piece: MessageDelta, at: datetime) -> None:
    """Add the next piece of a reply to the feed of a locked conversation."""
    change(connection, standing.place, {"last_item": feeds.add(connection, standing, [piece], at)})


def told(connection: Connection, place: Place, turn_id: str) -> str:
    """The beginning of the reply of a turn that has left."""
    return "".join(piece.text for piece in _pieces(connection, place, turn_id).values())


def completed(connection: Connection, finished: FinishedTurn) -> None:
    """Let the whole reply take the place of its pieces.

    INVARIANT: what has left stays. Raises ValueError for a reply that does not begin with it.
    """
    place = Place(finished.turn.site, finished.turn.conversation_id)
    pieces = _pieces(connection, place, finished.turn.turn_id)
    if not storable(finished.result.reply).startswith("".join(piece.text for piece in pieces.values())):
        raise ValueError("the reply does not begin with what has left of it")
    if pieces:
        connection.execute(
            delete(feed).where(
                feed.c.site == place.site,
                feed.c.conversation_id == place.conversation_id,
                feed.c.seq.in_(list(pieces)),
            )
        )


def _pieces(connection: Connection, place: Place, turn_id: str) -> dict[int, MessageDelta]:
    """The stored pieces of a turn's reply by their number, in order."""
    rows = connection.execute(_PIECES, place._asdict())
    found = {seq: MessageDelta.model_validate_json(item) for seq, item in rows}
    return {seq: piece for seq, piece in found.items() if piece.turn_id == turn_id}


def call_off(connection: Connection, place: Place, turn_id: str, at: datetime) -> None:
    """Note that a person wants the conversation in which this turn runs."""
    if not _is_called_off(connection, place, turn_id):
        connection.execute(insert(moves).values(**place._asdict(), key=_called_off(turn_id), message_id=None, at=at))


def may_write(connection: Connection, lease: Lease, turn: Turn) -> bool:
    """Whether the turn still runs under `lease`, and nobody has called it off."""
    place = Place(turn.site, turn.conversation_id)
    try:
        standing = find(connection, place)
    except UnknownConversation:
        return False
    held = standing.lease is not None and standing.lease.token == lease.token
    return held and not _is_called_off(connection, place, turn.turn_id)


def _is_called_off(connection: Connection, place: Place, turn_id: str) -> bool:
    known = select(moves.c.key).where(
        moves.c.site == place.site,
        moves.c.conversation_id == place.conversation_id,
        moves.c.key == _called_off(turn_id),
    )
    return connection.execute(known).one_or_none() is not None


def _called_off(turn_id: str) -> str:
    # With a space, which no key of a client has.
    return f"called off: {turn_id}"
