"""The real application with the sample company on a loopback socket, in a thread of its own: for clients that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from handrail.agent.composition import Substitutes, running
from handrail.agent.server.app import create_app
from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import keys_of
from handrail.agent.server.run import _Announcing, address_of, claim
from handrail.agent.service import Service
from handrail.agent.settings import Settings
from handrail.evals.substitutes import OfficeClock

AnswerT = TypeVar("AnswerT")
PATIENCE = 120.0
"""Seconds after which a server that does not start, or does not stop, fails its test."""


@dataclass(frozen=True)
class LiveServer:
    """A server that answers. `address` has no path, `folder` holds its data."""

    address: str
    folder: Path
    gate: Gate
    service: Service
    loop: asyncio.AbstractEventLoop

    @property
    def server_key(self) -> str:
        """The key of one of the company's servers."""
        return next(iter(self.gate.keys.server.values())).get_secret_value()

    def token(self, customer_id: str, seconds: int = 600) -> str:
        """A customer's token."""
        return self.gate.sign(customer_id, seconds)

    def do(self, work: Callable[[Service], Awaitable[AnswerT]]) -> AnswerT:
        """Do something with the service behind the server, in its own loop."""

        async def doing() -> AnswerT:
            return await work(self.service)

        return asyncio.run_coroutine_threadsafe(doing(), self.loop).result(PATIENCE)


@contextmanager
def live_server(folder: Path, base: Path, **more: object) -> Iterator[LiveServer]:
    """A server with its data in `folder` and the ingested knowledge base `base`; `more` are settings.

    It is office hours there, so that what is said does not depend on the hour of the test.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kb").symlink_to(base, target_is_directory=True)
    settings = Settings.model_validate({"data_dir": folder, "port": 0, **more})
    ready: Future[LiveServer] = Future()
    stop: Future[asyncio.Event] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serving(settings, ready, stop)))
    thread.start()
    try:
        yield ready.result(PATIENCE)
    finally:
        if stop.done():
            ready.result().loop.call_soon_threadsafe(stop.result().set)
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the server does not stop"


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[str]:
    """The address of an application that answers on a loopback socket."""
    started, taken = asyncio.Event(), claim("127.0.0.1", 0)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    server = _Announcing(config, started.set, app.state.desk.streams.closing.set)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    async with asyncio.timeout(PATIENCE):
        await started.wait()
    try:
        yield address_of(taken)
    finally:
        server.should_exit = True
        await serving


async def _serving(settings: Settings, ready: Future[LiveServer], stop: Future[asyncio.Event]) -> None:
    stopping, clock = asyncio.Event(), OfficeClock()
    try:
        async with (
            running(settings, Substitutes(clock=clock)) as service,
            listening(create_app(service, settings, clock)) as address,
        ):
            stop.set_result(stopping)
            gate, loop = Gate(keys_of(settings), settings.site), asyncio.get_running_loop()
            ready.set_result(LiveServer(address, settings.data_dir, gate, service, loop))
            await stopping.wait()
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)
