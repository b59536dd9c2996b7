"""The company's own embedded database: synchronous SQLAlchemy in a small thread pool behind async methods."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from handrail.agent.ports import PortError

ResultT = TypeVar("ResultT")
Work = Callable[[Connection], ResultT]

_WRITES = "company_writes"


def open_engine(path: Path, busy_seconds: float = 5.0) -> Engine:
    """An engine for the SQLite file at `path`, which need not exist; a writer waits `busy_seconds` for another one."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": busy_seconds, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        # The driver's own transactions start too late: two writers could both have read before either one writes.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


class CompanyDatabase:
    """Runs work on the database, one transaction each, off the event loop.

    A caller that gives up waiting does not stop the work: a write may still be committed afterwards. Its idempotency
    key tells, because a repeat waits for the first run.
    """

    def __init__(self, engine: Engine, threads: int = 2) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="company")

    @property
    def engine(self) -> Engine:
        """The engine, for seeding."""
        return self._engine

    async def read(self, work: Work[ResultT]) -> ResultT:
        """The result of `work` in a transaction that only reads. Raises PortError when the database cannot be used."""
        return await self._submit(self._engine, work)

    async def write(self, work: Work[ResultT]) -> ResultT:
        """The result of `work`, committed, alone among writers; whatever it raises rolls everything back.

        Raises PortError when the database cannot be used; then the work may or may not have been committed.
        """
        return await self._submit(self._writing, work)

    async def close(self) -> None:
        """Finish running work and close the file."""
        await asyncio.to_thread(self._threads.shutdown, wait=True)
        self._engine.dispose()

    async def _submit(self, engine: Engine, work: Work[ResultT]) -> ResultT:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, transact, engine, work)
        except RuntimeError as error:
            if "shutdown" not in str(error):
                raise
            raise PortError("the company database is closed; start the application again") from error


def transact(engine: Engine, work: Work[ResultT]) -> ResultT:
    """Run `work` in one transaction; faults of the database become PortError."""
    try:
        with engine.begin() as connection:
            return work(connection)
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise PortError(_advice(error, engine)) from error


def writing(engine: Engine) -> Engine:
    """The same engine, whose transactions take the write lock at their start."""
    return engine.execution_options(**{_WRITES: True})


def _advice(error: Exception, engine: Engine) -> str:
    cause = str(error.orig if isinstance(error, DBAPIError) else error)
    path = engine.url.database
    if "locked" in cause or "busy" in cause:
        return f"the company database {path} is locked by another process; try again when that one is done"
    if "malformed" in cause or "not a database" in cause:
        return (
            f"the company database {path} is damaged; restore it from a backup, or delete it to seed the sample again"
        )
    if "no such table" in cause:
        return f"the company database {path} has no tables; seed it first"
    return f"the company database {path} cannot be used: {cause}"
