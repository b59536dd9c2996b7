"""Conversations and their messages, row by row."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from handrail.agent.conversation import HISTORY_LIMIT, ConversationState, JournalState, Snapshot
from handrail.agent.store.tables import consents, conversations, journal, messages, moves
from handrail.agent.store_port import StoreError, UnknownConversation
from handrail.guardrails.vocabulary import ConversationStatus, IdentityLevel, Message, Role

LONGEST_NAME = 200
LONGEST_KEY = 390
LONGEST_IDENTIFIER = 400
"""All in characters; SQLite would store more, PostgreSQL refuses: so the store refuses on both."""

HIGHEST_SEQ = 2**31 - 1


class Place(NamedTuple):
    """Where a record belongs: a conversation of a site."""

    site: str
    conversation_id: str


class Lease(NamedTuple):
    """Who works on a conversation: process, token of this very claim, turn, and until when."""

    owner: str
    token: str
    turn_id: str
    until: datetime


class Standing(NamedTuple):
    """A conversation's row. `state` is JSON text, read only where it is needed; messages and items count from 1.

    `holder` is the person who has the conversation, `handoff_id` its packet, the newest one. INVARIANT: there is a
    holder only while the status is accepted or human.
    """

    place: Place
    channel: str
    customer_id: str | None
    identity: IdentityLevel
    opened_at: datetime
    status: ConversationStatus
    state: str
    version: int
    last_message: int
    last_item: int
    holder: str | None
    handoff_id: str | None
    lease: Lease | None


# Built once: putting a statement together costs more than running it.
_SEEN = select(conversations).where(
    conversations.c.site == bindparam("site"), conversations.c.conversation_id == bindparam("conversation_id")
)
_LOCKED = _SEEN.with_for_update()
_LATEST = (
    select(messages.c.message_id, messages.c.role, messages.c.text, messages.c.at)
    .where(
        messages.c.site == bindparam("site"),
        messages.c.conversation_id == bindparam("conversation_id"),
        messages.c.seq < bindparam("before"),
    )
    .order_by(messages.c.seq.desc())
    .limit(HISTORY_LIMIT)
)
_RAN = select(journal.c.digest).where(
    journal.c.site == bindparam("site"),
    journal.c.conversation_id == bindparam("conversation_id"),
    # All but what certainly did not happen: what was begun, is in doubt or was handed over is not run again.
    journal.c.state.in_([state.value for state in JournalState if state is not JournalState.FAILED]),
)
_REFUSED = (
    select(consents.c.purpose)
    .where(
        consents.c.site == bindparam("site"),
        consents.c.conversation_id == bindparam("conversation_id"),
        consents.c.given == 0,
    )
    .order_by(consents.c.purpose)
)
_WROTE = (
    select(moves.c.author)
    .where(
        moves.c.site == bindparam("site"),
        moves.c.conversation_id == bindparam("conversation_id"),
        moves.c.message_id.in_(bindparam("messages", expanding=True)),
        moves.c.author.is_not(None),
    )
    .distinct()
    .order_by(moves.c.author)
)
_ADD_MESSAGE = insert(messages)
_CHANGE = (
    update(conversations)
    .where(
        conversations.c.site == bindparam("of_site"),
        conversations.c.conversation_id == bindparam("of_conversation"),
    )
    .values(version=conversations.c.version + 1)
)


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
            last_item=0,
        )
    )


def find(connection: Connection, place: Place, *, lock: bool = False) -> Standing:
    """The conversation as stored; with `lock`, nobody else changes it until the transaction ends.

    Raises UnknownConversation, also for one whose customer was erased.
    """
    row = connection.execute(_LOCKED if lock else _SEEN, place._asdict()).one_or_none()
    if row is None or row.erased_at is not None:
        raise UnknownConversation("there is no such conversation: open one first")
    lease = (
        None if row.lease_token is None else Lease(row.lease_owner, row.lease_token, row.lease_turn, row.lease_until)
    )
    return Standing(
        place=place,
        channel=row.channel,
        customer_id=row.customer_id,
        identity=IdentityLevel(row.identity),
        opened_at=row.opened_at,
        status=ConversationStatus(row.status),
        state=row.state,
        version=row.version,
        last_message=row.last_message,
        last_item=row.last_item,
        holder=row.holder,
        handoff_id=row.handoff_id,
        lease=lease,
    )


def belongs(connection: Connection, place: Place, customer_id: str | None) -> bool:
    """Whether the conversation is there and this customer's; False when there is none of that id.

    Raises UnknownConversation when it is somebody else's, or was erased.
    """
    row = connection.execute(_SEEN, place._asdict()).one_or_none()
    if row is None:
        return False
    if row.erased_at is not None or row.customer_id != customer_id:
        raise UnknownConversation("there is no such conversation: open one first")
    return True


def snapshot(connection: Connection, standing: Standing, before: int = HIGHEST_SEQ) -> Snapshot:
    """The conversation with its latest messages numbered below `before`; costs the same however long it is."""
    latest = connection.execute(_LATEST, {**standing.place._asdict(), "before": before}).all()
    by_people = [row.message_id for row in latest if row.role == Role.OPERATOR.value]
    return Snapshot(
        site=standing.place.site,
        conversation_id=standing.place.conversation_id,
        customer_id=standing.customer_id,
        identity=standing.identity,
        channel=standing.channel,
        opened_at=standing.opened_at,
        state=ConversationState.model_validate_json(standing.state),
        history=tuple(Message(message_id=i, role=Role(r), text=t, at=at) for i, r, t, at in reversed(latest)),
        ran=tuple(connection.execute(_RAN, standing.place._asdict()).scalars()),
        refused=tuple(connection.execute(_REFUSED, standing.place._asdict()).scalars()),
        wrote=_authors(connection, standing.place, by_people) if by_people else (),
    )


def _authors(connection: Connection, place: Place, message_ids: list[str]) -> tuple[str, ...]:
    """Who of the operators wrote these messages. A message of before authors were stored has none."""
    return tuple(connection.execute(_WROTE, {**place._asdict(), "messages": message_ids}).scalars())


def listed(connection: Connection, place: Place, after: int, limit: int) -> tuple[Message, ...]:
    """Messages numbered above `after`, oldest first, at most `limit`."""
    rows = connection.execute(
        select(messages.c.message_id, messages.c.role, messages.c.text, messages.c.at)
        .where(
            messages.c.site == place.site, messages.c.conversation_id == place.conversation_id, messages.c.seq > after
        )
        .order_by(messages.c.seq)
        .limit(limit)
    )
    return tuple(Message(message_id=i, role=Role(r), text=t, at=at) for i, r, t, at in rows)


def add_message(
    connection: Connection, standing: Standing, role: Role, text: str, at: datetime, message_id: str | None = None
) -> Message:
    """Store the next message of a locked conversation; the caller sees to `last_message` of the row."""
    message = Message(message_id=message_id or new_id("m"), role=role, text=storable(text), at=at)
    connection.execute(
        _ADD_MESSAGE,
        {
            **standing.place._asdict(),
            "seq": standing.last_message + 1,
            "message_id": message.message_id,
            "role": role.value,
            "text": message.text,
            "at": at,
        },
    )
    return message


def change(connection: Connection, place: Place, values: Mapping[str, str | int | datetime | None]) -> None:
    """Set columns of a locked conversation and count its version up."""
    connection.execute(_CHANGE, {"of_site": place.site, "of_conversation": place.conversation_id, **values})
