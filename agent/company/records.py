"""The company's records as tools read them, and the look-ups by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from handrail.agent.company import tables


@dataclass(frozen=True, slots=True)
class Customer:
    """A person with an account at the company."""

    customer_id: str
    account_id: str
    name: str
    role: str
    owner: bool
    email: str
    phone: str | None
    language: str
    time_zone: str
    sign_in_locked: bool

    @property
    def sees_billing(self) -> bool:
        """Owners, administrators and finance see invoices and prices."""
        return self.owner or self.role in {"admin", "finance"}

    @property
    def changes_billing(self) -> bool:
        """Owners and finance change what is paid for."""
        return self.owner or self.role == "finance"


@dataclass(frozen=True, slots=True)
class Subscription:
    """The contract of an account. Prices are minor units per billing period, without tax."""

    subscription_id: str
    account_id: str
    plan: str
    next_plan: str | None
    seats: int
    cycle: str
    price_minor: int
    currency: str
    status: str
    renews_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of an invoice, in minor units of the invoice's currency."""

    paid_on: date
    amount_minor: int
    method: str
    last_four: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its payments, the latest first."""

    invoice_id: str
    account_id: str
    issued_on: date
    description: str
    amount_minor: int
    currency: str
    status: str
    refunded_minor: int
    payments: tuple[Payment, ...]

    @property
    def paid_minor(self) -> int:
        """What was paid in all."""
        return sum(payment.amount_minor for payment in self.payments)

    @property
    def refundable_minor(self) -> int:
        """What was paid and has not been refunded."""
        return self.paid_minor - self.refunded_minor

    @property
    def duplicate_minor(self) -> int:
        """What was paid above the amount of the invoice and has not been refunded; 0 when nothing was."""
        return max(0, self.refundable_minor - self.amount_minor)


@dataclass(frozen=True, slots=True)
class Device:
    """A second factor of a customer."""

    device_id: str
    customer_id: str
    kind: str
    label: str
    added_on: date
    last_used_on: date | None
    status: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of an account."""

    workspace_id: str
    account_id: str
    name: str
    members: int
    status: str
    deletes_on: date | None


def find_customer(connection: Connection, customer_id: str) -> Customer | None:
    """The customer with this id."""
    table = tables.customers
    row = connection.execute(select(table).where(table.c.id == customer_id)).first()
    if row is None:
        return None
    return Customer(
        customer_id=row.id,
        account_id=row.account_id,
        name=row.name,
        role=row.role,
        owner=row.owner,
        email=row.email,
        phone=row.phone,
        language=row.language,
        time_zone=row.time_zone,
        sign_in_locked=row.sign_in_locked,
    )


def find_subscription(
    connection: Connection, account_id: str, subscription_id: str | None = None
) -> Subscription | None:
    """The subscription of an account; None when it has none, or another one than `subscription_id`."""
    table = tables.subscriptions
    row = connection.execute(select(table).where(table.c.account_id == account_id)).first()
    if row is None or (subscription_id is not None and row.id != subscription_id):
        return None
    return Subscription(
        subscription_id=row.id,
        account_id=row.account_id,
        plan=row.plan,
        next_plan=row.next_plan,
        seats=row.seats,
        cycle=row.cycle,
        price_minor=row.price_minor,
        currency=row.currency,
        status=row.status,
        renews_on=row.renews_on,
        ends_on=row.ends_on,
    )


def find_invoices(connection: Connection, account_id: str, invoice_id: str | None = None) -> tuple[Invoice, ...]:
    """The invoices of an account, newest first, or the one with this id."""
    table, paid = tables.invoices, tables.payments
    query = select(table).where(table.c.account_id == account_id).order_by(table.c.issued_on.desc(), table.c.id.desc())
    if invoice_id is not None:
        query = query.where(table.c.id == invoice_id)
    rows = connection.execute(query).all()
    payments: dict[str, list[Payment]] = {row.id: [] for row in rows}
    held = select(paid).where(paid.c.invoice_id.in_(payments)).order_by(paid.c.paid_on.desc(), paid.c.id)
    for row in connection.execute(held):
        payments[row.invoice_id].append(Payment(row.paid_on, row.amount_minor, row.method, row.last_four))
    return tuple(
        Invoice(
            invoice_id=row.id,
            account_id=row.account_id,
            issued_on=row.issued_on,
            description=row.description,
            amount_minor=row.amount_minor,
            currency=row.currency,
            status=row.status,
            refunded_minor=row.refunded_minor,
            payments=tuple(payments[row.id]),
        )
        for row in rows
    )


def find_devices(connection: Connection, customer_id: str) -> tuple[Device, ...]:
    """The devices of a customer, by id."""
    table = tables.devices
    rows = connection.execute(select(table).where(table.c.customer_id == customer_id).order_by(table.c.id))
    return tuple(
        Device(
            device_id=row.id,
            customer_id=row.customer_id,
            kind=row.kind,
            label=row.label,
            added_on=row.added_on,
            last_used_on=row.last_used_on,
            status=row.status,
        )
        for row in rows
    )


def find_workspace(connection: Connection, account_id: str, workspace_id: str) -> Workspace | None:
    """The workspace with this id, if it belongs to the account."""
    table = tables.workspaces
    owned = (table.c.id == workspace_id) & (table.c.account_id == account_id)
    row = connection.execute(select(table).where(owned)).first()
    if row is None:
        return None
    return Workspace(
        workspace_id=row.id,
        account_id=row.account_id,
        name=row.name,
        members=row.members,
        status=row.status,
        deletes_on=row.deletes_on,
    )
