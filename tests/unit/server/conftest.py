"""An application around the fake service, and clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from handrail.agent.server.app import create_app
from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import keys_of
from handrail.agent.settings import Settings
from tests.unit.server.fake import FakeService, FixedClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of their own."""
    return Settings.model_validate({"data_dir": tmp_path, "port": 0})


@pytest.fixture
async def service() -> FakeService:
    """A service that echoes."""
    return FakeService()


@pytest.fixture
def gate(settings: Settings) -> Gate:
    """The gate with the made keys."""
    return Gate(keys_of(settings), settings.site)


@pytest.fixture
async def client(service: FakeService, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, without a socket."""
    transport = httpx.ASGITransport(create_app(service, settings, FixedClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail.test") as opened:
        yield opened


@pytest.fixture
def server(gate: Gate) -> dict[str, str]:
    """The headers of one of the company's servers."""
    return {"X-Server-Key": next(iter(gate.keys.server.values())).get_secret_value()}


@pytest.fixture
def ada(gate: Gate) -> dict[str, str]:
    """The headers of a known customer."""
    return {"Authorization": f"Bearer {gate.sign('ada', 600)}"}


@pytest.fixture
def ben(gate: Gate) -> dict[str, str]:
    """The headers of another customer."""
    return {"Authorization": f"Bearer {gate.sign('ben', 600)}"}
