"""The tables of the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from handrail.agent.store.columns import metadata

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
