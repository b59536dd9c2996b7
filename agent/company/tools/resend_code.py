"""Sends another sign-in code to the address on record."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal

from pydantic import JsonValue

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.outbox import MessageKind, address, masked, send, sent_since
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent

PER_HOUR = 5
"""Sign-in codes that one customer gets in an hour."""

VALID_MINUTES = 10
"""How long a sign-in code is good."""


class ResendCode(CallArguments):
    """How to send it."""

    channel: Literal["email", "sms"]


def _facts(desk: Desk, arguments: Arguments) -> dict[str, FactContent]:
    wanted = read_arguments(ResendCode, arguments)
    customer = desk.known_customer
    if customer is None:
        return {"owned": False}
    to = address(customer, wanted.channel)
    facts: dict[str, FactContent] = {
        "owned": True,
        "channel_available": to is not None,
        "codes_last_hour": _recent(desk),
    }
    if to is not None:
        facts["address_masked"] = masked(to)
    return facts


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(ResendCode, arguments)
    customer = desk.customer
    if address(customer, wanted.channel) is None:
        raise ToolRefused("there is no address on record for this channel; offer the other one")
    if _recent(desk) >= PER_HOUR:
        raise ToolRefused("too many codes were sent in the last hour; the newest one works")
    text = f"Your Fernwell sign-in code is {secrets.randbelow(10**6):06d}"
    sent_to = send(desk.connection, customer, MessageKind.SIGN_IN_CODE, wanted.channel, text, desk.now)
    return {"channel": wanted.channel, "address_masked": sent_to, "valid_minutes": VALID_MINUTES}


def _recent(desk: Desk) -> int:
    hour = timedelta(hours=1)
    return sent_since(desk.connection, desk.customer.customer_id, MessageKind.SIGN_IN_CODE, desk.now, hour)


RESEND_CODE = CompanyTool("resend_code", Access.WRITE, _facts, _run)
