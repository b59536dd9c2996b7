"""Opening databases that are new, ours, damaged, foreign, newer or out of reach."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.opening import HEAD, MIGRATIONS, VERSION_TABLE, open_database
from handrail.agent.store.schema import SCHEMA
from handrail.agent.store_port import StoreError
from tests.unit.store.building import conversation, exchange, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database goes."""
    return tmp_path / "data" / "handrail.db"


def cut(path: Path, size: int) -> None:
    """Keep only the beginning of a file."""
    path.write_bytes(path.read_bytes()[:size])


def refused(path: Path) -> str:
    """The message with which opening is refused; the file is left as it was."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError) as caught:
        open_database(f"sqlite:///{path}", 1)
    assert (path.read_bytes() if path.is_file() else None) == before
    return str(caught.value)


def test_migrations_make_the_tables_that_the_code_uses(path: Path) -> None:
    """The initial migration and the table definitions do not drift apart."""

    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}), SCHEMA)

    database = open_database(f"sqlite:///{path}", 1)
    assert database.read(differences) == []
    database.close()


def test_the_head_is_the_newest_migration() -> None:
    """Opening skips Alembic when the database is current; so both must agree on what is current."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_commits_reach_the_disk(path: Path) -> None:
    """The embedded database runs with a write-ahead log, full synchronisation and foreign keys."""
    database = open_database(f"sqlite:///{path}", 1)

    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert database.write(pragmas) == ["wal", 2, 1, 10_000]
    database.close()


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    """A file that was created but never written to holds nothing to protect."""
    path.parent.mkdir()
    path.touch()
    open_database(f"sqlite:///{path}", 1).close()


def test_a_damaged_file_is_left_alone(path: Path) -> None:
    """What is not a database is reported and not overwritten."""
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    assert "nothing was overwritten" in refused(path)


async def test_a_truncated_file_is_left_alone(path: Path) -> None:
    """A database whose second half is gone is reported, not repaired into an empty one."""
    async with opened(f"sqlite:///{path}") as store:
        name = await conversation(store)
        await exchange(store, name, "k1")
    cut(path, 5000)
    assert str(path) in refused(path)


def test_a_foreign_database_is_left_alone(path: Path) -> None:
    """Somebody else's tables are not added to."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE turns (a)")
        connection.commit()
    assert "another program" in refused(path)


def test_a_newer_database_is_left_alone(path: Path) -> None:
    """A database of a later version is not touched by an earlier one."""
    open_database(f"sqlite:///{path}", 1).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = 'r9999'")  # noqa: S608 - a constant
        connection.commit()
    assert "newer Handrail" in refused(path)


def test_places_that_cannot_hold_a_file_are_named(tmp_path: Path) -> None:
    """A folder in place of the file, a file in place of the folder, a folder that nobody can write to."""
    assert "not a file" in refused(tmp_path)
    (tmp_path / "file").write_text("x")
    assert "cannot be used" in refused(tmp_path / "file" / "handrail.db")
    assert "cannot be" in refused(Path("/proc/handrail.db"))


@pytest.mark.parametrize(
    "url", ["", "not a url", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro"]
)
def test_other_addresses_are_refused(url: str) -> None:
    """The message says what to use instead."""
    with pytest.raises(StoreError, match="sqlite:///"):
        open_database(url, 1)


def test_passwords_stay_out_of_messages() -> None:
    """An address in a message has no password."""
    with pytest.raises(StoreError) as caught:
        open_database("mysql://anna:hush@host/db", 1)
    assert "hush" not in str(caught.value)


def test_reading_makes_no_database(path: Path) -> None:
    """The commands that explain and verify never create what they were to read."""
    with pytest.raises(StoreError, match="no database"):
        AuditLog(f"sqlite:///{path}")
    assert not path.parent.exists()


async def test_customers_words_stay_out_of_database_errors(path: Path) -> None:
    """A failing statement is reported without its parameters."""
    async with opened(f"sqlite:///{path}") as store:
        name = await conversation(store)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE messages")
            connection.commit()
        with pytest.raises(StoreError) as caught:
            await exchange(store, name, "k1", "my secret")
        assert "my secret" not in str(caught.value)
        assert "my secret" not in repr(caught.value.__cause__)
