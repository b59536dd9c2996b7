"""The threads in which the synchronous database is used from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from handrail.agent.store.database import Database, is_sqlite

P = TypeVar("P")
T = TypeVar("T")


class Workers:
    """Runs transactions in a bounded number of threads; SQLite writes have one thread, in order of arrival."""

    def __init__(self, database: Database, threads: int) -> None:
        self._database = database
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="handrail-store-read")
        self._writers = (
            ThreadPoolExecutor(1, thread_name_prefix="handrail-store-write")
            if is_sqlite(database.url)
            else self._readers
        )

    def write(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Begin a writing transaction; it is committed when the future is done."""
        return asyncio.get_running_loop().run_in_executor(self._writers, self._database.write, work)

    def write_prepared(self, prepare: Callable[[], P], work: Callable[[Connection, P], T]) -> asyncio.Future[T]:
        """Begin a writing transaction on what `prepare` made in the same thread before the database was locked."""

        def run() -> T:
            prepared = prepare()
            return self._database.write(lambda connection: work(connection, prepared))

        return asyncio.get_running_loop().run_in_executor(self._writers, run)

    def read(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Begin a reading transaction."""
        return asyncio.get_running_loop().run_in_executor(self._readers, self._database.read, work)

    async def close(self) -> None:
        """Let running transactions end, then close the database."""

        def end() -> None:
            self._writers.shutdown(wait=True)
            self._readers.shutdown(wait=True)
            self._database.close()

        await asyncio.to_thread(end)
