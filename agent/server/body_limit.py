"""The limit on what callers send: bodies are read whole, or refused, before anything parses them."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.agent.files import LARGEST_FILE
from handrail.agent.server.faults import Fault

BODY_BYTES = 64 * 1024
"""The largest body that is read."""

BODY_SECONDS = 10.0
"""How long a client may take to send its body."""

TRANSCRIPT_BYTES = 512 * 1024
"""The same for clients of the OpenAI protocol, which send the whole conversation with every message."""

HISTORY_BYTES = 4 * 1024 * 1024
"""The same for applications behind the proxy, whose histories hold documents and results of tools."""

FILE_SECONDS = 60.0
"""How long a file may take that a customer attaches."""

_FILES = re.compile(r"/v1/conversations/[^/]+/files")
_DRAINED_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Allowance:
    """How large a body may be, in bytes, and how long it may take to arrive, in seconds."""

    size: int
    seconds: float


USUAL = Allowance(BODY_BYTES, BODY_SECONDS)
TRANSCRIPTS = {
    "/v1/chat/completions": Allowance(TRANSCRIPT_BYTES, BODY_SECONDS),
    "/proxy/v1/chat/completions": Allowance(HISTORY_BYTES, BODY_SECONDS),
}


class BodyLimit:
    """Reads the body before anything parses it, and refuses one that is too large or too slow.

    Files are larger: who sends one is looked at first, so its route reads the body itself, with `read_body`.
    """

    def __init__(self, app: ASGIApp, allowed: Allowance = USUAL) -> None:
        self.app = app
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] == "POST" and _FILES.fullmatch(scope["path"]):
            rest = _Rest(receive, send)
            await self.app(scope, rest.receive, rest.send)
        else:
            allowed = TRANSCRIPTS.get(scope["path"], self.allowed)
            await self._limited(scope, receive, send, allowed)

    async def _limited(self, scope: Scope, receive: Receive, send: Send, allowed: Allowance) -> None:
        try:
            body = await read_body(Headers(scope=scope), receive, allowed)
        except Fault as fault:
            await _refuse(fault, scope, receive, send)
            return
        if body is None:
            return
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        del body  # a stream that stays open for hours does not keep what it began with

        async def replay() -> Message:
            return parts.pop() if parts else await receive()

        await self.app(scope, replay, send)


async def read_body(headers: Headers, receive: Receive, allowed: Allowance) -> bytes | None:
    """The whole body; None when the client has gone.

    Raises:
        Fault: 413, it is larger than allowed; 408, it did not arrive in time.
    """
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > allowed.size and "expect" in headers:
        raise _too_large(allowed)  # the client asks first and has sent nothing yet
    try:
        async with asyncio.timeout(allowed.seconds):
            return await _whole(receive, allowed)
    except TimeoutError:
        raise Fault(
            HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The body did not arrive in time.", "Send it again."
        ) from None


async def _whole(receive: Receive, allowed: Allowance) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= allowed.size:
            parts.append(part)
        # A client that is still sending hears the answer only if somebody listens to the end, within reason.
        if not message.get("more_body", False) or size > allowed.size + _DRAINED_BYTES:
            break
    if size > allowed.size:
        raise _too_large(allowed)
    return b"".join(parts)


class _Rest:
    """Reads, before a refusal is sent, what the client still sends, and drops it: else it would not hear the answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._over = False

    async def receive(self) -> Message:
        """The next piece."""
        message = await self._receive()
        self._over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send, a refusal after the rest of the body."""
        if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST and not self._over:
            with suppress(TimeoutError):
                async with asyncio.timeout(BODY_SECONDS):
                    await self._drop()
            MutableHeaders(scope=message)["connection"] = "close"
        await self._send(message)

    async def _drop(self) -> None:
        size = 0
        while not self._over and size <= LARGEST_FILE + _DRAINED_BYTES:
            size += len((await self.receive()).get("body", b""))


def _too_large(allowed: Allowance) -> Fault:
    return Fault(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body_too_large",
        f"The body is larger than {allowed.size} bytes.",
        "Send less; nothing of it was stored.",
    )


async def _refuse(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    response = fault.response()
    response.headers["connection"] = "close"
    await response(scope, receive, send)
