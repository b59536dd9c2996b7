"""The facts that the flow itself provides, beside the attributes and windows that the bundle declares."""

from __future__ import annotations

from handrail.guardrails.policy.facts import COUNT, FactKind, FactSpec, Range
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    IdentityLevel,
    NeedState,
    RiskTier,
    Stage,
)

UNKNOWN_NEED = "unknown"
"""The value of `need_state` when detection says that it does not know: an answer, not a missing fact."""

NO_FLOW = "none"
"""The value of `flow` when no guided flow is chosen or under way."""

_NEEDS = frozenset({*(need.value for need in NeedState), UNKNOWN_NEED})


def _closed(*values: str) -> frozenset[str]:
    return frozenset(values)


BUILTIN: tuple[FactSpec, ...] = (
    FactSpec("need_state", FactKind.WORD, "the main need state of the message, or unknown", values=_NEEDS),
    FactSpec("need_states", FactKind.SET, "every need state of the message", values=_NEEDS),
    FactSpec("intent", FactKind.WORD, "the fine intent, or unknown"),
    FactSpec(
        "confidence",
        FactKind.NUMBER,
        "calibrated probability of the main reading, 0 to 1",
        range=Range(least=0, most=1),
    ),
    FactSpec("signals", FactKind.SET, "codes of the signals found in the message"),
    FactSpec("language", FactKind.WORD, "language of the message (ISO 639-1), or unknown"),
    FactSpec(
        "identity",
        FactKind.WORD,
        "how sure we are who writes",
        values=frozenset(level.value for level in IdentityLevel),
    ),
    FactSpec("channel", FactKind.WORD, "the channel of the conversation"),
    FactSpec(
        "conversation",
        FactKind.WORD,
        "who speaks with the customer",
        values=frozenset(status.value for status in ConversationStatus),
    ),
    FactSpec(
        "unresolved_turns",
        FactKind.NUMBER,
        "customer messages since the last confirmed solution, this one too",
        range=COUNT,
    ),
    FactSpec("clarifications", FactKind.NUMBER, "clarifying questions asked since the last answer", range=COUNT),
    FactSpec("failed_attempts", FactKind.NUMBER, "guided attempts that failed in this conversation", range=COUNT),
    FactSpec("in_flow", FactKind.BOOLEAN, "whether a guided flow is under way"),
    FactSpec("person_offered", FactKind.BOOLEAN, "whether the last reply asked if a person should be brought"),
    FactSpec(
        "earlier_risk",
        FactKind.WORD,
        "the risk tier of the matter so far; low when a new one begins",
        values=frozenset(tier.value for tier in RiskTier),
    ),
    FactSpec(
        "pending",
        FactKind.WORD,
        "what the last message asked the customer for",
        values=_closed("nothing", "verify_identity", "confirm", "approve"),
    ),
    FactSpec(
        "assistance",
        FactKind.WORD,
        "whether the customer has refused to be answered by a machine",
        values=_closed("accepted", "refused"),
    ),
    FactSpec("company_open", FactKind.BOOLEAN, "whether the default queue is open now"),
    FactSpec(
        "risk",
        FactKind.WORD,
        "the risk tier that gate_risk found",
        since=Stage.APPLY_POLICY,
        values=frozenset(tier.value for tier in RiskTier),
    ),
    FactSpec(
        "passages_good", FactKind.NUMBER, "passages good enough to answer from", since=Stage.RETRIEVE, range=COUNT
    ),
    FactSpec(
        "passages_fresh",
        FactKind.NUMBER,
        "good passages that were not shown before",
        since=Stage.RETRIEVE,
        range=COUNT,
    ),
    FactSpec(
        "speaker", FactKind.WORD, "who wrote the draft", since=Stage.GENERATE, values=_closed("model", "flow", "text")
    ),
    FactSpec(
        "tool_access",
        FactKind.WORD,
        "what the tool does",
        only_at=Stage.AUTHORIZE_TOOLS,
        values=_closed("read", "write"),
    ),
    FactSpec(
        "tool_sensitivity",
        FactKind.WORD,
        "how sensitive the tool is",
        only_at=Stage.AUTHORIZE_TOOLS,
        values=_closed("low", "medium", "high"),
    ),
    FactSpec("tool_reversible", FactKind.BOOLEAN, "whether the call can be undone", only_at=Stage.AUTHORIZE_TOOLS),
    FactSpec(
        "tool_needs_customer", FactKind.BOOLEAN, "whether the tool acts on a customer", only_at=Stage.AUTHORIZE_TOOLS
    ),
    FactSpec("call_schema_valid", FactKind.BOOLEAN, "arguments match the declaration", only_at=Stage.AUTHORIZE_TOOLS),
    FactSpec(
        "call_provenance_ok",
        FactKind.BOOLEAN,
        "sensitive arguments come from allowed origins",
        only_at=Stage.AUTHORIZE_TOOLS,
    ),
    FactSpec(
        "call_confirmed", FactKind.BOOLEAN, "the customer agreed to exactly this call", only_at=Stage.AUTHORIZE_TOOLS
    ),
    FactSpec(
        "call_approvals",
        FactKind.NUMBER,
        "how many different people have approved exactly this call",
        only_at=Stage.AUTHORIZE_TOOLS,
        range=COUNT,
    ),
    FactSpec(
        "call_repeated",
        FactKind.BOOLEAN,
        "the same call already ran in this conversation",
        only_at=Stage.AUTHORIZE_TOOLS,
    ),
    FactSpec("call_over_rate", FactKind.BOOLEAN, "the tool's rate limit is used up", only_at=Stage.AUTHORIZE_TOOLS),
    FactSpec(
        "call_edit",
        FactKind.WORD,
        "what an operator's edit of the call means for the customer",
        only_at=Stage.AUTHORIZE_TOOLS,
        values=_closed("none", "favourable", "adverse"),
    ),
    FactSpec("flow", FactKind.WORD, "the guided flow that is chosen or under way, or none", since=Stage.RETRIEVE),
    FactSpec(
        "findings_count",
        FactKind.NUMBER,
        "how many output findings there are",
        only_at=Stage.GUARD_OUTPUT,
        range=COUNT,
    ),
    FactSpec("findings", FactKind.SET, "codes of the output findings", only_at=Stage.GUARD_OUTPUT),
    FactSpec(
        "repairs_left", FactKind.NUMBER, "repairs that may still be asked for", only_at=Stage.GUARD_OUTPUT, range=COUNT
    ),
)
