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
