"""What a runner saw of one turn, the same in process and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from handrail.evals.company_call import CompanyCall
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Effect,
    Frozen,
    Handoff,
    Priority,
    RiskTier,
    Stage,
    ToolCall,
    TurnResult,
)

SUCCEEDED = "TOOL_SUCCEEDED"
"""The reason code of a turn in which a call ended well."""


class Observed(Frozen):
    """One turn as seen from outside.

    `risk` is the highest tier of any decision, `queue` and `priority` are what policy chose; each is None where the
    target does not show it. `sources` are ids of
    documents. `permitted` are write tools that were allowed to run in this turn, `ran` those that did. `calls` are
    those that reached the company's own system, where it can be asked.
    """

    reply: str
    status: ConversationStatus
    reasons: tuple[str, ...]
    segments: tuple[str, ...]
    sources: tuple[str, ...]
    decisions: tuple[Decision, ...]
    risk: RiskTier | None = None
    queue: str | None = None
    priority: Priority | None = None
    quick_replies: tuple[str, ...] = ()
    confirmation: ToolCall | None = None
    handoff: Handoff | None = None
    permitted: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()
    calls: tuple[CompanyCall, ...] = ()

    @property
    def executed(self) -> tuple[str, ...]:
        """The write tools that the company carried out."""
        return tuple(made.call.tool for made in self.calls if made.wrote)

    def effect(self, stage: Stage) -> Effect | None:
        """The strictest effect of the decisions of `stage`; None when there is none."""
        found = [decision.effect for decision in self.decisions if decision.stage is stage]
        return max(found, key=lambda effect: effect.rank, default=None)


def observe(
    result: TurnResult, segments: Mapping[str, str], writes: AbstractSet[str], calls: tuple[CompanyCall, ...] = ()
) -> Observed:
    """What `result` shows. `segments` maps segment ids to their reason codes; `writes` are the ids of write tools."""
    codes = {reason for decision in result.decisions for reason in decision.reasons} | set(result.reasons)
    tiers = [decision.dimensions.risk for decision in result.decisions]
    chosen = [decision.dimensions for decision in result.decisions if decision.stage is Stage.APPLY_POLICY]
    permitted = tuple(tool for tool in sorted(writes) if _allowed(result, tool))
    return Observed(
        reply=result.reply,
        status=result.status,
        reasons=tuple(sorted(codes)),
        segments=tuple(sorted(name for name, code in segments.items() if code in codes)),
        sources=tuple(dict.fromkeys(document_of(citation) for citation in result.citations)),
        decisions=result.decisions,
        risk=max(tiers, key=lambda tier: tier.rank, default=None),
        queue=chosen[-1].queue if chosen else None,
        priority=chosen[-1].priority if chosen else None,
        quick_replies=result.quick_replies,
        confirmation=result.confirmation,
        handoff=result.handoff,
        permitted=permitted,
        ran=permitted if SUCCEEDED in codes else (),
        calls=calls,
    )


def document_of(citation: str) -> str:
    """The document of a citation, which is a document id or a passage id (`document#digest`)."""
    return citation.partition("#")[0]


def names_tool(decision: Decision, tool: str) -> bool:
    """Whether a decision is about calls of `tool`; its subject is the tool or `tool:<id>`."""
    return decision.stage is Stage.AUTHORIZE_TOOLS and tool in decision.subject.replace("/", ":").split(":")


def _allowed(result: TurnResult, tool: str) -> bool:
    return any(decision.allowed and names_tool(decision, tool) for decision in result.decisions)
