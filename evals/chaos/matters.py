"""What customers want in the runs with crashes, and how each matter goes on when nothing crashes."""

from __future__ import annotations

from enum import StrEnum

from pydantic import JsonValue

from handrail.evals.chaos.wishes import ASKING
from handrail.guardrails.vocabulary import Frozen, ToolCall


class Step(StrEnum):
    """Who does something next, in the order of the matter. Each step has a key of its own, so it can be repeated."""

    ASK = "ask"
    CODE = "code"
    YES = "yes"
    APPROVE = "approve"
    APPROVE_TOO = "approve too"
    DENY = "deny"


class Matter(Frozen):
    """A write that a customer asks for. `forgetful` is a company that cannot tell by a key what became of a call."""

    name: str
    customer: str
    call: ToolCall
    steps: tuple[Step, ...]
    forgetful: bool = False

    @property
    def asking(self) -> str:
        """How the customer asks for it."""
        return ASKING[self.call.tool].format_map(self.call.arguments)

    @property
    def runs(self) -> bool:
        """Whether it ends with the write done."""
        return Step.DENY not in self.steps


def _matter(
    name: str, customer: str, tool: str, arguments: dict[str, JsonValue], *steps: Step, forgetful: bool = False
) -> Matter:
    call = ToolCall(call_id="wish", tool=tool, arguments=arguments)
    return Matter(name=name, customer=customer, call=call, steps=steps, forgetful=forgetful)


_REFUND: dict[str, JsonValue] = {"invoice_id": "INV-2049", "amount": "112.00"}
_LARGE: dict[str, JsonValue] = {"invoice_id": "INV-2049", "amount": "250.00"}
_CODE: dict[str, JsonValue] = {"channel": "email"}
_ENDS: dict[str, JsonValue] = {"subscription_id": "SUB-1001", "effective_on": "2026-12-03"}
_AGREED = (Step.ASK, Step.CODE, Step.YES)

MATTERS = (
    _matter("a sign-in code", "leo", "resend_code", _CODE, Step.ASK, Step.YES),
    _matter("a refund", "farid", "issue_refund", _REFUND, *_AGREED, Step.APPROVE),
    _matter("a refund for two", "farid", "issue_refund", _LARGE, *_AGREED, Step.APPROVE, Step.APPROVE_TOO),
    _matter("a denied refund", "farid", "issue_refund", _REFUND, *_AGREED, Step.DENY),
    _matter("a cancellation", "mia", "cancel_subscription", _ENDS, *_AGREED, Step.APPROVE),
    _matter("a code of a forgetful company", "leo", "resend_code", _CODE, Step.ASK, Step.YES, forgetful=True),
    _matter(
        "a refund of a forgetful company", "farid", "issue_refund", _REFUND, *_AGREED, Step.APPROVE, forgetful=True
    ),
)
"""Writes with a confirmation only, with one approval, with two, with a refusal; and with a company without memory."""
