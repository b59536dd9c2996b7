"""What an operator does over HTTP. The one place of the scenarios that knows the routes for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from handrail.agent.conversation import Approval, QueuedHandoff
from handrail.agent.server.keys import Keys
from handrail.agent.server.views import DecidedView, TurnView
from handrail.evals.api import Api
from handrail.guardrails.vocabulary import Handoff

OPERATOR = "scenario-operator"

_APPROVALS = TypeAdapter(tuple[Approval, ...])
_HANDOFFS = TypeAdapter(tuple[QueuedHandoff, ...])
_DECIDED = TypeAdapter(DecidedView)


@dataclass(frozen=True, slots=True)
class OperatorApi:
    """An operator at a server whose keys are known."""

    api: Api
    keys: Keys

    async def waiting(self, conversation_id: str) -> str | None:
        """The id of the newest approval that is asked for in the conversation; None when none is."""
        found = await self.api.ask(_APPROVALS, "GET", "/v1/approvals?state=pending", self._headers)
        own = [one.approval_id for one in found if one.conversation_id == conversation_id]
        return own[-1] if own else None

    async def decide(self, approval_id: str, decision: Literal["approve", "deny"]) -> TurnView:
        """Approve or deny the call; the turn that follows, with its reasons."""
        path = f"/v1/approvals/{approval_id}/decision"
        body = {"decision": decision, "by": OPERATOR}
        return (await self.api.ask(_DECIDED, "POST", path, self._headers, body)).turn

    async def packet(self, conversation_id: str) -> Handoff | None:
        """What the person who takes the conversation is given; None when nobody is asked for."""
        queued = await self.api.ask(_HANDOFFS, "GET", "/v1/handoffs", self._headers)
        return next((one.handoff for one in queued if one.conversation_id == conversation_id), None)

    @property
    def _headers(self) -> dict[str, str]:
        return {"X-Server-Key": next(iter(self.keys.server.values())).get_secret_value()}
