"""The outermost layers of the HTTP side: request ids, the log line, crashes, and the limit on bodies."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.agent.server.faults import Fault, internal
from handrail.agent.server.logs import REQUEST_ID, described

LOG = logging.getLogger("handrail.server")

BODY_BYTES = 64 * 1024
"""The largest body that is read."""

BODY_SECONDS = 10.0
"""How long a client may take to send its body."""

_DRAINED_BYTES = 4 * 1024 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)


class RequestLog:
    """Gives each request an id, writes one line about it, and turns a crash into a plain answer.

    The line names the route's template, not the path: paths hold customers' ids.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, content in _HEADERS:
                    headers.setdefault(name, content)
            await send(message)

        mark, begin = REQUEST_ID.set(request_id), time.perf_counter()
        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the last net: nothing may leave a caller without an answer
            LOG.critical("request failed", extra=described(error))
            if not status:
                await internal().response()(scope, receive, sending)
        finally:
            _log_line(scope, status, time.perf_counter() - begin)
            REQUEST_ID.reset(mark)


def _log_line(scope: Scope, status: int, seconds: float) -> None:
    route: object = getattr(scope.get("route"), "path", "none")
    fields = {"method": scope["method"], "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
    LOG.info("request", extra=fields)


class BodyLimit:
    """Reads the body before anything parses it, and refuses one that is too large or too slow."""

    def __init__(self, app: ASGIApp, limit: int = BODY_BYTES, seconds: float = BODY_SECONDS) -> None:
        self.app = app
        self.limit = limit
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds):
                body = await self._body(Headers(scope=scope), receive)
        except TimeoutError:
            slow = Fault(HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The body did not arrive in time.", "Send it again.")
            await _refuse(slow, scope, receive, send)
            return
        except Fault as fault:
            await _refuse(fault, scope, receive, send)
            return
        if body is None:
            return
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return parts.pop() if parts else await receive()

        await self.app(scope, replay, send)

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body; None when the client has gone. Raises Fault (413)."""
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.limit and "expect" in headers:
            raise self._too_large()  # the client asks first and has sent nothing yet
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part: bytes = message.get("body", b"")
            size += len(part)
            if size <= self.limit:
                parts.append(part)
            # A client that is still sending hears the answer only if somebody listens to the end, within reason.
            if not message.get("more_body", False) or size > _DRAINED_BYTES:
                break
        if size > self.limit:
            raise self._too_large()
        return b"".join(parts)

    def _too_large(self) -> Fault:
        return Fault(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            f"The body is larger than {self.limit} bytes.",
            "Send less; nothing of it was read.",
        )


async def _refuse(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    response = fault.response()
    response.headers["connection"] = "close"
    await response(scope, receive, send)
