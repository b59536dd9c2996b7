"""What both ways of playing the scenarios share."""

from collections.abc import AsyncIterator, Mapping

import pytest_asyncio

from handrail.agent.ports import Model
from handrail.evals.in_process import InProcess, in_process
from handrail.evals.models import all_models
from handrail.evals.scenario import Behaviour


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def models() -> AsyncIterator[Mapping[Behaviour, Model]]:
    """A model for every behaviour."""
    async with all_models() as every:
        yield every


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(models: Mapping[Behaviour, Model]) -> AsyncIterator[InProcess]:
    """The sample base, ingested once, and one service with every model."""
    async with in_process(models) as target:
        yield target
