"""Puts the sample's records into the company's database, dates relative to now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects.sqlite import insert

from handrail.agent.company import tables
from handrail.agent.company.database import transact, writing
from handrail.agent.company.money import to_minor
from handrail.agent.company.seed_file import SeedFile, read_seed

Rows: TypeAlias = list[dict[str, object]]


def seed(engine: Engine, now: datetime) -> None:
    """Create the tables and the sample's records.

    Idempotent: a record that is there already stays as it is, with everything that has happened to it since. Raises
    PortError when the database cannot be used.
    """
    content = read_seed()

    def fill(connection: Connection) -> None:
        tables.METADATA.create_all(connection)
        for table, rows in _rows(content, now):
            if rows:
                connection.execute(insert(table).on_conflict_do_nothing(), rows)

    transact(writing(engine), fill)


def _rows(content: SeedFile, now: datetime) -> Iterator[tuple[Table, Rows]]:
    """Every table with its rows, those that others refer to first."""
    yield from _people(content, now)
    yield from _billing(content, now)
    yield (
        tables.workspaces,
        [
            {
                "id": workspace.id,
                "account_id": workspace.account,
                "name": workspace.name,
                "members": workspace.members,
                "status": "active",
                "deletes_on": None,
            }
            for workspace in content.workspaces
        ],
    )
    yield (
        tables.components,
        [
            {"name": component.name, "region": region, "status": status}
            for component in content.components
            for region, status in (("eu", component.eu), ("us", component.us))
        ],
    )
    yield (
        tables.incidents,
        [
            {
                **incident.model_dump(exclude={"started_minutes_ago", "updated_minutes_ago"}),
                "started_at": now - timedelta(minutes=incident.started_minutes_ago),
                "updated_at": now - timedelta(minutes=incident.updated_minutes_ago),
            }
            for incident in content.incidents
        ],
    )


def _people(content: SeedFile, now: datetime) -> Iterator[tuple[Table, Rows]]:
    today = now.date()
    yield (
        tables.accounts,
        [
            {
                "id": account.id,
                "name": account.name,
                "region": account.region,
                "created_on": today - timedelta(days=account.created_days_ago),
            }
            for account in content.accounts
        ],
    )
    fields = {"id", "name", "email", "phone", "role", "owner", "language", "time_zone", "sign_in_locked"}
    yield (
        tables.customers,
        [
            {
                **customer.model_dump(include=fields),
                "account_id": customer.account,
                "created_on": today - timedelta(days=customer.created_days_ago),
            }
            for customer in content.customers
        ],
    )
    yield (
        tables.devices,
        [
            {
                "id": device.id,
                "customer_id": customer.id,
                "kind": device.kind,
                "label": device.label,
                "added_on": today - timedelta(days=device.added_days_ago),
                "last_used_on": None if device.used_days_ago is None else today - timedelta(days=device.used_days_ago),
                "status": "active",
            }
            for customer in content.customers
            for device in customer.devices
        ],
    )


def _billing(content: SeedFile, now: datetime) -> Iterator[tuple[Table, Rows]]:
    today = now.date()
    yield (
        tables.subscriptions,
        [
            {
                "id": subscription.id,
                "account_id": subscription.account,
                "plan": subscription.plan,
                "next_plan": None,
                "seats": subscription.seats,
                "cycle": subscription.cycle,
                "price_minor": to_minor(subscription.price),
                "currency": subscription.currency,
                "status": subscription.status,
                "renews_on": today + timedelta(days=subscription.renews_in_days),
                "ends_on": None,
            }
            for subscription in content.subscriptions
        ],
    )
    yield (
        tables.invoices,
        [
            {
                "id": invoice.id,
                "account_id": invoice.account,
                "issued_on": today - timedelta(days=invoice.issued_days_ago),
                "description": invoice.description,
                "amount_minor": to_minor(invoice.amount),
                "currency": content.subscription(invoice.account).currency,
                "status": invoice.status,
                "refunded_minor": to_minor(invoice.refunded),
            }
            for invoice in content.invoices
        ],
    )
    yield (
        tables.payments,
        [
            {
                "id": f"PAY-{invoice.id[4:]}-{number}",
                "invoice_id": invoice.id,
                "paid_on": today - timedelta(days=payment.days_ago),
                "amount_minor": to_minor(payment.amount),
                "method": payment.method,
                "last_four": payment.last_four,
            }
            for invoice in content.invoices
            for number, payment in enumerate(invoice.payments, 1)
        ],
    )
