"""The tables of people: what operators decide and take, their accounts, and what is known about customers."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from handrail.agent.store.columns import Instant, in_conversation, metadata

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
    Column("assents", Text, nullable=False, server_default="[]"),
    Column("proposers", Text, nullable=False, server_default="[]"),
    PrimaryKeyConstraint("site", "approval_id", name="pk_approvals"),
    in_conversation("approvals"),
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
    Column("queue", String(200), nullable=False, server_default=""),
    Column("urgency", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("closed_at", Instant),
    PrimaryKeyConstraint("site", "handoff_id", name="pk_handoffs"),
    in_conversation("handoffs"),
    Index("ix_handoffs_open", "site", "closed_at", "urgency", "at"),
    Index("ix_handoffs_conversation", "site", "conversation_id"),
)

operators = Table(
    "operators",
    metadata,
    Column("site", String(200), nullable=False),
    Column("name", String(400), nullable=False),
    Column("display", String(400), nullable=False),
    Column("password", Text, nullable=False),
    Column("queues", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    PrimaryKeyConstraint("site", "name", name="pk_operators"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("site", String(200), nullable=False),
    Column("token_digest", String(64), nullable=False),
    Column("name", String(400), nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "token_digest", name="pk_sessions"),
    Index("ix_sessions_name", "site", "name"),
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
