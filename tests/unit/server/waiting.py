"""Time that passes when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Hourglass:
    """A `Wait` whose seconds pass by `turn` only."""

    def __init__(self) -> None:
        self.waiting: dict[asyncio.Future[None], float] = {}

    async def __call__(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self.waiting[future] = seconds
        try:
            await future
        finally:
            self.waiting.pop(future, None)

    def turn(self, seconds: float) -> None:
        """Let everybody go who waits for this long or less."""
        for future, each in list(self.waiting.items()):
            if each <= seconds and not future.done():
                future.set_result(None)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something holds. Raises TimeoutError when it never does."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what is waited for is any state of the code under test
            await asyncio.sleep(0)
