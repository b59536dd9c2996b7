"""An operator's side of a server, over HTTP: what `handrail queue` calls."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import httpx
from pydantic import JsonValue

from handrail.agent.case import CaseSummary
from handrail.agent.conversation import Approval, ApprovalState
from handrail.agent.server.case_views import CaseView, SessionView
from handrail.agent.server.remote import ViewT, read, unreachable
from handrail.agent.server.views import DecidedView, MessageView
from handrail.guardrails.vocabulary import ConversationStatus

ANSWER_SECONDS = 60.0
PREFIX = "/v1/operator"


class OperatorClient:
    """A signed-in person's requests. Everything raises TalkError and Fault as `read`."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        """Ask with `client`, which has the base address, as whoever has `token`."""
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    def queue(
        self, statuses: Sequence[ConversationStatus] = (), queue: str | None = None, *, mine: bool = False
    ) -> tuple[CaseSummary, ...]:
        """The conversations that people look after."""
        params = [("status", each.value) for each in statuses]
        params += [("mine", "true")] if mine else []
        params += [("queue", queue)] if queue is not None else []
        return self._ask("GET", "/queue", tuple[CaseSummary, ...], params=params)

    def case(self, conversation_id: str) -> CaseView:
        """One conversation, whole."""
        return self._ask("GET", f"/conversations/{conversation_id}", CaseView)

    def claim(self, conversation_id: str) -> CaseView:
        """Take it."""
        return self._ask("POST", f"/conversations/{conversation_id}/claim", CaseView)

    def reply(self, conversation_id: str, text: str) -> MessageView:
        """Write to the customer."""
        return self._ask("POST", f"/conversations/{conversation_id}/messages", MessageView, {"text": text})

    def release(self, conversation_id: str, to: str) -> CaseView:
        """Give it back."""
        return self._ask("POST", f"/conversations/{conversation_id}/release", CaseView, {"to": to})

    def resolve(self, conversation_id: str, note: str | None) -> CaseView:
        """Close the matter."""
        return self._ask("POST", f"/conversations/{conversation_id}/resolve", CaseView, {"note": note})

    def approvals(self, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Requests for approval."""
        params = [] if state is None else [("state", state.value)]
        return self._ask("GET", "/approvals", tuple[Approval, ...], params=params)

    def approve(self, approval_id: str, digest: str | None = None) -> DecidedView:
        """Approve the exact call; one that a colleague changed by its digest."""
        return self._ask("POST", f"/approvals/{approval_id}/approve", DecidedView, {"digest": digest})

    def deny(self, approval_id: str) -> DecidedView:
        """Deny it."""
        return self._ask("POST", f"/approvals/{approval_id}/deny", DecidedView)

    def edit(self, approval_id: str, arguments: Mapping[str, JsonValue]) -> DecidedView:
        """Approve it with other arguments."""
        return self._ask("POST", f"/approvals/{approval_id}/edit", DecidedView, {"arguments": dict(arguments)})

    def _ask(
        self,
        method: str,
        path: str,
        view: type[ViewT],
        body: Mapping[str, JsonValue] | None = None,
        params: Sequence[tuple[str, str]] = (),
    ) -> ViewT:
        headers = {**self._headers, "Idempotency-Key": secrets.token_hex(16)}
        return _answer(self._client, method, path, view, headers, body, params)


def sign_in(client: httpx.Client, name: str, password: str) -> SessionView:
    """A fresh session. Raises TalkError, Fault (401, 429)."""
    return _answer(client, "POST", "/session", SessionView, {}, {"name": name, "password": password}, ())


def _answer(
    client: httpx.Client,
    method: str,
    path: str,
    view: type[ViewT],
    headers: Mapping[str, str],
    body: Mapping[str, JsonValue] | None,
    params: Sequence[tuple[str, str]],
) -> ViewT:
    try:
        answer = client.request(
            method, PREFIX + path, json=body, params=list(params), headers=dict(headers), timeout=ANSWER_SECONDS
        )
    except httpx.HTTPError as error:
        raise unreachable(client.base_url, error) from error
    return read(answer, view)
