"""The databases that contracts of the store are checked on.

SQLite always; PostgreSQL when HANDRAIL_TEST_POSTGRES_URL names a server (each test gets a schema of its own).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from handrail.agent.store.sqlstore import SqlStore
from tests.unit.store.building import OPTIONS, SteppingClock, opened

POSTGRES = os.environ.get("HANDRAIL_TEST_POSTGRES_URL")


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRES else ["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'handrail.db'}"
        return
    assert POSTGRES
    schema = f"t_{secrets.token_hex(6)}"
    engine = create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture
def clock() -> SteppingClock:
    """The store's clock."""
    return SteppingClock()


@pytest.fixture
async def store(url: str, clock: SteppingClock) -> AsyncIterator[SqlStore]:
    """An open store that does not wait long."""
    async with opened(url, clock, OPTIONS) as store:
        yield store
