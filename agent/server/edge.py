"""The outermost layers of the HTTP side: request ids, the log line, and crashes."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.agent.server.faults import internal
from handrail.agent.server.logs import REQUEST_ID, described

LOG = logging.getLogger("handrail.server")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)


class RequestLog:
    """Gives each request an id and writes one line about it, when it is over.

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
        finally:
            _log_line(scope, status, time.perf_counter() - begin)
            REQUEST_ID.reset(mark)


def _log_line(scope: Scope, status: int, seconds: float) -> None:
    route: object = getattr(scope.get("route"), "path", "none")
    fields = {"method": scope["method"], "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
    LOG.info("request", extra=fields)


class LastNet:
    """Turns a crash into a plain answer. It stands where a page that may read answers can read this one too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the last net: nothing may leave a caller without an answer
            LOG.critical("request failed", extra=described(error))
            if not begun:
                await internal().response()(scope, receive, sending)
