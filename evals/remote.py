"""Opens a target that is a running server: its keys, its bundle, and the outbox of its sample company."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from handrail.agent.company.context import sample_attributes
from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.composition import SystemClock, bundle_of, company_file
from handrail.agent.server.keys import keys_of
from handrail.agent.settings import load_settings
from handrail.evals.http_target import HttpTarget
from handrail.evals.scenario import Behaviour


@asynccontextmanager
async def remote(url: str, data_dir: Path | None, serves: Behaviour) -> AsyncIterator[HttpTarget]:
    """The server at `url`, with the settings of this process (its environment, `data_dir` instead of its data folder).

    Codes can be read only where the server's data folder is on this machine.
    """
    settings = load_settings(overrides={"data_dir": data_dir})
    records = company_file(settings)
    database = CompanyDatabase(open_engine(records)) if records.is_file() else None
    known = {
        customer: {value.name: value.content for value in values}
        for customer, values in sample_attributes(SystemClock().now()).items()
    }
    try:
        async with httpx.AsyncClient(base_url=url) as client:
            yield HttpTarget(
                client=client,
                keys=keys_of(settings),
                site=settings.site,
                bundle=bundle_of(settings),
                serves=serves,
                codes=None if database is None else Outbox(database),
                records=known,
            )
    finally:
        if database is not None:
            await database.close()
