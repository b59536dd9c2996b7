"""One conversation with the real server over a line on which every byte is heard."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.flow.wire_models import FORBIDDEN
from tests.support.live_server import LiveServer
from tests.support.wiretap import Wiretap

QUESTION = "How do I create a project?"
ENOUGH = 30.0
"""Seconds after which a stream that tells nothing more fails its test."""


def _not_at_all() -> None:
    """What a model does that behaves well."""


@dataclass
class Wire:
    """One conversation over a tapped line. `misbehave` makes the model say what may not leave, from then on."""

    server: LiveServer
    tap: Wiretap
    http: httpx.AsyncClient
    operator: dict[str, str]
    misbehave: Callable[[], None] = _not_at_all
    customer: str = "dana"
    path: str = ""
    told: list[str] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        """The customer's."""
        return {"Authorization": f"Bearer {self.server.token(self.customer)}"}

    @property
    def case(self) -> str:
        """The conversation, as operators reach it."""
        return self.path.replace("/v1/", "/v1/operator/")

    async def post(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send something; the answer must not be an error."""
        answer = await self.http.post(path, json=body, headers=headers or self.headers)
        assert answer.is_success, answer.text
        return answer

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Read something; the answer must not be an error."""
        answer = await self.http.get(path, headers=headers or self.headers)
        assert answer.is_success, answer.text
        return answer

    async def open(self) -> None:
        """Begin a conversation."""
        opened = await self.post("/v1/conversations", {"channel": "web"})
        self.path = f"/v1/conversations/{opened.json()['conversation_id']}"

    async def say(self, text: str = QUESTION) -> None:
        """The customer writes; the model behaves as it does."""
        await self.post(f"{self.path}/messages", {"text": text})

    async def ask_for_person(self) -> None:
        """The button."""
        await self.post(f"{self.path}/handoff")

    async def claim(self) -> None:
        """An operator takes the conversation."""
        await self.post(f"{self.case}/claim", headers=self.operator)


@asynccontextmanager
async def wired(
    server: LiveServer,
    operator: dict[str, str],
    heard: Callable[[bytes], None] | None = None,
    misbehave: Callable[[], None] = _not_at_all,
) -> AsyncIterator[Wire]:
    """A new conversation; `heard` gets each piece before the client does."""
    async with (
        Wiretap(server.address, heard) as tap,
        httpx.AsyncClient(base_url=tap.address, trust_env=False, timeout=ENOUGH) as http,
    ):
        wire = Wire(server, tap, http, operator, misbehave)
        await wire.open()
        yield wire


def deltas(stream: str) -> list[str]:
    """The text that a stream puts together from its pieces."""
    pieces = []
    for line in stream.splitlines():
        if not line.startswith("data: {"):
            continue
        told = json.loads(line.removeprefix("data: "))
        if told.get("event") == "message.delta":
            pieces.append(told["text"])
        pieces += [each["delta"].get("content") or "" for each in told.get("choices", ())]
    return ["".join(pieces)]


def laid_bare(wire: Wire) -> list[bytes]:
    """What left the server: as it is, without the framing of chunks, and with its pieces put together."""
    raw = bytes(wire.tap.out)
    whole = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", raw)
    return [raw, whole, whole.replace(b"\\n", b" "), *(each.encode() for each in wire.told)]


def assert_clean(wire: Wire, case: str) -> None:
    """No forbidden word has left."""
    assert wire.tap.out, case
    leaked = [each for each in FORBIDDEN if any(each in seen for seen in laid_bare(wire))]
    assert not leaked, (case, leaked)
