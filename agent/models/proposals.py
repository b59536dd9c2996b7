"""Which call the embedded model proposes: fixed plans by need state and intent, filled from words and records only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from handrail.agent.ports import Prompt, ToolOffer
from handrail.guardrails.vocabulary import NeedState, Role, ToolCall, ToolOutcome


@dataclass(frozen=True, slots=True)
class Plan:
    """Tools to call one after the other. `intents` empty means any; `words` must stand in the message, if given."""

    need_state: NeedState
    intents: frozenset[str]
    tools: tuple[str, ...]
    words: re.Pattern[str] | None = None
    changes: bool = False


_INVOICE = re.compile(r"\bINV-?\d{4,8}\b", re.IGNORECASE)
_COPY = re.compile(r"\b(cop(y|ies)|download|send|resend|invoices|receipt|list)\b", re.IGNORECASE)
_QUESTION = re.compile(
    r"^\W*(how|what|where|when|why|who|which|can i|could i|may i|is it possible|is there|do i|does|will)\b",
    re.IGNORECASE,
)

# The first plan that fits is followed.
PLANS: tuple[Plan, ...] = (
    Plan(NeedState.ACCOUNT_CHANGES, frozenset({"cancel"}), ("get_subscription", "cancel_subscription"), changes=True),
    Plan(
        NeedState.ACCOUNT_CHANGES,
        frozenset({"upgrade", "downgrade"}),
        ("get_subscription", "change_plan"),
        re.compile(r"\b(team|business)\b", re.IGNORECASE),
        changes=True,
    ),
    Plan(NeedState.ACCOUNT_CHANGES, frozenset({"delete_data"}), ("delete_data",), changes=True),
    Plan(
        NeedState.BILLING_CHARGES,
        frozenset({"refund_request"}),
        ("get_invoice", "issue_refund"),
        _INVOICE,
        changes=True,
    ),
    Plan(NeedState.BILLING_CHARGES, frozenset(), ("get_invoice",), _INVOICE),
    Plan(NeedState.BILLING_CHARGES, frozenset({"invoice_copy", "refund_request"}), ("list_invoices",)),
    Plan(NeedState.BILLING_CHARGES, frozenset(), ("list_invoices",), _COPY),
    Plan(NeedState.INCIDENT, frozenset(), ("get_status",)),
    Plan(NeedState.ACCESS_RESTORE, frozenset({"code_not_received"}), ("resend_code",)),
    Plan(NeedState.ACCESS_RESTORE, frozenset({"mfa_lockout"}), ("list_devices",)),
)

AMOUNT = "amount"
_MONEY_SAID = re.compile(r"[€$£]\s?\d|\b\d+([.,]\d+)?\s?(eur|usd|gbp|chf|euros?|dollars?|pounds?|%)", re.IGNORECASE)
_ISO_DATE = r"\d{4}-\d{2}-\d{2}"

# Names under which a record holds what an argument asks for, the argument's own name first.
RECORD_NAMES: dict[str, tuple[str, ...]] = {
    "effective_on": ("effective_on", "renews_on"),
    AMOUNT: ("refundable_amount",),
}
SYNONYMS: dict[str, tuple[str, ...]] = {"email": ("e-mail", "mail", "inbox"), "sms": ("text", "text message", "phone")}


def proposal(prompt: Prompt) -> ToolCall | None:
    """The next call of the plan that fits, or None: nothing fits, the plan is done, or an argument has no source."""
    offers = {offer.name: offer for offer in prompt.tools}
    for plan in PLANS:
        if not _fits(plan, prompt):
            continue
        for tool in plan.tools:
            ended = [result for result in prompt.results if result.call.tool == tool]
            if any(result.outcome is ToolOutcome.SUCCEEDED for result in ended):
                continue
            if ended or tool not in offers:
                return None
            arguments = _arguments(offers[tool], prompt)
            if arguments is None:
                return None
            return ToolCall(call_id=f"quoting-{len(prompt.results) + 1}", tool=tool, arguments=arguments)
        return None
    return None


def _fits(plan: Plan, prompt: Prompt) -> bool:
    if prompt.need_state != plan.need_state or (plan.intents and prompt.intent not in plan.intents):
        return False
    if plan.changes and _QUESTION.match(prompt.message):
        # Who asks how something goes has not asked for it to be done.
        return False
    return plan.words is None or plan.words.search(prompt.message) is not None


def _arguments(offer: ToolOffer, prompt: Prompt) -> dict[str, JsonValue] | None:
    """Values for everything required, or None when one has no source."""
    declared, required = offer.parameters.get("properties"), offer.parameters.get("required")
    properties = declared if isinstance(declared, dict) else {}
    filled: dict[str, JsonValue] = {}
    for name in required if isinstance(required, list) else ():
        schema = properties.get(str(name))
        value = _value(str(name), schema if isinstance(schema, dict) else {}, prompt)
        if value is None:
            return None
        filled[str(name)] = value
    return filled


def _value(name: str, schema: dict[str, JsonValue], prompt: Prompt) -> JsonValue:
    """From the customer's words, the newest first, else from a result or a verified record, when it is the only one."""
    choices = schema.get("enum")
    if isinstance(choices, list):
        return next((found for text in _words(prompt) if (found := _named(choices, text)) is not None), None)
    said = _said(schema, prompt)
    if said is not None:
        return said
    if name == AMOUNT and _MONEY_SAID.search(prompt.message):
        # Part of the sum was asked for in a form that cannot be taken over as it stands; the whole is not meant.
        return None
    for alias in RECORD_NAMES.get(name, (name,)):
        held = list(dict.fromkeys(_held(prompt, alias)))
        if len(held) == 1:
            return held[0]
    return prompt.known.get(name)


def _said(schema: dict[str, JsonValue], prompt: Prompt) -> str | None:
    """The newest of the customer's words that has the form the argument asks for."""
    pattern = _ISO_DATE if schema.get("format") == "date" else schema.get("pattern")
    if not isinstance(pattern, str):
        return None
    bare = re.compile(rf"(?<![\w.,-])(?:{pattern.removeprefix('^').removesuffix('$')})(?![\w-]|[.,]\d)", re.IGNORECASE)
    return next((match[0].upper() for text in _words(prompt) if (match := bare.search(text))), None)


def _words(prompt: Prompt) -> list[str]:
    earlier = [message.text for message in prompt.history if message.role is Role.CUSTOMER]
    return [prompt.message, *reversed(earlier)]


def _named(choices: Sequence[JsonValue], text: str) -> JsonValue:
    """The one choice that `text` names."""
    named = [
        choice
        for choice in choices
        if isinstance(choice, str)
        and any(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
            for word in (choice, *SYNONYMS.get(choice, ()))
        )
    ]
    return named[0] if len(named) == 1 else None


def _held(prompt: Prompt, name: str) -> Iterator[JsonValue]:
    """Every value under `name` in the results of this turn."""
    for result in prompt.results:
        if result.outcome is ToolOutcome.SUCCEEDED:
            yield from values_of(result.content, name)


def values_of(content: JsonValue, name: str) -> Iterator[JsonValue]:
    """Atomic values under the key `name`, at any depth, in order."""
    if isinstance(content, dict):
        for key, item in content.items():
            if key == name and isinstance(item, str | int | float):
                yield item
            else:
                yield from values_of(item, name)
    elif isinstance(content, list):
        for item in content:
            yield from values_of(item, name)
