"""Where a turn and a guest's own loop meet: the turn says what it wants next, and the loop brings it."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from pydantic import JsonValue

from handrail.agent.guest.guest import Brought
from handrail.agent.ports import Prompt
from handrail.guardrails.vocabulary import Draft, Frozen, ToolCall, TurnResult


class WantsDraft(Frozen):
    """The turn waits for a draft. `prompt` has the results so far and what a repair must mend."""

    prompt: Prompt


class WantsRun(Frozen):
    """The turn waits for an allowed call to be run, exactly as it stands here."""

    call: ToolCall


class Over(Frozen):
    """The turn has ended; what it released is in `result`."""

    result: TurnResult


Wanted: TypeAlias = WantsDraft | WantsRun | Over


class Exchange:
    """Implements `Guest` for an agent whose loop is somebody else's.

    One side is the turn, which asks (`complete`, `execute`) and waits; the other is the agent's loop, which looks at
    what is wanted and answers (`propose`, `ran`, `failed`). Both live in one event loop.
    """

    brought = Brought()

    def __init__(self, name: str) -> None:
        self.name = name
        self.instructions = ""
        self._wanted: Wanted | None = None
        self._taken = False
        self._moved = asyncio.Event()
        self._draft: asyncio.Future[Draft] | None = None
        self._content: asyncio.Future[JsonValue] | None = None

    def has(self, tool: str) -> bool:
        """An agent's loop may find tools of its own for a call; one that finds none says so."""
        return True

    async def complete(self, prompt: Prompt, seconds: float) -> Draft:
        """Wait for the agent's draft; whoever asks sets the limit of time."""
        draft: asyncio.Future[Draft] = asyncio.get_running_loop().create_future()
        self._draft = draft
        self._now(WantsDraft(prompt=prompt))
        try:
            return await draft
        finally:
            self._now(None)

    async def execute(self, call: ToolCall) -> JsonValue:
        """Wait until the agent has run `call`."""
        content: asyncio.Future[JsonValue] = asyncio.get_running_loop().create_future()
        self._content = content
        self._now(WantsRun(call=call))
        try:
            return await content
        finally:
            self._now(None)

    def end(self, result: TurnResult) -> None:
        """The turn is over."""
        self._now(Over(result=result))

    @property
    def wanted(self) -> Wanted | None:
        """What the turn wants now; None while it decides."""
        return self._wanted

    async def moved(self) -> None:
        """Wait until the turn wants something else."""
        await self._moved.wait()

    def propose(self, draft: Draft) -> None:
        """Bring the draft that is wanted. One that nobody waits for any more is dropped."""
        if self._draft is not None and not self._draft.done():
            self._draft.set_result(draft)
            self._now(None)

    def take(self, call_id: str) -> ToolCall | None:
        """The wanted call, if it is the one of this id and nobody runs it yet; it is then the caller's to run."""
        wanted = self._wanted
        if self._taken or not isinstance(wanted, WantsRun) or wanted.call.call_id != call_id:
            return None
        self._taken = True
        return wanted.call

    def ran(self, content: JsonValue) -> None:
        """Bring what the call that was taken came to."""
        if self._content is not None and not self._content.done():
            self._content.set_result(content)
            self._now(None)

    def failed(self, error: Exception) -> None:
        """Bring what went wrong instead of what is wanted."""
        for waiting in (self._draft, self._content):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
        self._now(None)

    def _now(self, wanted: Wanted | None) -> None:
        if isinstance(self._wanted, Over):
            return
        self._wanted, self._taken = wanted, False
        self._moved.set()
        self._moved = asyncio.Event()
