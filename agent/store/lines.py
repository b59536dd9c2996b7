"""Waiting in line for a conversation, within one process: first come, first served, and woken at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from handrail.agent.store.conversations import Place
from handrail.agent.store_port import ConversationBusy

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
"""Seconds between two looks at a lease of another process; they double from one to the other."""

Wait = Callable[[float], Awaitable[None]]
"""Waits for some seconds."""


class Line:
    """Those who wait for one conversation: the first of them looks at the lease, the others wait for their place."""

    def __init__(self) -> None:
        self.first = asyncio.Lock()
        self.freed = asyncio.Event()
        self.members = 0


class Lines:
    """The lines of all conversations of this process. For one event loop; a line lives while somebody stands in it."""

    def __init__(self, wait: Wait) -> None:
        self._wait = wait
        self._lines: dict[Place, Line] = {}

    def freed(self, place: Place) -> None:
        """Wake the first in line: the conversation was given back."""
        line = self._lines.get(place)
        if line is not None:
            line.freed.set()

    @asynccontextmanager
    async def front(self, place: Place, seconds: float) -> AsyncIterator[Turnstile]:
        """Stand at the front of a conversation's line. Raises ConversationBusy when that takes too long."""
        line = self._lines.setdefault(place, Line())
        line.members += 1
        try:
            deadline = asyncio.get_running_loop().time() + seconds
            try:
                async with asyncio.timeout_at(deadline):
                    await line.first.acquire()
            except TimeoutError as error:
                raise busy() from error
            try:
                yield Turnstile(line.freed, self._wait, deadline)
            finally:
                line.first.release()
        finally:
            line.members -= 1
            if not line.members:
                self._lines.pop(place, None)


class Turnstile:
    """The front of a line: pauses between two looks at the lease, for a limited time in total."""

    def __init__(self, freed: asyncio.Event, wait: Wait, deadline: float) -> None:
        self._freed = freed
        self._wait = wait
        self._deadline = deadline
        self._pause = FIRST_PAUSE
        self._left = deadline - asyncio.get_running_loop().time()

    def look(self) -> None:
        """Say that the lease is about to be looked at: what is freed from now on ends the next pause."""
        self._freed.clear()

    async def pause(self) -> None:
        """Wait until this process frees the conversation or it is time to look again. Raises ConversationBusy."""
        loop = asyncio.get_running_loop()
        if self._left <= 0 or loop.time() >= self._deadline:
            raise busy()
        seconds = min(self._pause, self._left)
        freed = asyncio.ensure_future(self._freed.wait())
        waited = asyncio.ensure_future(self._wait(seconds))
        try:
            done, _ = await asyncio.wait({freed, waited}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            freed.cancel()
            waited.cancel()
        if waited in done:
            waited.result()
            # Counted as asked for, and not by the clock alone: a wait that is given from outside may be shorter.
            self._left -= seconds
            self._pause = min(self._pause * 2, LONGEST_PAUSE)


def busy() -> ConversationBusy:
    """The error for a conversation that is not given back in time."""
    return ConversationBusy("another turn of this conversation is still running: try again with the same key")
