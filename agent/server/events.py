"""Server-sent events: the one writer of every stream, its wire form, and what ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal, TypeAlias

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handrail.agent.feed import Entry, Passing
from handrail.agent.server.faults import ErrorView, Fault, internal
from handrail.agent.server.logs import described
from handrail.agent.server.refusals import of_domain
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import Frozen

LOG = logging.getLogger("handrail.server")

PING = b": ping\n\n"
PING_SECONDS = 15.0
"""Silence after which a comment shows proxies and clients that the line is alive."""

Wait: TypeAlias = Callable[[float], Awaitable[None]]
"""Lets that many seconds pass."""


HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""Of every stream: nothing on the way may keep it, or hold it back."""


class Failed(Frozen):
    """What went wrong in a stream that has begun, where a status can no longer be sent. The stream ends with it."""

    event: Literal["error"] = "error"
    error: ErrorView


Event: TypeAlias = Entry | Passing | Failed
Ending: TypeAlias = Callable[[], Awaitable[Failed | None]]
"""Returns when the stream has to end, with what is told last."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What the open streams of a process share: how they wait, and the sign that the process stops."""

    wait: Wait = asyncio.sleep
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def closed(self) -> None:
        """Returns when the process stops."""
        await self.closing.wait()

    def expiry(self, seconds: float, last: Failed) -> Ending:
        """An ending after so many seconds."""

        async def expired() -> Failed:
            await self.wait(max(0.0, seconds))
            return last

        return expired


def frame(told: Event) -> bytes:
    """One event as it stands on the wire. Only what can be read again has an `id`."""
    if isinstance(told, Entry):
        head, item = f"id: {told.seq}\n", told.item
        return f"{head}event: {item.event}\ndata: {item.model_dump_json()}\n\n".encode()
    return f"event: {told.event}\ndata: {told.model_dump_json()}\n\n".encode()


class EventStream(Response):
    """An answer that goes on: what `source` tells, until it ends, the client goes, or an ending comes.

    `work` is what goes on when the client has gone; the answer is over when it is done.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        source: AsyncIterator[Event],
        wait: Wait,
        endings: tuple[Ending, ...] = (),
        work: asyncio.Task[object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        # As `StreamingResponse` does, this sets no body: that would become a content-length.
        self.status_code = HTTPStatus.OK
        self.background = None
        self._source = source
        self._wait = wait
        self._endings = endings
        self._work = work
        self.init_headers({**HEADERS, **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the stream."""
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(gone(receive))
        endings = [asyncio.create_task(_ended(each)) for each in self._endings]
        try:
            await asyncio.wait({telling, leaving, *endings}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if self._work is not None:  # the process gives up on what runs
                self._work.cancel()
            raise
        finally:
            await _cancel(telling, leaving, *endings)
            if self._work is not None:
                await asyncio.gather(self._work, return_exceptions=True)
        last = [told for each in endings if not each.cancelled() and (told := each.result()) is not None]
        await send({"type": "http.response.body", "body": b"".join(map(frame, last)), "more_body": False})

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(_pieces(self._source, self._wait)) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _pieces(source: AsyncIterator[Event], wait: Wait) -> AsyncGenerator[bytes, None]:
    """What goes over the wire: events as they come, and comments while there are none."""
    upcoming = asyncio.ensure_future(_next(source))
    try:
        while True:
            pause = asyncio.ensure_future(wait(PING_SECONDS))
            try:
                await asyncio.wait({upcoming, pause}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _cancel(pause)
            if not upcoming.done():
                yield PING
                continue
            told = upcoming.result()
            if told is None:
                return
            yield frame(told)
            if isinstance(told, Failed):
                return
            upcoming = asyncio.ensure_future(_next(source))
    finally:
        await _cancel(upcoming)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _next(source: AsyncIterator[Event]) -> Event | None:
    """The next event, None at the end. What goes wrong is told, and is the last."""
    try:
        return await anext(source, None)
    except Exception as error:  # noqa: BLE001 - the last net: a stream does not break off without a word
        return Failed(error=fault_of(error).view)


def fault_of(error: Exception) -> Fault:
    """What a stream that has begun tells of an error; a defect is logged, as there is no status to show it."""
    if isinstance(error, HandrailError):
        return of_domain(error)
    LOG.critical("stream failed", extra=described(error))
    return internal()


async def gone(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ended(ending: Ending) -> Failed | None:
    return await ending()


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
