"""The tables of the company's database."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A point in time, kept as ISO text in UTC so that it sorts and comes back with its time zone."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """The text that is stored; a time without a zone is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a point in time needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """The point in time that was stored."""
        return None if value is None else datetime.fromisoformat(value)


METADATA = MetaData()

accounts = Table(
    "accounts",
    METADATA,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("region", String, nullable=False),
    Column("created_on", Date, nullable=False),
)

customers = Table(
    "customers",
    METADATA,
    Column("id", String, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("email", String, nullable=False),
    Column("phone", String),
    Column("role", String, nullable=False),
    Column("owner", Boolean, nullable=False),
    Column("language", String, nullable=False),
    Column("time_zone", String, nullable=False),
    Column("sign_in_locked", Boolean, nullable=False),
    Column("created_on", Date, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("id", String, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, unique=True),
    Column("plan", String, nullable=False),
    Column("next_plan", String),
    Column("seats", Integer, nullable=False),
    Column("cycle", String, nullable=False),
    Column("price_minor", Integer, nullable=False),
    Column("currency", String, nullable=False),
    Column("status", String, nullable=False),
    Column("renews_on", Date, nullable=False),
    Column("ends_on", Date),
)

invoices = Table(
    "invoices",
    METADATA,
    Column("id", String, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("issued_on", Date, nullable=False),
    Column("description", String, nullable=False),
    Column("amount_minor", Integer, nullable=False),
    Column("currency", String, nullable=False),
    Column("status", String, nullable=False),
    Column("refunded_minor", Integer, nullable=False),
    CheckConstraint("amount_minor > 0 AND refunded_minor >= 0", name="invoice_amounts"),
)

payments = Table(
    "payments",
    METADATA,
    Column("id", String, primary_key=True),
    Column("invoice_id", ForeignKey("invoices.id"), nullable=False, index=True),
    Column("paid_on", Date, nullable=False),
    Column("amount_minor", Integer, nullable=False),
    Column("method", String, nullable=False),
    Column("last_four", String, nullable=False),
    CheckConstraint("amount_minor > 0", name="payment_amount"),
)

refunds = Table(
    "refunds",
    METADATA,
    Column("id", String, primary_key=True),
    Column("invoice_id", ForeignKey("invoices.id"), nullable=False, index=True),
    Column("amount_minor", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    CheckConstraint("amount_minor > 0", name="refund_amount"),
)

devices = Table(
    "devices",
    METADATA,
    Column("id", String, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("label", String, nullable=False),
    Column("added_on", Date, nullable=False),
    Column("last_used_on", Date),
    Column("status", String, nullable=False),
)

workspaces = Table(
    "workspaces",
    METADATA,
    Column("id", String, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("members", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("deletes_on", Date),
)

components = Table(
    "components",
    METADATA,
    Column("name", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("status", String, nullable=False),
)

incidents = Table(
    "incidents",
    METADATA,
    Column("id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("component", String, nullable=False),
    Column("region", String, nullable=False),
    Column("impact", String, nullable=False),
    Column("status", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("message", String, nullable=False),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("address", String, nullable=False),
    Column("text", String, nullable=False),
    Column("at", Instant, nullable=False),
    Index("outbox_by_customer", "customer_id", "kind", "at"),
)

step_up_codes = Table(
    "step_up_codes",
    METADATA,
    Column("key", String, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("salt", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("address_masked", String, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String, nullable=False),
)

step_up_checks = Table(
    "step_up_checks",
    METADATA,
    Column("key", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
)

idempotency = Table(
    "idempotency",
    METADATA,
    Column("key", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("outcome", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)
