"""The feed of a conversation, row by row: what its clients are told, in the order of its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue, TypeAdapter
from sqlalchemy import Connection, bindparam, func, insert, select

from handrail.agent.feed import Entry, HandoffQueued, Item
from handrail.agent.store import handoffs
from handrail.agent.store.conversations import HIGHEST_SEQ, Place, Standing, storable
from handrail.agent.store.tables import conversations, feed

_ITEM: TypeAdapter[Item] = TypeAdapter(Item)
# Built once: putting a statement together costs more than running it.
_ADD = insert(feed)
_AFTER = (
    select(feed.c.seq, feed.c.item)
    .where(
        feed.c.site == bindparam("site"),
        feed.c.conversation_id == bindparam("conversation_id"),
        feed.c.seq > bindparam("after"),
    )
    .order_by(feed.c.seq)
    .limit(bindparam("most"))
)
_HEADS = select(conversations.c.conversation_id, conversations.c.last_item).where(
    conversations.c.site == bindparam("site"),
    conversations.c.conversation_id.in_(bindparam("names", expanding=True)),
    conversations.c.erased_at.is_(None),
)

QUEUED_EVENT = "handoff.queued"
_NEWEST_QUEUED = (
    select(feed.c.conversation_id, func.max(feed.c.seq).label("seq"))
    .where(
        feed.c.site == bindparam("site"),
        feed.c.conversation_id.in_(bindparam("names", expanding=True)),
        feed.c.event == bindparam("event"),
    )
    .group_by(feed.c.conversation_id)
    .subquery()
)
_QUEUED = select(feed.c.conversation_id, feed.c.item).join(
    _NEWEST_QUEUED,
    (feed.c.conversation_id == _NEWEST_QUEUED.c.conversation_id)
    & (feed.c.seq == _NEWEST_QUEUED.c.seq)
    & (feed.c.site == bindparam("site")),
)


def add(connection: Connection, standing: Standing, items: Sequence[Item], at: datetime) -> int:
    """Store the next items of a locked conversation; returns the number of the newest, for `last_item` of the row."""
    if items:
        connection.execute(
            _ADD,
            [
                {
                    **standing.place._asdict(),
                    "seq": number,
                    "event": item.event,
                    "item": json.dumps(_mended(item.model_dump(mode="json"))),
                    "at": at,
                }
                for number, item in enumerate(items, start=standing.last_item + 1)
            ],
        )
    return standing.last_item + len(items)


def _mended(value: JsonValue) -> JsonValue:
    """`value` with every text as databases can hold it, and as the message itself is stored."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): _mended(each) for name, each in value.items()}
    return value


def listed(connection: Connection, place: Place, after: int, limit: int) -> tuple[Entry, ...]:
    """Items numbered above `after`, in order, at most `limit`."""
    # A client may name any number as the last that it saw; databases refuse numbers that are too large.
    after = min(after, HIGHEST_SEQ)
    rows = connection.execute(_AFTER, {**place._asdict(), "after": after, "most": limit})
    return tuple(Entry(seq=seq, item=_ITEM.validate_json(item)) for seq, item in rows)


def heads(connection: Connection, site: str, conversation_ids: Sequence[str]) -> Mapping[str, int]:
    """The number of the newest item of each conversation that there is."""
    rows = connection.execute(_HEADS, {"site": site, "names": list(dict.fromkeys(conversation_ids))})
    return {name: number for name, number in rows}  # noqa: C416 - a row is no pair to the type checker


def standings(connection: Connection, site: str, conversation_ids: Sequence[str]) -> Mapping[str, HandoffQueued]:
    """What was last told about the queue to those of the conversations that wait, with the position of now."""
    places = handoffs.places(connection, site)
    waiting = [name for name in dict.fromkeys(conversation_ids) if name in places]
    if not waiting:
        return {}
    newest = connection.execute(_QUEUED, {"site": site, "names": waiting, "event": QUEUED_EVENT})
    told = {name: HandoffQueued.model_validate_json(item) for name, item in newest}
    return {name: item.model_copy(update={"position": places[name]}) for name, item in told.items()}
