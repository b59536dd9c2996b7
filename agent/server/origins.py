"""Which web pages may call: the server's own, and those whose origin stands in the list of a site key.

Browsers say where a page comes from; programs do not and need not. What a page may do is still a question of tokens and
visitor keys: an origin proves nothing, it only keeps other people's pages from using their visitors' browsers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.agent.server.faults import Fault

SITE_KEY = "x-site-key"
PREFLIGHT_SECONDS = 600
"""How long a browser may remember what a page is allowed."""

_EMBEDDED = re.compile(r"/v1/(?:conversations|widget|chat/completions|models)(?:/|$)")
"""What pages of other origins may call: what a widget needs. Operators, servers and the demo are not among it."""

_PUBLIC = re.compile(r"/widget[\w/-]*\.js$")
"""Scripts that anybody may load; only listed origins may read them."""

_METHODS = "GET, POST, DELETE"
_HEADERS = (
    "authorization, content-type, idempotency-key, last-event-id, x-conversation-id, x-customer-token, x-file-name, "
    "x-request-id, x-site-key, x-visitor-key"
)
_EXPOSED = "content-disposition, idempotency-key, retry-after, x-request-id"


@dataclass(frozen=True, slots=True)
class Origins:
    """The site keys with the origins that may use each."""

    keys: Mapping[str, tuple[str, ...]]

    def admits(self, origin: str, site_key: str | None) -> bool:
        """Whether a page of this origin may call, with this site key or, in a preflight, with any."""
        if site_key is not None:
            return origin in self.keys.get(site_key, ())
        return any(origin in listed for listed in self.keys.values())

    def knows(self, site_key: str) -> bool:
        """Whether this is one of the site keys."""
        return site_key in self.keys


def foreign_origin(scope: Scope) -> str | None:
    """The origin of the page that calls; None for the server's own pages and for what is no page."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    own = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}".lower()
    return None if origin is None or origin.lower() == own else origin


class OriginGate:
    """Refuses pages that are not listed, and lets listed ones read the answers. Origins are exact, never `*`."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin, site_key = foreign_origin(scope), headers.get(SITE_KEY)
        if site_key is not None and not self.origins.knows(site_key):
            await _unknown_key().response()(scope, receive, send)
            return
        if origin is None:
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        public = _PUBLIC.fullmatch(path) is not None
        admitted = self.origins.admits(origin, site_key) and (public or _EMBEDDED.match(path) is not None)
        if not admitted and not public:
            await _refused().response()(scope, receive, send)
        elif admitted and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(origin)(scope, receive, send)
        else:
            await self.app(scope, receive, _readable(send, origin) if admitted else send)


def _readable(send: Send, origin: str) -> Send:
    """Send with the headers by which the page may read the answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["access-control-allow-origin"] = origin
            headers["access-control-expose-headers"] = _EXPOSED
            headers.setdefault("vary", "Origin")
        await send(message)

    return sending


def _preflight(origin: str) -> Response:
    return Response(
        status_code=HTTPStatus.NO_CONTENT,
        headers={
            "access-control-allow-origin": origin,
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": _HEADERS,
            "access-control-max-age": str(PREFLIGHT_SECONDS),
            "vary": "Origin",
        },
    )


def _refused() -> Fault:
    return Fault(
        HTTPStatus.FORBIDDEN,
        "origin_not_allowed",
        "Pages of this origin may not call this.",
        "List the page's exact origin under the site key it uses in HANDRAIL_SITE_KEYS. If the page is the server's "
        "own, behind a proxy: keep the Host header, and name the proxy in HANDRAIL_PROXIES.",
    )


def _unknown_key() -> Fault:
    return Fault(
        HTTPStatus.FORBIDDEN,
        "site_key_invalid",
        "There is no such site key.",
        "Send one of the keys in HANDRAIL_SITE_KEYS as X-Site-Key (`handrail token --site`), or leave it out.",
    )


def site_key_missing() -> Fault:
    """A page of another origin opened an anonymous conversation without saying which site it belongs to."""
    return Fault(
        HTTPStatus.FORBIDDEN,
        "site_key_missing",
        "A page of another origin needs its site key to open a conversation.",
        "Send one of the keys in HANDRAIL_SITE_KEYS as X-Site-Key (`handrail token --site`).",
    )
