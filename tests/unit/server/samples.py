"""Values that the tests of the web side share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from handrail.agent.conversation import Approval, ApprovalState
from handrail.guardrails.vocabulary import (
    Decision,
    Effect,
    Handoff,
    IdentityLevel,
    Priority,
    Stage,
    ToolCall,
)

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
REVISION = "0123456789abcdef"


def decision() -> Decision:
    """A decision that allows."""
    return Decision(
        stage=Stage.GATE_RISK, subject="turn", effect=Effect.ALLOW, reasons=("INTENT_KNOWN",), revision=REVISION
    )


def packet() -> Handoff:
    """A handoff packet."""
    return Handoff(
        handoff_id="h1",
        wants="a person",
        reasons=("HUMAN_REQUESTED",),
        next_step="reply",
        queue="general",
        priority=Priority.NORMAL,
        due_at=NOW + timedelta(hours=1),
        identity=IdentityLevel.ANONYMOUS,
    )


def approval(conversation_id: str, approval_id: str = "a1") -> Approval:
    """A pending request for approval."""
    return Approval(
        approval_id=approval_id,
        conversation_id=conversation_id,
        call=ToolCall(call_id="t1", tool="change_owner", arguments={"to": "u-2"}),
        digest="d",
        state=ApprovalState.PENDING,
        queue="general",
        requested_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )
