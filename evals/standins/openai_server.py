"""`StandIn`: an OpenAI-compatible server on the loopback interface that behaves as a scenario asks, well or badly."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType

from pydantic import ValidationError

from handrail.evals.standins.conduct import Conduct, Form
from handrail.evals.standins.request import ChatRequest
from handrail.evals.standins.script import Reply, reply
from handrail.evals.standins.wire import DONE, chunks, error, whole

MODEL = "standin"
_DRIP_SECONDS = 0.05
_BREAKING = frozenset({Conduct.HALF_STREAM, Conduct.MID_STREAM_ERROR, Conduct.DRIPPING})
"""Conducts that send half of an answer."""

_LONGEST_BODY = 4 * 1024 * 1024
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


Pace = Callable[[int], Awaitable[None]]
"""Lets the time between two events pass."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came in."""

    authorization: str
    request: ChatRequest


class StandIn:
    """Serves `/v1/chat/completions` and `/v1/models` while its context is open; `base_url` is for the client.

    `conduct` can be changed while it runs. A broken conduct ends after `times` requests, if given, and the stand-in is
    good from then on. `arrived` is set with the first request. `retry_after` is what an overloaded stand-in asks for,
    in seconds. With `says`, a good stand-in answers in exactly these words. `pace` is awaited before each event of a
    stream, with how many are still to come. `form` says when it streams.
    """

    def __init__(
        self,
        conduct: Conduct = Conduct.GOOD,
        *,
        times: int | None = None,
        retry_after: str = "1",
        says: str | None = None,
        pace: Pace | None = None,
        form: Form = Form.AS_ASKED,
    ) -> None:
        self.conduct = conduct
        self.pace = pace
        self._says = says
        self._form = form
        self._answers = 0
        self.seen: deque[Seen] = deque(maxlen=100)
        self.arrived = asyncio.Event()
        self._left = times
        self._retry_after = retry_after
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """The address for the client, ending in `/v1`."""
        if self._server is None:
            raise RuntimeError("the stand-in runs only inside `async with`")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}/v1"

    async def __aenter__(self) -> StandIn:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and break off whatever still hangs."""
        if self._server is not None:
            self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, then the connection closes."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = _fields(head)
            body = await reader.readexactly(min(int(fields.get("content-length", "0")), _LONGEST_BODY))
            await self._answer(writer, head.split(" ", 2), fields, body)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has gone, which is what some tests want
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, writer: asyncio.StreamWriter, line: list[str], fields: dict[str, str], body: bytes) -> None:
        path = line[1].split("?")[0]
        if path == "/v1/models":
            await _send(writer, 200, b'{"object":"list","data":[{"id":"standin","object":"model","created":0}]}')
            return
        if path != "/v1/chat/completions":
            await _send(writer, 404, error(404, "not_found", f"there is no {path}"))
            return
        try:
            request = ChatRequest.model_validate_json(body)
        except ValidationError as problem:
            await _send(writer, 400, error(400, "invalid_request_error", str(problem)))
            return
        self.seen.append(Seen(fields.get("authorization", ""), request))
        self.arrived.set()
        await self._behave(self._current(), writer, request, fields.get("authorization", ""))

    def _current(self) -> Conduct:
        if self._left is None:
            return self.conduct
        self._left -= 1
        return self.conduct if self._left >= 0 else Conduct.GOOD

    async def _behave(self, conduct: Conduct, writer: asyncio.StreamWriter, request: ChatRequest, key: str) -> None:
        match conduct:
            case Conduct.OVERLOADED:
                await _send(writer, 429, error(429, "rate_limit", "slow down"), retry_after=self._retry_after)
            case Conduct.SERVER_ERROR:
                await _send(writer, 500, error(500, "server_error", "something broke"))
            case Conduct.UNAUTHORISED:
                # Real endpoints repeat the key, or a part of it.
                await _send(writer, 401, error(401, "invalid_request_error", f"Incorrect API key provided: {key}"))
            case Conduct.MALFORMED:
                await _send(writer, 200, b"<html>502 Bad Gateway</html>\n\ndata: {not json", kind="text/event-stream")
            case Conduct.WRONG_SCHEMA:
                text = reply(conduct, request).text
                body = {"choices": text, "message": {"content": text}, "output": [{"text": text}]}
                await _send(writer, 200, json.dumps(body).encode())
            case Conduct.STALLING:
                await asyncio.Event().wait()
            case _:
                await self._tell(conduct, writer, request)

    async def _tell(self, conduct: Conduct, writer: asyncio.StreamWriter, request: ChatRequest) -> None:
        scripted = conduct is Conduct.GOOD and self._says is not None
        answer = Reply(self._says or "") if scripted else reply(conduct, request)
        self._answers += 1
        if not request.stream or (self._form is Form.IN_TURN and self._answers % 2 == 0):
            content = whole(answer, MODEL)
            wrong = "image/png" if self._answers % 4 else "text/event-stream"
            kind = wrong if conduct is Conduct.WRONG_TYPE else "application/json"
            await _send(writer, 200, content[: len(content) // 2] if conduct in _BREAKING else content, kind=kind)
            return
        await _begin(writer, 200, "application/json" if conduct is Conduct.WRONG_TYPE else "text/event-stream")
        events = list(chunks(answer, MODEL))
        if conduct in _BREAKING:
            events = events[: max(2, len(events) // 2)]
        for left, event in zip(reversed(range(len(events))), events, strict=True):
            if self.pace is not None:
                await self.pace(left)
            writer.write(event)
            await writer.drain()
        if conduct is Conduct.DRIPPING:
            # A byte now and then keeps every limit on silence from ending it.
            while True:
                await asyncio.sleep(_DRIP_SECONDS)
                writer.write(b": still here\n\n")
                await writer.drain()
        elif conduct is Conduct.MID_STREAM_ERROR:
            writer.write(b"data: " + error(500, "server_error", "the model fell over") + b"\n\n")
        elif conduct is not Conduct.HALF_STREAM:
            writer.write(DONE)
        await writer.drain()


def _fields(head: str) -> dict[str, str]:
    lines = (line.partition(":") for line in head.split("\r\n")[1:] if ":" in line)
    return {name.strip().lower(): content.strip() for name, _, content in lines}


async def _begin(
    writer: asyncio.StreamWriter, status: int, kind: str, length: int | None = None, retry_after: str | None = None
) -> None:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}", f"content-type: {kind}", "connection: close"]
    if length is not None:
        lines.append(f"content-length: {length}")
    if retry_after is not None:
        lines.append(f"retry-after: {retry_after}")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await writer.drain()


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    *,
    kind: str = "application/json",
    retry_after: str | None = None,
) -> None:
    await _begin(writer, status, kind, len(body), retry_after)
    writer.write(body)
    await writer.drain()
