"""Answers HTTP requests on a free port of the loopback interface, in this process, without touching its signals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from handrail.agent.server.run import address_of, claim, config_of

HOST = "127.0.0.1"
GRACE_SECONDS = 5
"""How long closing waits for requests that run; a client that is done has none."""


@asynccontextmanager
async def answering(app: FastAPI) -> AsyncIterator[str]:
    """Serve `app` and yield its address. Raises ConfigError when the machine has no free port."""
    config = config_of(app, GRACE_SECONDS)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with claim(HOST, 0) as taken:
        # Not `serve`: it would take over Ctrl-C, and look only ten times a second whether it should end.
        await server.startup(sockets=[taken])
        try:
            yield address_of(taken)
        finally:
            await server.shutdown(sockets=[taken])
