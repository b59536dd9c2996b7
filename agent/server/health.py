"""Routes for machines that watch the process, and the page that names the endpoints."""

from __future__ import annotations

import asyncio
from html import escape

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from handrail.agent.conversation import ApprovalState
from handrail.agent.server.asking import Asking
from handrail.agent.server.faults import documented, unavailable
from handrail.agent.server.views import AliveView, ReadyView

READY_SECONDS = 2.0


async def alive() -> AliveView:
    """Whether the process answers at all."""
    return AliveView()


async def ready(desk: Asking) -> ReadyView:
    """Whether it can take messages: the store answers."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            await desk.service.store.approvals(desk.site, ApprovalState.PENDING)
    except TimeoutError:
        raise unavailable() from None
    return ReadyView(revision=desk.service.bundle.revision)


async def front(request: Request) -> str:
    """A plain page that names the endpoints."""
    app: object = request.app
    assert isinstance(app, FastAPI)  # noqa: S101 - create_app builds one
    paths = app.openapi()["paths"]
    demo = '<p>Try the widget at <a href="/demo">/demo</a>.</p>' if "/demo/customers" in paths else ""
    rows = "".join(
        f"<tr><td>{escape(method.upper())}</td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(operation['description'].partition('.')[0])}</td></tr>"
        for path, operations in paths.items()
        for method, operation in operations.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Handrail</title>'
        "<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}"
        "td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style>"
        f"<h1>Handrail {escape(app.version)}</h1>{demo}<p>The API is described in "
        f'<a href="/openapi.json">/openapi.json</a>.</p><table>{rows}</table></html>'
    )


def router() -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(tags=["health"])
    routes.add_api_route("/healthz", alive, methods=["GET"])
    routes.add_api_route("/readyz", ready, methods=["GET"], responses=documented(503))
    routes.add_api_route("/", front, methods=["GET"], include_in_schema=False, response_class=HTMLResponse)
    return routes
