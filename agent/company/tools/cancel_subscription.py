"""Ends the contract of an account on a day within the paid period."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, JsonValue
from sqlalchemy import update

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.outbox import MessageKind, send
from handrail.agent.company.records import Subscription, find_subscription
from handrail.agent.company.tables import subscriptions
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent

SubscriptionId = Annotated[str, Field(pattern=r"^SUB-[0-9]{4,8}$")]

NO_SUCH_SUBSCRIPTION = "the customer's account has no subscription with this id"
"""Said of a subscription that does not exist and of somebody else's alike."""

BY_ORDER_FORM = "enterprise contracts are changed and ended by the account team, under the terms of the order form"
"""Why an enterprise contract is left to people."""


class CancelSubscription(CallArguments):
    """Which subscription, and the day on which it ends (ISO)."""

    subscription_id: SubscriptionId
    effective_on: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


def owned_subscription(desk: Desk, subscription_id: str) -> Subscription | None:
    """The subscription, if it belongs to the account of the signed-in customer."""
    if desk.known_customer is None:
        return None
    return find_subscription(desk.connection, desk.known_customer.account_id, subscription_id)


def _facts(desk: Desk, arguments: Arguments) -> dict[str, FactContent]:
    wanted = read_arguments(CancelSubscription, arguments)
    allowed = desk.known_customer is not None and desk.known_customer.changes_billing
    found = owned_subscription(desk, wanted.subscription_id)
    if found is None:
        return {"owned": False, "role_allows": allowed}
    return {
        "owned": True,
        "role_allows": allowed,
        "plan": found.plan,
        "subscription_status": found.status,
        "is_trial": found.plan == "trial",
        "renewal_days": (found.renews_on - desk.today).days,
        "renews_on": found.renews_on.isoformat(),
        "date_possible": _possible(found, wanted.effective_on, desk.today),
        "seats": found.seats,
    }


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(CancelSubscription, arguments)
    customer = desk.customer
    found = owned_subscription(desk, wanted.subscription_id)
    if found is None:
        raise ToolRefused(NO_SUCH_SUBSCRIPTION)
    if not customer.changes_billing:
        raise ToolRefused("only an owner or a finance contact of the account may cancel")
    if found.plan == "enterprise":
        raise ToolRefused(BY_ORDER_FORM)
    if found.status in {"ending", "ended"}:
        raise ToolRefused("the subscription is cancelled already")
    if not _possible(found, wanted.effective_on, desk.today):
        raise ToolRefused("the day must lie between today and the end of the paid period")
    ends_on = date.fromisoformat(wanted.effective_on)
    mine = subscriptions.c.id == found.subscription_id
    desk.connection.execute(update(subscriptions).where(mine).values(status="ending", ends_on=ends_on))
    text = f"Subscription {found.subscription_id} is cancelled and ends on {wanted.effective_on}."
    send(desk.connection, customer, MessageKind.NOTICE, "email", text, desk.now)
    return {"subscription_id": found.subscription_id, "status": "ending", "ends_on": wanted.effective_on}


def _possible(found: Subscription, written: str, today: date) -> bool:
    try:
        return today <= date.fromisoformat(written) <= found.renews_on
    except ValueError:
        return False


CANCEL_SUBSCRIPTION = CompanyTool("cancel_subscription", Access.WRITE, _facts, _run)
