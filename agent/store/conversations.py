"""Conversations and their messages, row by row."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from handrail.agent.conversation import HISTORY_LIMIT, ConversationState, Snapshot
from handrail.agent.store.tables import conversations, messages
from handrail.agent.store_port import StoreError, UnknownConversation
from handrail.guardrails.vocabulary import IdentityLevel, Message, Role

LONGEST_NAME = 200
LONGEST_IDENTIFIER = 400
"""Both in characters; SQLite would store more, PostgreSQL refuses: so the store refuses on both."""

HIGHEST_SEQ = 2**31 - 1


class Place(NamedTuple):
    """Where a record belongs: a conversation of a site."""

    site: str
    conversation_id: str


def new_id(kind: str) -> str:
    """An unguessable identifier (128 bits) that shows what it names: `c`, `t` or `m`."""
    return f"{kind}_{secrets.token_hex(16)}"


def storable(text: str) -> str:
    """`text` as both databases can hold it: NUL and lone surrogates become the replacement character."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def checked(what: str, value: str, longest: int = LONGEST_IDENTIFIER) -> str:
    """`value` when it can be stored as an identifier. Raises StoreError."""
    if not 0 < len(value) <= longest or storable(value) != value:
        raise StoreError(f"the {what} must have 1 to {longest} storable characters")
    return value


def create(
    connection: Connection, place: Place, channel: str, customer_id: str | None, identity: IdentityLevel, at: datetime
) -> None:
    """Store an empty conversation."""
    state = ConversationState()
    connection.execute(
        insert(conversations).values(
            site=place.site,
            conversation_id=place.conversation_id,
            channel=channel,
            customer_id=customer_id,
            identity=identity.value,
            opened_at=at,
            status=state.status.value,
            state=state.model_dump_json(),
            version=0,
            last_message=0,
        )
    )


def locked(connection: Connection, place: Place) -> Row[tuple[object, ...]]:
    """The conversation's row, locked until the transaction ends. Raises UnknownConversation."""
    row = connection.execute(_one(place).with_for_update()).one_or_none()
    if row is None or row.erased_at is not None:
        raise UnknownConversation("there is no such conversation: open one first")
    return row


def seen(connection: Connection, place: Place) -> Row[tuple[object, ...]]:
    """The conversation's row, for reading. Raises UnknownConversation."""
    row = connection.execute(_one(place)).one_or_none()
    if row is None or row.erased_at is not None:
        raise UnknownConversation("there is no such conversation: open one first")
    return row


def _one(place: Place):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return select(conversations).where(
        conversations.c.site == place.site, conversations.c.conversation_id == place.conversation_id
    )
