"""One conversation from the caller's end: in this process, or with a server over HTTP."""

from __future__ import annotations

import secrets
from typing import Protocol

import httpx

from handrail.agent.server.desk import Desk
from handrail.agent.server.remote import ViewT, read, unreachable
from handrail.agent.server.views import OpenedView, TurnView
from handrail.guardrails.vocabulary import IdentityLevel

CHANNEL = "terminal"
ANSWER_SECONDS = 60.0


class Talk(Protocol):
    """A conversation that has been opened."""

    async def say(self, text: str) -> TurnView:
        """Say something and wait for the reply."""
        ...

    async def ask_for_person(self) -> TurnView:
        """Press the button for a person."""
        ...


class LocalTalk:
    """A conversation with a service in this process."""

    def __init__(self, desk: Desk, conversation_id: str, customer_id: str | None, *, debug: bool) -> None:
        self._desk = desk
        self._conversation_id = conversation_id
        self._customer_id = customer_id
        self._debug = debug

    @classmethod
    async def open(cls, desk: Desk, customer_id: str | None, *, debug: bool) -> LocalTalk:
        """Open a conversation."""
        level = IdentityLevel.ANONYMOUS if customer_id is None else IdentityLevel.IDENTIFIED
        opened = await desk.service.open(desk.site, CHANNEL, customer_id, level)
        return cls(desk, opened, customer_id, debug=debug)

    async def say(self, text: str) -> TurnView:
        """Say something and wait for the reply. Raises what `Face.say` raises."""
        key = secrets.token_hex(16)
        said = await self._desk.service.say(self._desk.site, self._conversation_id, self._customer_id, text, key)
        return await self._desk.turn(self._conversation_id, said, debug=self._debug)

    async def ask_for_person(self) -> TurnView:
        """Press the button for a person."""
        key = secrets.token_hex(16)
        said = await self._desk.service.ask_for_person(self._desk.site, self._conversation_id, self._customer_id, key)
        return await self._desk.turn(self._conversation_id, said, debug=self._debug)


class RemoteTalk:
    """A conversation with a server. `client` has the base address and the headers of the caller."""

    def __init__(self, client: httpx.AsyncClient, conversation_id: str, *, debug: bool) -> None:
        self._client = client
        self._path = f"/v1/conversations/{conversation_id}"
        self._params = {"debug": "true"} if debug else {}

    @classmethod
    async def open(cls, client: httpx.AsyncClient, *, debug: bool) -> RemoteTalk:
        """Open a conversation. Raises TalkError, Fault."""
        opened = await _ask(client, "/v1/conversations", OpenedView, {"channel": CHANNEL})
        if opened.visitor_key is not None:
            client.headers["X-Visitor-Key"] = opened.visitor_key
        return cls(client, opened.conversation_id, debug=debug)

    async def say(self, text: str) -> TurnView:
        """Say something and wait for the reply. Raises TalkError, Fault."""
        return await _ask(self._client, f"{self._path}/messages", TurnView, {"text": text}, self._params)

    async def ask_for_person(self) -> TurnView:
        """Press the button for a person. Raises TalkError, Fault."""
        return await _ask(self._client, f"{self._path}/handoff", TurnView, None, self._params)


async def _ask(
    client: httpx.AsyncClient,
    path: str,
    view: type[ViewT],
    body: dict[str, str] | None,
    params: dict[str, str] | None = None,
) -> ViewT:
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    try:
        answer = await client.post(path, json=body, params=params, headers=headers, timeout=ANSWER_SECONDS)
    except httpx.HTTPError as error:
        raise unreachable(client.base_url, error) from error
    return read(answer, view)
