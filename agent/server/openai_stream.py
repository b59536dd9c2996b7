"""A streamed completion: comments while the turn runs, then the released text, sentence by sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handrail.agent.server.events import HEADERS, PING, PING_SECONDS, Wait, fault_of, gone
from handrail.agent.server.openai_answers import DONE, Completion, chunks, event
from handrail.agent.server.openai_errors import told


class CompletionStream(Response):
    """Waits for `work` and sends what it came to.

    INVARIANT: nothing of an answer is written before the turn is stored; until then there are only comments. The
    answer is over when the work is done, also for a client that has gone: no turn is lost, and a server that stops
    waits for it.
    """

    media_type = "text/event-stream"

    def __init__(self, work: asyncio.Task[Completion], wait: Wait, headers: dict[str, str], *, counts: bool) -> None:
        # As `StreamingResponse` does, this sets no body: that would become a content-length.
        self.status_code = HTTPStatus.OK
        self.background = None
        self._work = work
        self._wait = wait
        self._counts = counts
        self.init_headers({**HEADERS, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the stream."""
        leaving = asyncio.create_task(gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while await silent(self._work, self._wait, leaving) and not leaving.done():
                await send({"type": "http.response.body", "body": PING, "more_body": True})
            await asyncio.wait({self._work})
        except asyncio.CancelledError:
            self._work.cancel()  # the process gives up on what runs
            raise
        finally:
            leaving.cancel()
        for piece in _told(self._work, counts=self._counts):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def silent(work: asyncio.Task[Completion], wait: Wait, *others: asyncio.Task[None]) -> bool:
    """Wait for the work, the others, or as long as a client stands silence; whether the work still runs."""
    pause = asyncio.ensure_future(wait(PING_SECONDS))
    try:
        await asyncio.wait({work, pause, *others}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        pause.cancel()
    return not work.done()


def _told(work: asyncio.Task[Completion], *, counts: bool) -> Iterator[bytes]:
    try:
        whole = work.result()
    except Exception as error:  # noqa: BLE001 - a stream that has begun can only say what went wrong
        fault = fault_of(error)
        yield b"data: " + told(fault.status, fault.view).model_dump_json().encode() + b"\n\n"
        return
    yield from (event(chunk) for chunk in chunks(whole, counts=counts))
    yield DONE
