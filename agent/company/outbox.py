"""Messages that the company has sent: in the sample they are kept instead of leaving the house."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select

from handrail.agent.company.database import CompanyDatabase
from handrail.agent.company.records import Customer
from handrail.agent.company.tables import outbox


class MessageKind(StrEnum):
    """Why a message was sent."""

    STEP_UP_CODE = "step_up_code"
    SIGN_IN_CODE = "sign_in_code"
    NOTICE = "notice"


def address(customer: Customer, channel: str) -> str | None:
    """Where a message by e-mail or text message goes: only ever to the address on record."""
    return customer.email if channel == "email" else customer.phone


def masked(address_on_record: str) -> str:
    """An address that its owner recognises and nobody else learns: m•••@fernwell.example, •••42."""
    name, at, domain = address_on_record.partition("@")
    return f"{name[:1]}•••@{domain}" if at else f"•••{address_on_record[-2:]}"


def send(connection: Connection, customer: Customer, kind: MessageKind, channel: str, text: str, at: datetime) -> str:
    """Put a message into the outbox; returns the masked address. Raises ValueError without an address on record."""
    to = address(customer, channel)
    if to is None:
        raise ValueError(f"there is no address for {channel}")
    row = {"customer_id": customer.customer_id, "kind": kind.value, "channel": channel, "address": to, "text": text}
    connection.execute(insert(outbox).values(**row, at=at))
    return masked(to)


def sent_since(connection: Connection, customer_id: str, kind: MessageKind, now: datetime, within: timedelta) -> int:
    """How many messages of a kind the customer got in the time before `now`."""
    mine = (outbox.c.customer_id == customer_id) & (outbox.c.kind == kind.value) & (outbox.c.at > now - within)
    return connection.execute(select(func.count()).select_from(outbox).where(mine)).scalar_one()


class Outbox:
    """What has been sent, for the demo and the tests."""

    def __init__(self, database: CompanyDatabase) -> None:
        self._database = database

    async def latest_code(self, customer_id: str) -> str | None:
        """The step-up code that the customer got last, whether or not it is still good."""

        def newest(connection: Connection) -> str | None:
            mine = (outbox.c.customer_id == customer_id) & (outbox.c.kind == MessageKind.STEP_UP_CODE.value)
            query = select(outbox.c.text).where(mine).order_by(outbox.c.number.desc()).limit(1)
            return connection.execute(query).scalar()

        text = await self._database.read(newest)
        return None if text is None else text.rpartition(" ")[2]
