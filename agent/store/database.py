"""Connections: how the database is reached, and how a failure of it becomes one clear message."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from handrail.agent.store_port import StoreError

T = TypeVar("T")

LOCK_WAIT_MS = 10_000
"""How long SQLite waits for another process's transaction before it gives up."""

SWITCH_PAUSE_MS = 20

WRITER_PRAGMAS = (
    f"PRAGMA busy_timeout={LOCK_WAIT_MS}",
    "PRAGMA journal_mode=WAL",
    # INVARIANT: a commit is on the disk when it returns; what was acknowledged survives power loss.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)
READER_PRAGMAS = (f"PRAGMA busy_timeout={LOCK_WAIT_MS}", "PRAGMA query_only=ON")


class LostRace(StoreError):
    """A row that should be new was there already."""


class Database:
    """Transactions on one database; synchronous, to be called from worker threads.

    SQLite has one writing connection, so that transactions of this process queue in its thread instead of fighting
    for the file; reading goes on beside it. PostgreSQL has one pool for both.
    """

    def __init__(self, url: URL, threads: int) -> None:
        self.url = url
        if is_sqlite(url):
            self._writing = _sqlite_engine(url, 1, WRITER_PRAGMAS, "BEGIN IMMEDIATE")
            self._reading = _sqlite_engine(url, threads, READER_PRAGMAS, "BEGIN")
        else:
            self._writing = self._reading = _server_engine(url, threads)

    @property
    def name(self) -> str:
        """The address without its password, for messages."""
        return described(self.url)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction: committed when it returns, rolled back when it raises.

        Work that loses a race for a new row (PostgreSQL only) is run once more, and then finds the row.
        """
        try:
            return self._transact(self._writing, work)
        except LostRace:
            return self._transact(self._writing, work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent view of the database."""
        return self._transact(self._reading, work)

    def _transact(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        try:
            with engine.begin() as connection:
                return work(connection)
        except IntegrityError as error:
            raise LostRace(str(failure(self.url, error))) from error
        except SQLAlchemyError as error:
            raise failure(self.url, error) from error

    def close(self) -> None:
        """Close every connection."""
        self._reading.dispose()
        self._writing.dispose()


def parsed(url: str) -> URL:
    """`url` as one of the two databases that are supported. Raises StoreError."""
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise StoreError("the database URL is not a URL: use sqlite:///handrail.db or postgresql://…") from error
    if address.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StoreError(f"the database {described(address)} is not supported: use sqlite:///… or postgresql://…")
    if is_sqlite(address) and (address.database in {None, "", ":memory:"} or address.query):
        raise StoreError("the SQLite store needs a file, without options: use sqlite:////folder/handrail.db")
    # A plain postgresql:// would mean another driver than the one that is installed.
    return address.set(drivername="postgresql+psycopg") if address.drivername == "postgresql" else address


def is_sqlite(url: URL) -> bool:
    """Whether `url` is the embedded database."""
    return url.get_backend_name() == "sqlite"


def sqlite_file(url: URL) -> Path:
    """The file of an embedded database."""
    return Path(str(url.database))


def described(url: URL) -> str:
    """`url` without its password."""
    return url.render_as_string(hide_password=True)


def failure(url: URL, error: SQLAlchemyError) -> StoreError:
    """The one message for a database error. Statements and parameters stay out of it: they hold customers' words."""
    cause = getattr(error, "orig", None)
    said = str(cause).strip().splitlines()[0] if cause is not None and str(cause).strip() else type(error).__name__
    name = described(url)
    if "locked" in said or "busy" in said:
        return StoreError(f"{name} is locked by another process: let it end, or use PostgreSQL for several workers")
    if "malformed" in said or "not a database" in said:
        return StoreError(f"{name} is damaged ({said}): restore it from a backup; nothing was overwritten")
    if "readonly" in said or "unable to open" in said:
        return StoreError(f"{name} cannot be opened or written ({said}): check the folder, its owner and its mode")
    if "full" in said:
        return StoreError(f"{name} cannot grow ({said}): free some space; the write was undone")
    return StoreError(f"{name} failed ({type(error).__name__}: {said}); the write was undone")


def _sqlite_engine(url: URL, size: int, pragmas: tuple[str, ...], begin: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver would begin transactions by itself, and too late: only before the first write.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            _patiently(cursor, pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _patiently(cursor: DBAPICursor, pragma: str) -> None:
    # Switching to the write-ahead log does not honour the busy timeout: of two processes that make one database
    # together, the second is told "locked" at once.
    for _ in range(LOCK_WAIT_MS // SWITCH_PAUSE_MS):
        try:
            cursor.execute(pragma)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(SWITCH_PAUSE_MS / 1000)
    cursor.execute(pragma)


def _server_engine(url: URL, threads: int) -> Engine:
    try:
        return create_engine(url, pool_size=threads, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise StoreError(f"the driver for {described(url)} is missing ({error.name}): write postgresql://") from error
