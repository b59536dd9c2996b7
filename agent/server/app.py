"""The web application: routes, layers and error answers around one service."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from handrail import __version__
from handrail.agent.ports import Clock
from handrail.agent.server import conversations, health, servers
from handrail.agent.server.desk import Desk
from handrail.agent.server.edge import BodyLimit, RequestLog
from handrail.agent.server.face import Face
from handrail.agent.server.faults import answer_domain, answer_http, answer_validation
from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import keys_of
from handrail.agent.settings import Settings
from handrail.guardrails.errors import HandrailError

LAYERS = (Middleware(RequestLog), Middleware(BodyLimit))
"""From the outside in."""

ROUTERS = (conversations.router, servers.router, health.router)
"""Adding a channel is one module with a `router` function and one line here."""

DESCRIPTION = """Customers are known by a signed token only, anonymous visitors by the key of their conversation,
servers by their key. A conversation id is never an authorisation. Every error has the same shape:
`{"error": {"code", "message", "hint"}}`."""


def create_app(service: Face, settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Build the application around a running service. Nothing is shared between two applications.

    Raises:
        ConfigError: the keys of the site cannot be read or made.
    """
    app = FastAPI(
        title="Handrail",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # the page would load scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        middleware=list(LAYERS),
        exception_handlers={
            HandrailError: answer_domain,
            RequestValidationError: answer_validation,
            HTTPException: answer_http,
        },
    )
    app.state.desk = desk_for(service, settings, clock)
    for router in ROUTERS:
        app.include_router(router())
    return app


def desk_for(service: Face, settings: Settings, clock: Clock | None = None) -> Desk:
    """What the routes work with; also of use to callers in the same process."""
    if clock is None:
        from handrail.agent.composition import SystemClock

        clock = SystemClock()
    return Desk(service=service, site=settings.site, gate=Gate(keys_of(settings), settings.site), clock=clock)
