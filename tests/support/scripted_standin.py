"""A stand-in for a model endpoint that says and calls exactly what a test wrote down, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from handrail.evals.standins.conduct import Conduct
from handrail.evals.standins.openai_server import MODEL, StandIn, _begin, _send
from handrail.evals.standins.request import ChatRequest
from handrail.evals.standins.script import AskedCall, Reply
from handrail.evals.standins.wire import DONE, chunks, whole
from tests.support.side_loop import SideLoop

Script = Callable[[ChatRequest], Reply]


def calling(tool: str, **arguments: object) -> Reply:
    """One call."""
    return Reply(calls=(AskedCall(tool, json.dumps(arguments)),))


def in_turn(*replies: Reply) -> Script:
    """One reply after the other; the last one again and again."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class Scripted(StandIn):
    """Answers by its script; `seen` holds what it was asked."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script

    async def _tell(self, conduct: Conduct, writer: asyncio.StreamWriter, request: ChatRequest) -> None:
        answer = self.script(request)
        if not request.stream:
            await _send(writer, 200, whole(answer, MODEL))
            return
        await _begin(writer, 200, "text/event-stream")
        for event in (*chunks(answer, MODEL), DONE):
            writer.write(event)
        await writer.drain()


class Behind:
    """A scripted stand-in in a loop of its own, for clients that block; `script` is what it says next."""

    def __init__(self, loop: SideLoop) -> None:
        self._loop = loop
        self.server = Scripted(lambda _: Reply("hello"))
        loop.do(self.server.__aenter__())

    def close(self) -> None:
        """Stop it."""
        self._loop.do(self.server.__aexit__(None, None, None))

    def says(self, script: Script) -> None:
        """Follow `script` from now on."""
        self.server.conduct = Conduct.GOOD
        self.server.script = script
        self.server.seen.clear()

    @property
    def told(self) -> str:
        """All that it was told last, as text."""
        request = self.server.seen[-1].request
        return f"{request.system}\n{request.text}"
