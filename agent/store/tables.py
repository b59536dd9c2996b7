"""The tables of the store. Every record names its site; instants are integers, structures are JSON text.

Both choices keep the SQL the same for SQLite and PostgreSQL: integers compare and round-trip exactly everywhere, and
JSON text is never rewritten by the database, so that digests over it stay true.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Microseconds since 1970, UTC. Raises ValueError for an instant without a time zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone: use datetime.now(UTC)")
    return (instant - EPOCH) // MICROSECOND


class Instant(TypeDecorator[datetime]):
    """A moment with time zone, stored as microseconds since 1970, UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """The number to store."""
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """The moment, in UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("customer_id", String(400)),
    Column("identity", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("status", String(32), nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_message", Integer, nullable=False),
    Column("lease_owner", String(400)),
    Column("lease_token", String(32)),
    Column("lease_turn", String(64)),
    Column("lease_until", Instant),
    Column("erased_at", Instant),
    PrimaryKeyConstraint("site", "conversation_id", name="pk_conversations"),
    Index("ix_conversations_customer", "site", "customer_id"),
)


def _in_conversation(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["site", "conversation_id"],
        ["conversations.site", "conversations.conversation_id"],
        name=f"fk_{table}_conversation",
    )


messages = Table(
    "messages",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_messages"),
    _in_conversation("messages"),
    sqlite_with_rowid=False,
)

turns = Table(
    "turns",
    metadata,
    Column("turn_id", String(64), nullable=False),
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("key", String(400), nullable=False),
    Column("text", Text, nullable=False),
    Column("before_message", Integer, nullable=False),
    Column("progress", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("result", Text),
    PrimaryKeyConstraint("turn_id", name="pk_turns"),
    UniqueConstraint("site", "conversation_id", "key", name="uq_turns_key"),
    _in_conversation("turns"),
    Index("ix_turns_progress", "progress", "at"),
)

journal = Table(
    "journal",
    metadata,
    Column("site", String(200), nullable=False),
    Column("key", String(400), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("turn_id", String(64), nullable=False),
    Column("call", Text, nullable=False),
    Column("digest", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("intended_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "key", name="pk_journal"),
    _in_conversation("journal"),
    Index("ix_journal_turn", "site", "turn_id"),
    Index("ix_journal_conversation", "site", "conversation_id"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("site", String(200), nullable=False),
    Column("approval_id", String(64), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("turn_id", String(64), nullable=False),
    Column("call", Text, nullable=False),
    Column("digest", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("queue", String(200), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("decided_by", String(400)),
    Column("decided_at", Instant),
    PrimaryKeyConstraint("site", "approval_id", name="pk_approvals"),
    _in_conversation("approvals"),
    Index("ix_approvals_state", "site", "state", "requested_at"),
    Index("ix_approvals_conversation", "site", "conversation_id"),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("site", String(200), nullable=False),
    Column("handoff_id", String(64), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("packet", Text, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("closed_at", Instant),
    PrimaryKeyConstraint("site", "handoff_id", name="pk_handoffs"),
    _in_conversation("handoffs"),
    Index("ix_handoffs_open", "site", "closed_at", "urgency", "at"),
    Index("ix_handoffs_conversation", "site", "conversation_id"),
)

attributes = Table(
    "attributes",
    metadata,
    Column("site", String(200), nullable=False),
    Column("customer_id", String(400), nullable=False),
    Column("name", String(200), nullable=False),
    Column("content", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("observed_at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "customer_id", "name", name="pk_attributes"),
)

customer_events = Table(
    "customer_events",
    metadata,
    Column("site", String(200), nullable=False),
    Column("customer_id", String(400), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("kind", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", String(200), nullable=False),
    Column("details", Text, nullable=False),
    PrimaryKeyConstraint("site", "customer_id", "event_id", name="pk_customer_events"),
    Index("ix_customer_events_at", "site", "customer_id", "at"),
)

chains = Table(
    "chains",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("last_hash", String(64), nullable=False),
    Column("anchored", Integer, nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", name="pk_chains"),
    Index("ix_chains_anchored", "anchored", "site"),
    sqlite_with_rowid=False,
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("turn_id", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("payload_digest", String(64), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_audit_events"),
    Index("ix_audit_events_turn", "turn_id"),
    sqlite_with_rowid=False,
)

audit_payloads = Table(
    "audit_payloads",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("salt", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_audit_payloads"),
)

anchors = Table(
    "anchors",
    metadata,
    Column("site", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("root", String(64), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("site", "number", name="pk_anchors"),
)

anchored_heads = Table(
    "anchored_heads",
    metadata,
    Column("site", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("site", "number", "conversation_id", name="pk_anchored_heads"),
    Index("ix_anchored_heads_conversation", "site", "conversation_id"),
    sqlite_with_rowid=False,
)
