"""The feed of each conversation, and what people do with it: holders, files, ratings, consents, accounts.

Conversations that are there already get a feed of their messages and of who speaks, so that an open chat still sees
its history.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY_SPEAKS_BUT_THE_BOT = "bot"

_conversations = sa.table(
    "conversations",
    sa.column("site"),
    sa.column("conversation_id"),
    sa.column("status"),
    sa.column("opened_at"),
    sa.column("erased_at"),
    sa.column("last_item"),
    sa.column("handoff_id"),
)
_messages = sa.table(
    "messages",
    sa.column("site"),
    sa.column("conversation_id"),
    sa.column("seq"),
    sa.column("message_id"),
    sa.column("role"),
    sa.column("text"),
    sa.column("at"),
)
_turns = sa.table(
    "turns",
    sa.column("turn_id"),
    sa.column("site"),
    sa.column("conversation_id"),
    sa.column("key"),
    sa.column("before_message"),
    sa.column("finished_at"),
)
_handoffs = sa.table(
    "handoffs",
    sa.column("site"),
    sa.column("handoff_id"),
    sa.column("conversation_id"),
    sa.column("packet"),
    sa.column("queue"),
    sa.column("at"),
)
_feed = sa.table(
    "feed",
    sa.column("site"),
    sa.column("conversation_id"),
    sa.column("seq"),
    sa.column("event"),
    sa.column("item"),
    sa.column("at"),
)


def _in_conversation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["site", "conversation_id"],
        ["conversations.site", "conversations.conversation_id"],
        name=f"fk_{table}_conversation",
    )


def _of(table: str) -> tuple[sa.Column[str], sa.Column[str], sa.ForeignKeyConstraint]:
    return (
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        _in_conversation(table),
    )


def upgrade() -> None:
    """Create the new tables and columns, then fill them from what is there."""
    _columns()
    _feeds()
    _belongings()
    _staff()
    _name_queues()
    _tell_what_was_said()


def _columns() -> None:
    op.add_column("conversations", sa.Column("last_item", sa.Integer, nullable=False, server_default="0"))
    op.add_column("conversations", sa.Column("holder", sa.String(400)))
    op.add_column("conversations", sa.Column("handoff_id", sa.String(64)))
    op.create_index("ix_conversations_status", "conversations", ["site", "status"])
    op.add_column("turns", sa.Column("arrival", sa.Integer, nullable=False, server_default="0"))
    op.create_index("ix_turns_arrival", "turns", ["site", "conversation_id", "arrival"])
    op.add_column("handoffs", sa.Column("queue", sa.String(200), nullable=False, server_default=""))


def _feeds() -> None:
    op.create_table(
        "feed",
        *_of("feed"),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", "seq", name="pk_feed"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "moves",
        *_of("moves"),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("message_id", sa.String(64)),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", "key", name="pk_moves"),
    )


def _belongings() -> None:
    op.create_table(
        "ratings",
        *_of("ratings"),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", name="pk_ratings"),
    )
    op.create_table(
        "consents",
        *_of("consents"),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("given", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "conversation_id", "purpose", name="pk_consents"),
    )
    op.create_table(
        "files",
        *_of("files"),
        sa.Column("file_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("media_type", sa.String(200), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("site", "file_id", name="pk_files"),
    )
    op.create_index("ix_files_conversation", "files", ["site", "conversation_id"])


def _staff() -> None:
    op.create_table(
        "operators",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("display", sa.String(400), nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("queues", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("site", "name", name="pk_operators"),
    )
    op.create_table(
        "sessions",
        sa.Column("site", sa.String(200), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "token_digest", name="pk_sessions"),
    )
    op.create_index("ix_sessions_name", "sessions", ["site", "name"])


def _name_queues() -> None:
    """Note each packet's queue beside it, and each conversation's newest packet as the current one."""
    connection = op.get_bind()
    rows = connection.execute(sa.select(_handoffs).order_by(_handoffs.c.at, _handoffs.c.handoff_id)).all()
    for row in rows:
        connection.execute(
            sa.update(_handoffs)
            .where(_handoffs.c.site == row.site, _handoffs.c.handoff_id == row.handoff_id)
            .values(queue=json.loads(row.packet)["queue"])
        )
        connection.execute(
            sa.update(_conversations)
            .where(_conversations.c.site == row.site, _conversations.c.conversation_id == row.conversation_id)
            .values(handoff_id=row.handoff_id)
        )


def _tell_what_was_said() -> None:
    connection = op.get_bind()
    standing = connection.execute(
        sa.select(
            _conversations.c.site,
            _conversations.c.conversation_id,
            _conversations.c.status,
            _conversations.c.opened_at,
        ).where(_conversations.c.erased_at.is_(None))
    ).all()
    for site, conversation_id, status, opened_at in standing:
        items = list(_items(connection, site, conversation_id))
        if status != NOBODY_SPEAKS_BUT_THE_BOT:
            items.append(("status", {"status": status}, items[-1][2] if items else opened_at))
        if not items:
            continue
        connection.execute(
            sa.insert(_feed),
            [
                {
                    "site": site,
                    "conversation_id": conversation_id,
                    "seq": number,
                    "event": event,
                    "item": json.dumps({"event": event, **said}),
                    "at": at,
                }
                for number, (event, said, at) in enumerate(items, start=1)
            ],
        )
        connection.execute(
            sa.update(_conversations)
            .where(_conversations.c.site == site, _conversations.c.conversation_id == conversation_id)
            .values(last_item=len(items))
        )


def _items(
    connection: sa.Connection, site: str, conversation_id: str
) -> Iterator[tuple[str, dict[str, str | None], int]]:
    turns = connection.execute(
        sa.select(_turns).where(_turns.c.site == site, _turns.c.conversation_id == conversation_id)
    ).all()
    # A turn's reply was stored at the very instant at which the turn was finished.
    said = {turn.before_message: turn.turn_id for turn in turns if turn.key.startswith("c:")}
    answered = {turn.finished_at: turn.turn_id for turn in turns if turn.finished_at is not None}
    rows = connection.execute(
        sa.select(_messages)
        .where(_messages.c.site == site, _messages.c.conversation_id == conversation_id)
        .order_by(_messages.c.seq)
    ).all()
    for row in rows:
        turn_id = {"customer": said.get(row.seq), "bot": answered.get(row.at)}.get(row.role)
        instant = (EPOCH + timedelta(microseconds=row.at)).isoformat().replace("+00:00", "Z")
        message = {"message_id": row.message_id, "role": row.role, "text": row.text, "at": instant}
        yield "message.completed", {**message, "turn_id": turn_id, "name": None}, row.at
