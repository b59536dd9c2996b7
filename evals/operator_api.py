"""What an operator does over HTTP. The one place of the scenarios that knows the routes for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr, TypeAdapter

from handrail.agent.conversation import Approval
from handrail.agent.server.case_views import CaseView, SessionView
from handrail.agent.server.views import DecidedView, TurnView
from handrail.evals.api import Api
from handrail.guardrails.vocabulary import Handoff

_APPROVALS = TypeAdapter(tuple[Approval, ...])
_CASE = TypeAdapter(CaseView)
_DECIDED = TypeAdapter(DecidedView)
_SESSION = TypeAdapter(SessionView)
_BASE = "/v1/operator"


@dataclass(slots=True)
class OperatorApi:
    """A person with an account at a server, who signs in when there is something to do."""

    api: Api
    name: str
    password: SecretStr
    _token: str | None = None

    async def waiting(self, conversation_id: str) -> str | None:
        """The id of the newest approval that is asked for in the conversation; None when none is."""
        found = await self.api.ask(_APPROVALS, "GET", f"{_BASE}/approvals?state=pending", await self._signed_in())
        own = [one.approval_id for one in found if one.conversation_id == conversation_id]
        return own[-1] if own else None

    async def decide(self, approval_id: str, decision: Literal["approve", "deny"]) -> TurnView:
        """Approve or deny the call; the turn that follows, with its reasons."""
        path = f"{_BASE}/approvals/{approval_id}/{decision}"
        return (await self.api.ask(_DECIDED, "POST", path, await self._signed_in())).turn

    async def packet(self, conversation_id: str) -> Handoff | None:
        """What the person who takes the conversation is given; None when nobody is asked for."""
        path = f"{_BASE}/conversations/{conversation_id}"
        return (await self.api.ask(_CASE, "GET", path, await self._signed_in())).packet

    async def _signed_in(self) -> dict[str, str]:
        if self._token is None:
            body = {"name": self.name, "password": self.password.get_secret_value()}
            self._token = (await self.api.ask(_SESSION, "POST", f"{_BASE}/session", {}, body)).token
        return {"Authorization": f"Bearer {self._token}"}
