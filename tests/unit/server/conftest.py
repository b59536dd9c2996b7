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
from tests.unit.server.fake_staff import PASSWORD


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


@pytest.fixture
async def maria(service: FakeService) -> dict[str, str]:
    """The headers of a signed-in operator."""
    return await signed_in(service, "maria")


@pytest.fixture
async def omar(service: FakeService) -> dict[str, str]:
    """The headers of another operator."""
    return await signed_in(service, "omar")


async def signed_in(service: FakeService, name: str) -> dict[str, str]:
    """The headers of an operator with a fresh session."""
    session = await service.operators.sign_in(name, PASSWORD)
    assert session is not None
    return {"Authorization": f"Bearer {session.token}"}
