"""Opening a database: recognising ours, refusing everything else untouched, bringing the tables up to date."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from handrail.agent.store.database import Database, described, failure, is_sqlite, parsed, sqlite_file
from handrail.agent.store.schema import SCHEMA
from handrail.agent.store_port import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "handrail_schema"
HEAD = "r0003"
"""The revision that this version of Handrail writes; a test keeps it equal to the newest migration."""

KNOWN = frozenset({"r0001", "r0002", HEAD})
"""Every revision that this version can bring up to date."""

_MIGRATING = Lock()

MIGRATION_LOCK = 0x68616E64
"""PostgreSQL advisory lock: two workers that start together migrate one after the other."""


def open_database(url: str, threads: int) -> Database:
    """Open and, where needed, create or migrate the database at `url`. Raises StoreError; overwrites nothing."""
    address = parsed(url)
    if is_sqlite(address):
        _check_file(address)
    database = Database(address, threads)
    try:
        _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def open_existing(url: str, threads: int = 1) -> Database:
    """Open a database for reading only. Raises StoreError when it is not there, not ours, or of another version."""
    address = parsed(url)
    if is_sqlite(address) and not sqlite_file(address).is_file():
        raise StoreError(f"there is no database at {sqlite_file(address)}: check HANDRAIL_DATABASE_URL")
    if is_sqlite(address):
        _check_file(address)
    database = Database(address, threads)
    try:
        revision = database.read(lambda connection: _revision(connection, address))
    except BaseException:
        database.close()
        raise
    if revision != HEAD:
        database.close()
        raise StoreError(f"{database.name} holds no current Handrail tables: start the server once to migrate it")
    return database


def _check_file(url: URL) -> None:
    path = sqlite_file(url)
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or (path.is_file() and path.stat().st_size == 0):
            return
        if not path.is_file():
            raise StoreError(f"{path} is not a file: name a file for the database")
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be used for the database ({error.strerror}): check its mode") from error
    # Read-only, so that somebody else's file is not even switched to another journal mode.
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} is not a readable Handrail database ({error}): "
            "restore it from a backup or name another file; nothing was overwritten"
        ) from error
    if tables and VERSION_TABLE not in tables:
        raise StoreError(f"{path} belongs to another program: name another file; nothing was overwritten")


def _bring_up_to_date(database: Database) -> None:
    def migrate(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        if _revision(connection, database.url) == HEAD:
            return
        _upgrade(connection)

    try:
        database.write(migrate)
    except SQLAlchemyError as error:
        raise failure(database.url, error) from error


def _revision(connection: Connection, url: URL) -> str | None:
    """The revision of the tables, None when there are none. Raises StoreError for other people's and newer ones."""
    present = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in present:
        clashes = sorted(present & set(SCHEMA.tables))
        if clashes:
            raise StoreError(
                f"{described(url)} has tables of another program ({', '.join(clashes)}): "
                "use a database or schema of its own; nothing was overwritten"
            )
        return None
    # S608: the table's name is a constant of this module.
    rows = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()  # noqa: S608
    revision = str(rows[0]) if rows else None
    if revision is not None and revision not in KNOWN:
        raise StoreError(
            f"{described(url)} was written by a newer Handrail (revision {revision}): "
            "install that version, or restore a backup; nothing was overwritten"
        )
    return revision


def _upgrade(connection: Connection) -> None:
    # Late, because only an old or a new database needs it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    # Alembic keeps the running migration in module state: two databases are migrated one after the other.
    with _MIGRATING:
        command.upgrade(config, "head")
