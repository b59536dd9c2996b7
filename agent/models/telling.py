"""Says what tool results hold, by fixed templates over their fields; nothing is computed or rounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from handrail.guardrails.vocabulary import ToolOutcome, ToolResult

MAX_RECORDS = 12
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Telling:
    """How the records of a tool are told: those that have all fields of `parts[0]`, each part left out if it lacks one.

    `lead` comes in front of several records, `none` when there is no record.
    """

    tool: str
    parts: tuple[str, ...]
    lead: str = ""
    none: str = ""


TELLINGS: tuple[Telling, ...] = (
    Telling(
        "get_status",
        ("{title}", ": {status}", ". {message}", " Next update: {next_update_at}"),
        "The status page shows these open incidents:",
        "The status page shows no open incident.",
    ),
    Telling(
        "get_subscription",
        (
            "Your subscription {subscription_id} is on the {plan} plan",
            " with {seats} seats",
            ", billed {cycle}",
            ". Its status is {status}",
            ", and the paid period ends on {renews_on}",
        ),
    ),
    Telling(
        "get_invoice",
        (
            "Invoice {invoice_id}",
            " of {issued_on}",
            " is for {amount} {currency}",
            ". Its status is {status}",
            ". Paid so far: {paid_amount} {currency}",
            ", on {paid_on}",
            ". Refunded so far: {refunded_amount} {currency}",
        ),
    ),
    Telling(
        "list_invoices",
        ("{invoice_id}", " of {issued_on}", ": {amount} {currency}", ", {status}"),
        "These are your latest invoices:",
        "There are no invoices on your account.",
    ),
    Telling(
        "list_devices",
        ("{kind}", ' "{label}"', " ({device_id})", ", added on {added_on}", ", {status}"),
        "These devices are set up for your sign-in:",
        "There is no device set up for your sign-in.",
    ),
    Telling("get_profile", ("You are signed in as {name}", " with the role {role}", " on the {plan} plan")),
)

REFUSED = "That is not possible here, and nothing was changed."
SUCCEEDED = "That went through."
UNREAD = "I could look it up, but I may not read out what I found."
"""A result that was withheld is not "no record"."""


def told(results: Sequence[ToolResult]) -> tuple[str, ...]:
    """One paragraph per tool, the newest result of each."""
    newest = {result.call.tool: result for result in results}
    return tuple(_told(result) for result in newest.values() if result.outcome is not ToolOutcome.NOT_YET)


def _told(result: ToolResult) -> str:
    if result.outcome is not ToolOutcome.SUCCEEDED:
        return REFUSED
    telling = next((one for one in TELLINGS if one.tool == result.call.tool), None)
    if telling is None:
        return SUCCEEDED
    if result.reasons:
        return UNREAD
    lines = [line for record in _records(result.content) if (line := _line(telling, record))][:MAX_RECORDS]
    if not lines:
        return telling.none or SUCCEEDED
    if len(lines) == 1 and not telling.lead:
        return f"{lines[0]}."
    return "\n".join([telling.lead, *(f"- {line}" for line in lines)])


def _line(telling: Telling, record: dict[str, JsonValue]) -> str:
    """The parts whose fields all have a value; nothing when the first one lacks some."""
    filled = [_filled(part, record) for part in telling.parts]
    return "".join(filled) if filled[0] else ""


def _filled(part: str, record: dict[str, JsonValue]) -> str:
    values = {name: record.get(name) for name in _FIELD.findall(part)}
    if any(value in (None, "") or isinstance(value, dict | list) for value in values.values()):
        return ""
    return _FIELD.sub(lambda match: str(values[match[1]]).rstrip("."), part)


def _records(content: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Every object in `content`, outer ones first."""
    if isinstance(content, dict):
        yield content
        for item in content.values():
            yield from _records(item)
    elif isinstance(content, list):
        for item in content:
            yield from _records(item)
