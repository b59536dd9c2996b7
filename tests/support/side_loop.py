"""An event loop in a thread of its own, for stand-ins that outlive single tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

AnswerT = TypeVar("AnswerT")
PATIENCE = 60.0
"""Seconds after which work that does not end fails its test."""


class SideLoop:
    """Runs coroutines elsewhere while the caller waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def do(self, work: Coroutine[None, None, AnswerT]) -> AnswerT:
        """Run `work` to its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


@contextmanager
def side_loop() -> Iterator[SideLoop]:
    """A loop that runs until the context closes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield SideLoop(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the loop does not stop"
        loop.close()
