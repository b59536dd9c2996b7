"""The sample company, fresh: its tools, its codes, and what it knows of its customers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, update

from handrail.agent.company import tables
from handrail.agent.company.context import sample_attributes, sample_events
from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.company.seed import seed
from handrail.agent.company.step_up import CompanyStepUp
from handrail.agent.company.toolbox import CompanyToolbox
from handrail.agent.ports import AttributeValue, Clock, CustomerEvent
from handrail.evals.record_changes import RecordChange, Records


@dataclass(frozen=True, slots=True)
class SampleCompany:
    """An open sample company. Attributes and events go by customer id."""

    toolbox: CompanyToolbox
    step_up: CompanyStepUp
    outbox: Outbox
    attributes: Mapping[str, tuple[AttributeValue, ...]]
    events: Mapping[str, tuple[CustomerEvent, ...]]
    engine: Engine
    before: Records

    async def changes(self) -> tuple[RecordChange, ...]:
        """What has changed in its records since it was opened."""
        later = await asyncio.to_thread(Records.of, self.engine)
        return self.before.changes(later)


@asynccontextmanager
async def sample_company(path: Path, clock: Clock, planted: str | None = None) -> AsyncIterator[SampleCompany]:
    """A company whose records are in the new file `path`, as they are before anything has happened.

    `planted` is what somebody has written into the fields of these records that people fill in.
    """
    now = clock.now()
    database = CompanyDatabase(open_engine(path))
    try:
        await asyncio.to_thread(seed, database.engine, now)
        if planted is not None:
            await database.write(partial(_plant, planted))
        yield SampleCompany(
            CompanyToolbox(database, clock),
            CompanyStepUp(database, clock),
            Outbox(database),
            sample_attributes(now),
            sample_events(now),
            database.engine,
            await asyncio.to_thread(Records.of, database.engine),
        )
    finally:
        await database.close()


def _plant(text: str, connection: Connection) -> None:
    written = (
        (tables.incidents, "message"),
        (tables.devices, "label"),
        (tables.workspaces, "name"),
        (tables.invoices, "description"),
    )
    for table, column in written:
        connection.execute(update(table).values({column: table.c[column].concat(f". {text}")}))
    connection.execute(update(tables.incidents).values(status="investigating"))
