"""What operators get to see: their session, cases, and what became of their decisions."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from handrail.agent.case import Case
from handrail.agent.conversation import Approval
from handrail.agent.files import StoredFile
from handrail.agent.server.views import MessageView, StageView, stages
from handrail.guardrails.vocabulary import ConversationStatus, Frozen, Handoff, IdentityLevel


class SessionView(Frozen):
    """A fresh sign-in. The token is shown this once."""

    token: str = Field(examples=["hro_..."])
    expires_at: datetime
    name: str
    display: str


class TurnReasons(Frozen):
    """Why one turn came out as it did, stage by stage."""

    turn_id: str
    reasons: tuple[str, ...]
    decisions: tuple[StageView, ...]


class CaseView(Frozen):
    """One conversation as an operator sees it. `holder` is who has it; `packet` is None until a person is asked for."""

    conversation_id: str
    channel: str
    customer_id: str | None
    identity: IdentityLevel
    status: ConversationStatus
    holder: str | None
    opened_at: datetime
    packet: Handoff | None
    messages: tuple[MessageView, ...]
    approvals: tuple[Approval, ...]
    files: tuple[StoredFile, ...]
    turns: tuple[TurnReasons, ...]

    @classmethod
    def of(cls, case: Case) -> CaseView:
        """The view of a stored case."""
        return cls(
            conversation_id=case.conversation_id,
            channel=case.channel,
            customer_id=case.customer_id,
            identity=case.identity,
            status=case.status,
            holder=case.holder,
            opened_at=case.opened_at,
            packet=case.packet,
            messages=tuple(MessageView.of(each) for each in case.messages),
            approvals=case.approvals,
            files=case.files,
            turns=tuple(
                TurnReasons(turn_id=each.turn_id, reasons=each.reasons, decisions=stages(each.decisions))
                for each in case.turns
            ),
        )
