"""A model that writes aloud: piece by piece, as a test tells it to, with calls at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from handrail.agent.bell import Ring
from handrail.agent.feed import Item, MessageDelta
from handrail.agent.ports import Listener, PortError, Prompt
from handrail.guardrails.vocabulary import Draft, ToolCall
from tests.flow.stand import SITE, Stand

HOW_TO = "How do I add a member to a project?"
FIRST = "Open the project and choose Members."
SECOND = "Then choose Invite and type the address."
THIRD = "They get an invitation by e-mail."
PROMISE = "I promise you a full refund of 500.00 EUR by tomorrow."

Pause = Callable[[], Awaitable[object]]
Line = str | Pause | ToolCall | PortError
"""What a model does next: says something, waits for something, calls a tool, or breaks."""


@dataclass
class Aloud:
    """Follows one list of lines per call, and the last one again when there are no more."""

    scripts: Sequence[Sequence[Line]]
    name: str = "aloud"
    prompts: list[Prompt] = field(default_factory=list)
    stopped: bool = False

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """What the script says."""
        script = self.scripts[min(len(self.prompts), len(self.scripts) - 1)]
        self.prompts.append(prompt)
        text, calls = "", []
        try:
            for line in script:
                if isinstance(line, PortError):
                    raise line
                if isinstance(line, ToolCall):
                    calls.append(line)
                elif isinstance(line, str):
                    text += line
                    if listener is not None:
                        listener.hear(line)
                else:
                    await line()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return Draft(text=text.strip(), calls=tuple(calls), author="model:aloud")


async def told(stand: Stand) -> list[Item]:
    """What clients of the conversation can read now."""
    return [entry.item for entry in await (await stand.stored()).feed(SITE, stand.conversation, 0, 500)]


async def pieces(stand: Stand) -> str:
    """What has left of a reply that is not whole yet."""
    return "".join(item.text for item in await told(stand) if isinstance(item, MessageDelta))


async def left(stand: Stand, words: str) -> None:
    """Wait until `words` have left."""
    rung = asyncio.Event()

    def hear(_: Ring) -> None:
        rung.set()

    bell = (await stand.stored()).bell
    bell.listen(hear)
    try:
        while words not in await pieces(stand):
            await rung.wait()
            rung.clear()
    finally:
        bell.leave(hear)


async def never() -> None:
    """Hang."""
    await asyncio.Event().wait()
