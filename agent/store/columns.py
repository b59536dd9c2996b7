"""What the columns of all tables have in common. Every record names its site; instants are integers.

Structures are JSON text. Both choices keep the SQL the same for SQLite and PostgreSQL: integers compare and round-trip
exactly everywhere, and JSON text is never rewritten by the database, so that digests over it stay true.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, ForeignKeyConstraint, MetaData, TypeDecorator

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


def in_conversation(table: str) -> ForeignKeyConstraint:
    """The rows of `table` belong to conversations that there are."""
    return ForeignKeyConstraint(
        ["site", "conversation_id"],
        ["conversations.site", "conversations.conversation_id"],
        name=f"fk_{table}_conversation",
    )
