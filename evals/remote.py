"""Opens a target that is a running server: its keys, its bundle, its log, and the outbox of its sample company."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from handrail.agent.company.context import sample_attributes
from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.composition import SystemClock, bundle_of
from handrail.agent.server.keys import DEMO, demo_password, keys_of
from handrail.agent.settings import load_settings
from handrail.evals.api import Api
from handrail.evals.http_dialogue import Witnesses
from handrail.evals.http_target import HttpTarget
from handrail.evals.known_server import KnownServer
from handrail.evals.operator_api import OperatorApi
from handrail.evals.scenario import Behaviour


@asynccontextmanager
async def remote(url: str, data_dir: Path | None, serves: Behaviour) -> AsyncIterator[HttpTarget]:
    """The server at `url`, with the settings of this process (its environment, `data_dir` instead of its data folder).

    Codes can be read only where the server's data folder is on this machine. Each conversation begins with the sample's
    attributes, so that what an earlier scenario changed in them does not stay.
    """
    settings = load_settings(overrides={"data_dir": data_dir})
    clock = SystemClock()
    async with AsyncExitStack() as until:
        codes: Outbox | None = None
        if settings.company_file.is_file():
            database = CompanyDatabase(open_engine(settings.company_file))
            until.push_async_callback(database.close)
            codes = Outbox(database)
        client = await until.enter_async_context(httpx.AsyncClient(base_url=url))
        api = Api(client)
        server = KnownServer(
            api=api,
            keys=keys_of(settings),
            operator=OperatorApi(api, DEMO, demo_password(settings)),
            site=settings.site,
            bundle=bundle_of(settings),
            clock=clock,
            records=sample_attributes(clock.now()),
            witnesses=Witnesses(codes=codes),
        )
        yield HttpTarget(server, serves)
