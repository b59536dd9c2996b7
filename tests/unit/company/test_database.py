"""Faults of the company's database become PortError with a way out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.seed import seed
from handrail.agent.company.toolbox import CompanyToolbox
from handrail.agent.ports import PortError, ToolRefused
from handrail.guardrails.vocabulary import ToolCall
from tests.unit.company.conftest import NOW, MovableClock

REFUND = ToolCall(call_id="c", tool="issue_refund", arguments={"invoice_id": "INV-2041", "amount": "52.00"})
PROFILE = ToolCall(call_id="c", tool="get_profile", arguments={})


async def test_a_locked_database_is_a_port_error_and_nothing_happens(tmp_path: Path) -> None:
    """A writer that waits in vain says so; when the lock is gone the same key runs."""
    path = tmp_path / "company.db"
    engine = open_engine(path, busy_seconds=0.01)
    seed(engine, NOW)
    toolbox = CompanyToolbox(database := CompanyDatabase(engine), MovableClock(NOW))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(PortError, match="locked by another process"):
        await toolbox.execute(REFUND, "dana", "key")
    assert await toolbox.execute(PROFILE, "dana", "")
    assert await toolbox.outcome("key") is None
    holder.execute("ROLLBACK")
    holder.close()
    assert await toolbox.execute(REFUND, "dana", "key") == await toolbox.outcome("key")
    await database.close()


async def test_a_damaged_file_is_a_port_error(tmp_path: Path) -> None:
    """A file that is no database is named, with what to do."""
    path = tmp_path / "company.db"
    path.write_bytes(b"this is no database, whatever the name says" * 100)
    database = CompanyDatabase(open_engine(path))
    toolbox = CompanyToolbox(database, MovableClock(NOW))
    for _ in range(2):
        with pytest.raises(PortError, match=r"company\.db is damaged"):
            await toolbox.execute(PROFILE, "dana", "")
    with pytest.raises(PortError, match="damaged"):
        seed(database.engine, NOW)
    await database.close()


async def test_an_unseeded_file_is_a_port_error(tmp_path: Path) -> None:
    """An empty file says that it must be seeded."""
    database = CompanyDatabase(open_engine(tmp_path / "company.db"))
    with pytest.raises(PortError, match="seed it"):
        await CompanyToolbox(database, MovableClock(NOW)).execute(PROFILE, "dana", "")
    await database.close()


async def test_a_folder_that_is_missing_is_a_port_error(tmp_path: Path) -> None:
    """A path that cannot be opened is named."""
    with pytest.raises(PortError, match="cannot be used"):
        seed(open_engine(tmp_path / "missing" / "company.db"), NOW)


async def test_a_closed_database_is_a_port_error(database: CompanyDatabase) -> None:
    """Work after the end is refused, not hung."""
    await database.close()
    with pytest.raises(PortError, match="closed"):
        await database.read(_one)


async def test_a_bug_in_the_work_is_not_dressed_up(database: CompanyDatabase) -> None:
    """Only faults of the database become PortError."""

    def broken(_: Connection) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await database.write(broken)


async def test_a_refusal_rolls_back(database: CompanyDatabase) -> None:
    """What a tool wrote before it refused is undone."""

    def refuses(connection: Connection) -> None:
        connection.execute(text("UPDATE customers SET name = 'nobody'"))
        raise ToolRefused("no")

    with pytest.raises(ToolRefused):
        await database.write(refuses)
    assert await database.read(_nobody) == 0


def _one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


def _nobody(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM customers WHERE name = 'nobody'")).scalar_one())
