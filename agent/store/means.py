"""What every part of the store works with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from handrail.agent.bell import Bell, Ring
from handrail.agent.ports import Clock
from handrail.agent.store.conversations import Place
from handrail.agent.store.leases import Leases
from handrail.agent.store.ledger import Scribe
from handrail.agent.store.workers import Workers

T = TypeVar("T")


class Means:
    """Threads with the database, the clock, the audit log's pen, this process's leases, and the bell."""

    def __init__(self, workers: Workers, clock: Clock, scribe: Scribe, leases: Leases, bell: Bell) -> None:
        self._workers = workers
        self._clock = clock
        self._scribe = scribe
        self._leases = leases
        self._bell = bell

    @property
    def bell(self) -> Bell:
        """Rings after every commit of this process that adds to a feed."""
        return self._bell

    async def _tell(self, place: Place, work: Callable[[Connection], T]) -> T:
        """Run a transaction that adds to a conversation's feed, and ring when it is committed.

        Once begun it runs to its end, also when the caller goes away: followers hear of it all the same.
        """
        running = self._workers.write(work)
        running.add_done_callback(lambda done: self._ring(place, done))
        return await asyncio.shield(running)

    def _ring(self, place: Place, done: asyncio.Future[T]) -> None:
        if not done.cancelled() and done.exception() is None:
            self._bell.ring(Ring(*place))
