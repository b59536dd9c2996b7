"""A freshly seeded company on a fixed day, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.company.seed import seed
from handrail.agent.company.step_up import CompanyStepUp
from handrail.agent.company.toolbox import CompanyToolbox

NOW = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """The time it was set to."""
        return self._now

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by


@pytest.fixture
def clock() -> MovableClock:
    """The time of the test."""
    return MovableClock(NOW)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[CompanyDatabase]:
    """The seeded database in a file of its own."""
    engine = open_engine(tmp_path / "company.db")
    seed(engine, NOW)
    database = CompanyDatabase(engine, threads=4)
    yield database
    await database.close()


@pytest.fixture
def toolbox(database: CompanyDatabase, clock: MovableClock) -> CompanyToolbox:
    """The company's tools."""
    return CompanyToolbox(database, clock)


@pytest.fixture
def step_up(database: CompanyDatabase, clock: MovableClock) -> CompanyStepUp:
    """The company's codes."""
    return CompanyStepUp(database, clock)


@pytest.fixture
def outbox(database: CompanyDatabase) -> Outbox:
    """What the company has sent."""
    return Outbox(database)
