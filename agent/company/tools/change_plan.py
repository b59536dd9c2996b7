"""Moves an account to another plan: upgrades at once, downgrades at the next renewal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import JsonValue
from sqlalchemy import update

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.money import to_text
from handrail.agent.company.outbox import MessageKind, send
from handrail.agent.company.prices import RANK, SEATS, price_minor
from handrail.agent.company.records import Subscription
from handrail.agent.company.tables import subscriptions
from handrail.agent.company.tools.cancel_subscription import (
    BY_ORDER_FORM,
    NO_SUCH_SUBSCRIPTION,
    SubscriptionId,
    owned_subscription,
)
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent


class ChangePlan(CallArguments):
    """Which subscription, and the plan that is wanted."""

    subscription_id: SubscriptionId
    plan: Literal["team", "business"]


@dataclass(frozen=True, slots=True)
class _Change:
    """What a change of plan amounts to."""

    direction: Literal["upgrade", "downgrade", "same"]
    effective_on: date
    new_price_minor: int | None


def _facts(desk: Desk, arguments: Arguments) -> dict[str, FactContent]:
    wanted = read_arguments(ChangePlan, arguments)
    allowed = desk.known_customer is not None and desk.known_customer.changes_billing
    found = owned_subscription(desk, wanted.subscription_id)
    if found is None:
        return {"owned": False, "role_allows": allowed}
    change = _change(found, wanted.plan, desk.today)
    facts: dict[str, FactContent] = {
        "owned": True,
        "role_allows": allowed,
        "current_plan": found.plan,
        "direction": change.direction,
        "subscription_status": found.status,
        "seats": found.seats,
        "seats_fit": found.seats in SEATS[wanted.plan],
        "cycle": found.cycle,
        "currency": found.currency,
        "effective_on": change.effective_on.isoformat(),
    }
    if change.new_price_minor is not None:
        facts["new_price_minor"] = change.new_price_minor
    return facts


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(ChangePlan, arguments)
    customer = desk.customer
    found = owned_subscription(desk, wanted.subscription_id)
    if found is None:
        raise ToolRefused(NO_SUCH_SUBSCRIPTION)
    if not customer.changes_billing:
        raise ToolRefused("only an owner or a finance contact of the account may change the plan")
    change = _change(found, wanted.plan, desk.today)
    price = _price(found, wanted, change)
    mine = subscriptions.c.id == found.subscription_id
    if change.direction == "upgrade":
        values = {"plan": wanted.plan, "next_plan": None, "price_minor": price, "status": "active"}
    else:
        values = {"next_plan": wanted.plan}
    desk.connection.execute(update(subscriptions).where(mine).values(**values))
    day = change.effective_on.isoformat()
    text = f"Subscription {found.subscription_id} changes to the plan {wanted.plan} on {day}."
    send(desk.connection, customer, MessageKind.NOTICE, "email", text, desk.now)
    return {
        "subscription_id": found.subscription_id,
        "plan": wanted.plan if change.direction == "upgrade" else found.plan,
        "next_plan": None if change.direction == "upgrade" else wanted.plan,
        "effective_on": day,
        "price": to_text(price),
        "currency": found.currency,
    }


def _price(found: Subscription, wanted: ChangePlan, change: _Change) -> int:
    """The new price, or ToolRefused when the change cannot be made."""
    if found.plan == "enterprise":
        raise ToolRefused(BY_ORDER_FORM)
    if found.status in {"ending", "ended", "past_due"}:
        raise ToolRefused(f"a subscription that is {found.status} cannot change its plan")
    if change.direction == "same":
        raise ToolRefused("the subscription has this plan already")
    if found.seats not in SEATS[wanted.plan]:
        limits = SEATS[wanted.plan]
        raise ToolRefused(f"the plan {wanted.plan} is sold with {limits.start} to {limits.stop - 1} seats")
    if change.new_price_minor is None:
        raise ToolRefused("there is no price for this plan in the customer's currency")
    return change.new_price_minor


def _change(found: Subscription, plan: str, today: date) -> _Change:
    price = price_minor(plan, found.cycle, found.currency, found.seats)
    if RANK[plan] > RANK[found.plan]:
        return _Change("upgrade", today, price)
    return _Change("same" if plan == found.plan else "downgrade", found.renews_on, price)


CHANGE_PLAN = CompanyTool("change_plan", Access.WRITE, _facts, _run)
