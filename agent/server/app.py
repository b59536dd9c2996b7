"""The web application: routes, layers and error answers around one service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from handrail import __version__
from handrail.agent.ports import Clock
from handrail.agent.server import (
    belongings,
    conversations,
    demo,
    demo_code,
    health,
    openai_chat,
    operators,
    proxy,
    servers,
    widget,
)
from handrail.agent.server.answers import answer_domain, answer_http, answer_validation
from handrail.agent.server.body_limit import BodyLimit
from handrail.agent.server.described import Application
from handrail.agent.server.desk import Desk
from handrail.agent.server.edge import LastNet, RequestLog
from handrail.agent.server.events import Streams, Wait
from handrail.agent.server.face import Face
from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import Keys, keys_of
from handrail.agent.server.openai_errors import OpenAiErrors
from handrail.agent.server.origins import OriginGate, Origins
from handrail.agent.server.rates import Rates
from handrail.agent.settings import Company, Settings
from handrail.guardrails.errors import HandrailError

ROUTERS = (
    conversations.router,
    belongings.router,
    widget.router,
    openai_chat.router,
    proxy.router,
    operators.router,
    servers.router,
    health.router,
)
"""Adding a channel is one module with a `router` function and one line here."""

DESCRIPTION = """Customers are known by a signed token only, anonymous visitors by the key of their conversation,
operators by the token of their session, servers by their key. A conversation id is never an authorisation. Every error
has the same shape: `{"error": {"code", "message", "hint"}}`."""


def layers(keys: Keys) -> list[Middleware]:
    """What every request passes, from the outside in."""
    return [
        Middleware(RequestLog),
        Middleware(OpenAiErrors),
        Middleware(OriginGate, origins=Origins(keys.site)),
        Middleware(LastNet),
        Middleware(BodyLimit),
    ]


def create_app(
    service: Face, settings: Settings, clock: Clock | None = None, wait: Wait = asyncio.sleep
) -> Application:
    """Build the application around a running service. Two applications share their routes, which hold nothing.

    `wait` lets seconds pass, for streams.

    Raises:
        ConfigError: the keys of the site cannot be read or made, or a file of the widget is missing.
    """
    desk = desk_for(service, settings, clock, wait)
    app = Application(
        title="Handrail",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # the page would load scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        middleware=layers(desk.gate.keys),
        exception_handlers={
            HandrailError: answer_domain,
            RequestValidationError: answer_validation,
            HTTPException: answer_http,
        },
    )
    app.state.desk = desk
    for router in ROUTERS:
        app.include_router(_built(router))
    if settings.company is Company.SAMPLE:
        app.include_router(_built(demo.router))
        app.include_router(demo_code.router(settings.company_file))
    return app


@cache
def _built(router: Callable[[], APIRouter]) -> APIRouter:
    """Routes are read out of their functions' signatures once per process: it takes a while."""
    return router()


def desk_for(service: Face, settings: Settings, clock: Clock | None = None, wait: Wait = asyncio.sleep) -> Desk:
    """What the routes work with; also of use to callers in the same process."""
    if clock is None:
        from handrail.agent.composition import SystemClock

        clock = SystemClock()
    return Desk(
        service=service,
        site=settings.site,
        gate=Gate(keys_of(settings), settings.site),
        clock=clock,
        rates=Rates(settings),
        streams=Streams(wait),
        model=settings.model,
    )
