"""A stream and its client: the turn outlives the client that leaves, and not the process that stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
from starlette.types import Message

from handrail.agent.server.openai_answers import Answered, Completion, completion
from handrail.agent.server.openai_stream import CompletionStream, Piece, Speech
from handrail.agent.server.views import TurnView
from handrail.guardrails.vocabulary import ConversationStatus

AT = datetime(2026, 5, 4, tzinfo=UTC)
SCOPE: dict[str, object] = {"type": "http"}


def whole() -> Completion:
    """An answer."""
    turn = TurnView(
        turn_id="t1",
        conversation_id="c1",
        reply="Done. Really.",
        status=ConversationStatus.BOT,
        citations=(),
        quick_replies=(),
        confirmation=None,
        handoff=None,
    )
    return completion(turn, "Done. Really.", None, AT)


class Line:
    """A connection, a turn that ends when it is told to, and a stream between them."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self.go = asyncio.Event()
        self.work = asyncio.create_task(self._turn())
        self.pieces: asyncio.Queue[str] = asyncio.Queue()
        stream = CompletionStream(Speech(self.work, self._said(), self._forever), {}, counts=False)
        self.streaming = asyncio.create_task(stream(SCOPE, self._receive, self._send))

    async def _turn(self) -> Completion:
        await self.go.wait()
        return whole()

    async def _said(self) -> AsyncGenerator[Piece, None]:
        while True:
            waiting = asyncio.ensure_future(self.pieces.get())
            await asyncio.wait({waiting, self.work}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                return
            yield Piece(Answered.of("t1", AT), waiting.result())

    async def _forever(self, _seconds: float) -> None:
        await asyncio.Event().wait()

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def let_run(self) -> None:
        """Let everything that can happen happen."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def line() -> Line:
    """A stream whose turn runs."""
    line = Line()
    await line.let_run()
    return line


async def test_the_turn_outlives_its_client(line: Line) -> None:
    """The request stays open until the turn is over, so that a server that stops waits for it."""
    line.gone.set()
    await line.let_run()
    assert not line.streaming.done()
    line.go.set()
    await line.streaming
    assert line.work.result() == whole()


async def test_nothing_leaves_before_the_turn_is_over(line: Line) -> None:
    """Only the headers; then everything."""
    assert [each["type"] for each in line.sent] == ["http.response.start"]
    line.go.set()
    await line.streaming
    assert line.sent[-2]["body"] == b"data: [DONE]\n\n"
    assert line.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def texts(line: Line) -> list[str]:
    """The text of what was sent, event by event."""
    events = b"".join(each["body"] for each in line.sent if each["type"] == "http.response.body").split(b"\n\n")
    told = [json.loads(each.removeprefix(b"data: ")) for each in events if each.startswith(b"data: {")]
    return [each["choices"][0]["delta"].get("content", "") for each in told]


async def test_what_leaves_while_the_turn_runs_is_sent_at_once(line: Line) -> None:
    """The role first, then each piece as it comes, and at the end only what was missing."""
    await line.pieces.put("Done.")
    await line.let_run()
    assert texts(line) == ["", "Done."]
    assert not line.work.done()
    line.go.set()
    await line.streaming
    assert texts(line) == ["", "Done.", " Really.", ""]


async def test_an_end_that_is_another_text_stands_behind_what_was_sent(line: Line) -> None:
    """Nothing that was sent is taken back."""
    await line.pieces.put("First.")
    await line.let_run()
    line.go.set()
    await line.streaming
    assert "".join(texts(line)) == "First.\n\nDone. Really."


async def test_a_process_that_gives_up_ends_the_turn(line: Line) -> None:
    """It is recovered at the next start."""
    line.streaming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await line.streaming
    await line.let_run()
    assert line.work.cancelled()
