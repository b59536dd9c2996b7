"""The tables of conversations: what was said in them, told about them, and given to them."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, String, Table, Text, UniqueConstraint

from handrail.agent.store.columns import Instant, in_conversation, metadata

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
    Column("last_item", Integer, nullable=False, server_default="0"),
    Column("holder", String(400)),
    Column("handoff_id", String(64)),
    Column("lease_owner", String(400)),
    Column("lease_token", String(32)),
    Column("lease_turn", String(64)),
    Column("lease_until", Instant),
    Column("erased_at", Instant),
    PrimaryKeyConstraint("site", "conversation_id", name="pk_conversations"),
    Index("ix_conversations_customer", "site", "customer_id"),
    Index("ix_conversations_status", "site", "status"),
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
    in_conversation("messages"),
    sqlite_with_rowid=False,
)

feed = Table(
    "feed",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("event", String(32), nullable=False),
    Column("item", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_feed"),
    in_conversation("feed"),
    sqlite_with_rowid=False,
)

moves = Table(
    "moves",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("key", String(400), nullable=False),
    Column("message_id", String(64)),
    Column("author", String(400)),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", "key", name="pk_moves"),
    in_conversation("moves"),
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
    Column("arrival", Integer, nullable=False, server_default="0"),
    Column("progress", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("result", Text),
    PrimaryKeyConstraint("turn_id", name="pk_turns"),
    UniqueConstraint("site", "conversation_id", "key", name="uq_turns_key"),
    in_conversation("turns"),
    Index("ix_turns_progress", "progress", "at"),
    Index("ix_turns_arrival", "site", "conversation_id", "arrival"),
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
    Column("amounts", Text, nullable=False, server_default="[]"),
    Column("intended_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "key", name="pk_journal"),
    in_conversation("journal"),
    Index("ix_journal_turn", "site", "turn_id"),
    Index("ix_journal_conversation", "site", "conversation_id"),
)

ratings = Table(
    "ratings",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("score", Integer, nullable=False),
    Column("comment", Text),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", name="pk_ratings"),
    in_conversation("ratings"),
)

consents = Table(
    "consents",
    metadata,
    Column("site", String(200), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("given", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("site", "conversation_id", "purpose", name="pk_consents"),
    in_conversation("consents"),
)

files = Table(
    "files",
    metadata,
    Column("site", String(200), nullable=False),
    Column("file_id", String(64), nullable=False),
    Column("conversation_id", String(64), nullable=False),
    Column("name", String(400), nullable=False),
    Column("media_type", String(200), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    # Last, so that reading the other columns does not walk through the bytes.
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("site", "file_id", name="pk_files"),
    in_conversation("files"),
    Index("ix_files_conversation", "site", "conversation_id"),
)
