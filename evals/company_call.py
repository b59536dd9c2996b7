"""A call as the company's own system met it: what a judge goes by, whatever Handrail says of itself."""

from __future__ import annotations

from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Frozen, ToolCall, ToolOutcome


class CompanyCall(Frozen):
    """A call that reached the company, for whom, under which idempotency key, and how it ended there.

    `outcome` is succeeded, failed (the company refused it) or unknown (something broke).
    """

    call: ToolCall
    customer_id: str
    key: str
    access: Access
    outcome: ToolOutcome

    @property
    def wrote(self) -> bool:
        """Whether something was changed by it."""
        return self.access is Access.WRITE and self.outcome is ToolOutcome.SUCCEEDED

    def same(self, other: ToolCall) -> bool:
        """Whether it is that very call, its id apart."""
        return self.call.tool == other.tool and self.call.arguments == other.arguments
