"""Reads what the records say of the signed-in customer."""

from __future__ import annotations

from pydantic import JsonValue
from sqlalchemy import select

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.outbox import masked
from handrail.agent.company.records import find_subscription
from handrail.agent.company.tables import accounts
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent


class GetProfile(CallArguments):
    """No arguments."""


def _facts(_desk: Desk, _arguments: Arguments) -> dict[str, FactContent]:
    return {}


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    read_arguments(GetProfile, arguments)
    customer = desk.customer
    subscription = find_subscription(desk.connection, customer.account_id)
    region = desk.connection.execute(select(accounts.c.region).where(accounts.c.id == customer.account_id)).scalar_one()
    return {
        "customer_id": customer.customer_id,
        "name": customer.name,
        "email_masked": masked(customer.email),
        "role": customer.role,
        "owner": customer.owner,
        "plan": subscription.plan if subscription else None,
        "region": region,
        "language": customer.language,
        "time_zone": customer.time_zone,
        "sign_in_locked": customer.sign_in_locked,
    }


GET_PROFILE = CompanyTool("get_profile", Access.READ, _facts, _run)
