"""A client of one stream, without a socket: what arrives, and leaving in the middle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.types import Message

from tests.unit.server.waiting import until

Arrived = dict[str, object]


@dataclass
class Listener:
    """What one client of a stream has got so far."""

    left: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    wire: bytes = b""
    over: bool = False

    @property
    def events(self) -> list[Arrived]:
        """The events, each as its data with `id` if it had one."""
        found = []
        for block in self.wire.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in lines:
                told = json.loads(lines["data"])
                assert lines["event"] == told["event"]
                found.append(told | ({"id": int(lines["id"])} if "id" in lines else {}))
        return found

    @property
    def names(self) -> list[object]:
        """The names of the events."""
        return [each["event"] for each in self.events]

    @property
    def pings(self) -> int:
        """How many comments arrived."""
        return self.wire.decode().count(": ping\n\n")

    async def heard(self, count: int) -> None:
        """Wait until so many events have arrived."""
        await until(lambda: len(self.events) >= count)

    async def ended(self) -> None:
        """Wait until the stream is over."""
        await until(lambda: self.over)


@asynccontextmanager
async def listening(
    app: FastAPI, path: str, headers: dict[str, str], body: object = None, method: str | None = None
) -> AsyncIterator[Listener]:
    """A request that is answered while the test goes on; the client leaves at the end, and nothing may stay behind."""
    listener = Listener()
    content = b"" if body is None else json.dumps(body).encode()
    sent: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        if sent:
            return sent.pop()
        await listener.left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            listener.status = message["status"]
            listener.headers = {name.decode(): each.decode() for name, each in message["headers"]}
        else:
            listener.wire += message.get("body", b"")
            listener.over = not message.get("more_body", False)

    before = asyncio.all_tasks()
    split = urlsplit(path)
    given = {"content-type": "application/json", "host": "handrail.test"} | headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method or ("GET" if body is None else "POST"),
        "scheme": "http",
        "path": split.path,
        "raw_path": split.path.encode(),
        "query_string": split.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), each.encode()) for name, each in given.items()],
        "client": ("192.0.2.1", 1234),
        "server": ("handrail.test", 80),
        "state": {},
    }
    answering = asyncio.create_task(app(scope, receive, send))
    try:
        await until(lambda: bool(listener.status) or answering.done())
        yield listener
    finally:
        listener.left.set()
        await asyncio.wait_for(answering, 10)
        await until(lambda: asyncio.all_tasks() <= before)
