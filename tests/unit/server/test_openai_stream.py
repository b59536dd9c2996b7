"""A stream and its client: the turn outlives the client that leaves, and not the process that stops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from starlette.types import Message

from handrail.agent.server.openai_answers import Completion, completion
from handrail.agent.server.openai_stream import CompletionStream
from handrail.agent.server.views import TurnView
from handrail.guardrails.vocabulary import ConversationStatus

SCOPE: dict[str, object] = {"type": "http"}


def whole() -> Completion:
    """An answer."""
    turn = TurnView(
        turn_id="t1",
        conversation_id="c1",
        reply="Done.",
        status=ConversationStatus.BOT,
        citations=(),
        quick_replies=(),
        confirmation=None,
        handoff=None,
    )
    return completion(turn, "Done.", None, datetime(2026, 5, 4, tzinfo=UTC))


class Line:
    """A connection, a turn that ends when it is told to, and a stream between them."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self.go = asyncio.Event()
        self.work = asyncio.create_task(self._turn())
        stream = CompletionStream(self.work, self._forever, {}, counts=False)
        self.streaming = asyncio.create_task(stream(SCOPE, self._receive, self._send))

    async def _turn(self) -> Completion:
        await self.go.wait()
        return whole()

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


async def test_a_process_that_gives_up_ends_the_turn(line: Line) -> None:
    """It is recovered at the next start."""
    line.streaming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await line.streaming
    await line.let_run()
    assert line.work.cancelled()
