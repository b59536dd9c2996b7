"""Reads the contract of the signed-in customer's account."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.money import to_text
from handrail.agent.company.records import find_subscription
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent


class GetSubscription(CallArguments):
    """No arguments."""


def _facts(_desk: Desk, _arguments: Arguments) -> dict[str, FactContent]:
    return {}


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    read_arguments(GetSubscription, arguments)
    customer = desk.customer
    found = find_subscription(desk.connection, customer.account_id)
    if found is None:
        raise ToolRefused("the customer's account has no subscription")
    shown: dict[str, JsonValue] = {
        "subscription_id": found.subscription_id,
        "plan": found.plan,
        "next_plan": found.next_plan,
        "seats": found.seats,
        "cycle": found.cycle,
        "status": found.status,
        "renews_on": found.renews_on.isoformat(),
        "days_to_renewal": (found.renews_on - desk.today).days,
        "ends_on": found.ends_on.isoformat() if found.ends_on else None,
    }
    if customer.sees_billing:
        shown |= {"price": to_text(found.price_minor), "currency": found.currency}
    return shown


GET_SUBSCRIPTION = CompanyTool("get_subscription", Access.READ, _facts, _run)
