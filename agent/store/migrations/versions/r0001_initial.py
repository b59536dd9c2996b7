"""The first tables of the store."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None


def _in_conversation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["site", "conversation_id"],
        ["conversations.site", "conversations.conversation_id"],
        name=f"fk_{table}_conversation",
    )


def upgrade() -> None:
    """Create every table."""
    _conversations()
    _people()
    _audit()


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.String(400)),
        sa.Column("identity", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("last_message", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(400)),
        sa.Column("lease_token", sa.String(32)),
        sa.Column("lease_turn", sa.String(64)),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("erased_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("site", "conversation_id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_customer", "conversations", ["site", "customer_id"])
    op.create_table(
        "messages",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_messages"),
        _in_conversation("messages"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "turns",
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("before_message", sa.Integer, nullable=False),
        sa.Column("progress", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("result", sa.Text),
        sa.PrimaryKeyConstraint("turn_id", name="pk_turns"),
        sa.UniqueConstraint("site", "conversation_id", "key", name="uq_turns_key"),
        _in_conversation("turns"),
    )
    op.create_index("ix_turns_progress", "turns", ["progress", "at"])
    op.create_table(
        "journal",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("digest", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("intended_at", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "key", name="pk_journal"),
        _in_conversation("journal"),
    )
    op.create_index("ix_journal_turn", "journal", ["site", "turn_id"])
    op.create_index("ix_journal_conversation", "journal", ["site", "conversation_id"])


def _people() -> None:
    op.create_table(
        "approvals",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("approval_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("digest", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("queue", sa.String(200), nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.String(400)),
        sa.Column("decided_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("site", "approval_id", name="pk_approvals"),
        _in_conversation("approvals"),
    )
    op.create_index("ix_approvals_state", "approvals", ["site", "state", "requested_at"])
    op.create_index("ix_approvals_conversation", "approvals", ["site", "conversation_id"])
    op.create_table(
        "handoffs",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("handoff_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("packet", sa.Text, nullable=False),
        sa.Column("urgency", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("site", "handoff_id", name="pk_handoffs"),
        _in_conversation("handoffs"),
    )
    op.create_index("ix_handoffs_open", "handoffs", ["site", "closed_at", "urgency", "at"])
    op.create_index("ix_handoffs_conversation", "handoffs", ["site", "conversation_id"])
    op.create_table(
        "attributes",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("customer_id", sa.String(400), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("observed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "customer_id", "name", name="pk_attributes"),
    )

    op.create_table(
        "customer_events",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("customer_id", sa.String(400), nullable=False),
        sa.Column("event_id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site", "customer_id", "event_id", name="pk_customer_events"),
    )
    op.create_index("ix_customer_events_at", "customer_events", ["site", "customer_id", "at"])


def _audit() -> None:
    op.create_table(
        "chains",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("last_hash", sa.String(64), nullable=False),
        sa.Column("anchored", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", name="pk_chains"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_chains_anchored", "chains", ["anchored", "site"])
    op.create_table(
        "audit_events",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("payload_digest", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_audit_events"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_events_turn", "audit_events", ["turn_id"])
    op.create_table(
        "audit_payloads",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_audit_payloads"),
    )

    op.create_table(
        "anchors",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("site", "number", name="pk_anchors"),
    )

    op.create_table(
        "anchored_heads",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("site", "number", "conversation_id", name="pk_anchored_heads"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_anchored_heads_conversation", "anchored_heads", ["site", "conversation_id"])
