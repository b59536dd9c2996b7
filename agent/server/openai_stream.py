"""A streamed completion: comments while nothing is said, and the text as it is released, sentence by sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from http import HTTPStatus
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handrail.agent.server.events import HEADERS, PING, PING_SECONDS, Wait, fault_of, gone
from handrail.agent.server.openai_answers import DONE, Answered, Completion, beginning, chunks, event, piece
from handrail.agent.server.openai_errors import told


class Piece(NamedTuple):
    """A piece of the text of an answer."""

    answer: Answered
    text: str


async def silent(work: asyncio.Task[Completion]) -> AsyncGenerator[Piece, None]:
    """The pieces of an answer that leaves as a whole: none, until it is there."""
    none: tuple[Piece, ...] = ()
    await asyncio.wait({work})
    for each in none:
        yield each


class Speech:
    """An answer that is being given: the pieces of its text that leave while `work` runs, and what it comes to."""

    def __init__(self, work: asyncio.Task[Completion], pieces: AsyncGenerator[Piece, None], wait: Wait) -> None:
        self.work = work
        self.said: str | None = None
        self._pieces = pieces
        self._wait = wait
        self._next: asyncio.Future[Piece | None] = asyncio.ensure_future(anext(pieces, None))

    async def upcoming(self, *others: asyncio.Task[None]) -> bool:
        """Wait for a piece, the end, the others, or as long as a client stands silence; whether there is news."""
        pause = asyncio.ensure_future(self._wait(PING_SECONDS))
        waiting: list[asyncio.Future[Piece | None] | asyncio.Future[None]] = [self._next, pause, *others]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
        return self._next.done()

    def take(self) -> Iterator[bytes]:
        """What has come, as it stands on the wire; nothing at the end. For a speech with news."""
        come = self._next.result()
        if come is None:
            return
        if self.said is None:
            self.said = ""
            yield event(beginning(come.answer))
        self.said += come.text
        yield event(piece(come.answer, come.text))
        self._next = asyncio.ensure_future(anext(self._pieces, None))

    async def hush(self) -> None:
        """Listen no more; the work goes on."""
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)
        await self._pieces.aclose()

    async def give_up(self) -> None:
        """End the work too."""
        self.work.cancel()
        await self.hush()


class CompletionStream(Response):
    """Sends what is said, and at the end what it came to.

    INVARIANT: nothing of an answer is written before it is stored; until then there are only comments. The answer is
    over when the work is done, also for a client that has gone: no turn is lost, and a server that stops waits for it.
    """

    media_type = "text/event-stream"

    def __init__(self, speech: Speech, headers: dict[str, str], *, counts: bool) -> None:
        # As `StreamingResponse` does, this sets no body: that would become a content-length.
        self.status_code = HTTPStatus.OK
        self.background = None
        self._speech = speech
        self._counts = counts
        self.init_headers({**HEADERS, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the stream."""
        leaving = asyncio.create_task(gone(receive))
        speech = self._speech
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while not leaving.done():
                news = list(speech.take()) if await speech.upcoming(leaving) else [PING]
                if not news:
                    break
                if not leaving.done():
                    await send({"type": "http.response.body", "body": b"".join(news), "more_body": True})
            await asyncio.wait({speech.work})
        except asyncio.CancelledError:
            speech.work.cancel()  # the process gives up on what runs
            raise
        finally:
            leaving.cancel()
            await speech.hush()
        for each in _told(speech, counts=self._counts):
            await send({"type": "http.response.body", "body": each, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _told(speech: Speech, *, counts: bool) -> Iterator[bytes]:
    try:
        whole = speech.work.result()
    except Exception as error:  # noqa: BLE001 - a stream that has begun can only say what went wrong
        fault = fault_of(error)
        yield b"data: " + told(fault.status, fault.view).model_dump_json().encode() + b"\n\n"
        return
    yield from (event(chunk) for chunk in chunks(whole, counts=counts, said=speech.said))
    yield DONE
