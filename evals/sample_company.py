"""The sample company, fresh: its tools, its codes, and what it knows of its customers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from handrail.agent.company.context import sample_attributes, sample_events
from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.company.seed import seed
from handrail.agent.company.step_up import CompanyStepUp
from handrail.agent.company.toolbox import CompanyToolbox
from handrail.agent.ports import AttributeValue, Clock, CustomerEvent


@dataclass(frozen=True, slots=True)
class SampleCompany:
    """An open sample company. Attributes and events go by customer id."""

    toolbox: CompanyToolbox
    step_up: CompanyStepUp
    outbox: Outbox
    attributes: Mapping[str, tuple[AttributeValue, ...]]
    events: Mapping[str, tuple[CustomerEvent, ...]]


@asynccontextmanager
async def sample_company(path: Path, clock: Clock) -> AsyncIterator[SampleCompany]:
    """A company whose records are in the new file `path`, as they are before anything has happened."""
    now = clock.now()
    database = CompanyDatabase(open_engine(path))
    try:
        await asyncio.to_thread(seed, database.engine, now)
        yield SampleCompany(
            CompanyToolbox(database, clock),
            CompanyStepUp(database, clock),
            Outbox(database),
            sample_attributes(now),
            sample_events(now),
        )
    finally:
        await database.close()
