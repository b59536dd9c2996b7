"""Plays scenarios over HTTP: each case has a server of its own on a loopback socket, with its model and company."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from handrail.agent.composition import Readers, Substitutes, bundle_of, open_readers, running
from handrail.agent.ports import Model
from handrail.agent.room import Patience
from handrail.agent.server.app import create_app
from handrail.agent.server.demo_operator import ensure_demo_operator
from handrail.agent.server.keys import DEMO, demo_password, keys_of
from handrail.agent.settings import Settings
from handrail.evals.api import Api
from handrail.evals.forbidden_words import prompt_lines
from handrail.evals.http_dialogue import Witnesses
from handrail.evals.in_process import MODEL_SECONDS
from handrail.evals.invariants import approval_tools
from handrail.evals.known_server import KnownServer
from handrail.evals.loopback import answering
from handrail.evals.models import missing
from handrail.evals.operator_api import OperatorApi
from handrail.evals.own_settings import own_settings
from handrail.evals.sample_base import ingest_sample
from handrail.evals.sample_company import SampleCompany, sample_company
from handrail.evals.scenario import Behaviour, Scenario
from handrail.evals.substitutes import OfficeClock, SwitchCompany
from handrail.evals.target import Dialogue
from handrail.evals.turn_log import TurnLog
from handrail.evals.writes import write_tools
from handrail.guardrails.bundle.bundle import Bundle


@dataclass(slots=True)
class OverHttp:
    """Servers of one bundle. Only what reads and keeps nothing is shared between them: detectors and articles."""

    bundle: Bundle
    models: Mapping[Behaviour, Model]
    readers: Readers
    folder: Path
    current: Behaviour = Behaviour.EMBEDDED

    @property
    def revision(self) -> str | None:
        """The bundle that must decide."""
        return self.bundle.revision

    @property
    def needs_approval(self) -> AbstractSet[str]:
        """The tools that may run only with a person's approval."""
        return approval_tools(self.bundle.policy)

    @property
    def prompt(self) -> tuple[str, ...]:
        """Lines of the system text, folded."""
        return prompt_lines(self.bundle)

    def lacks(self, scenario: Scenario, behaviour: Behaviour) -> str | None:
        """Why the scenario cannot be played here."""
        return missing(self.models, behaviour)

    @asynccontextmanager
    async def behaving(self, behaviour: Behaviour) -> AsyncIterator[None]:
        """Servers that start from now on have a model that behaves like that."""
        self.current = behaviour
        yield

    @asynccontextmanager
    async def begin(self, scenario: Scenario) -> AsyncIterator[Dialogue]:
        """Start a server with an empty database and a fresh company, and open a conversation with it."""
        data = self.folder / f"case-{secrets.token_hex(6)}"
        settings = own_settings(data)
        settings.make_data_dir()
        clock = OfficeClock()
        async with AsyncExitStack() as until:
            company = await until.enter_async_context(sample_company(settings.company_file, clock, scenario.planted))
            switch = SwitchCompany()
            recorder = switch.use(company.toolbox, company.step_up, write_tools(self.bundle))
            service = await until.enter_async_context(running(settings, self._substitutes(clock, switch)))
            await ensure_demo_operator(service.operators, settings)
            address = await until.enter_async_context(answering(create_app(service, settings, clock)))
            client = await until.enter_async_context(httpx.AsyncClient(base_url=address))
            log = until.enter_context(TurnLog(settings.site, settings.database_url))
            witnesses = Witnesses(codes=company.outbox, log=log, calls=recorder.take, changes=company.changes)
            yield await self._known(client, settings, clock, company, witnesses).open(scenario)

    def _substitutes(self, clock: OfficeClock, company: SwitchCompany) -> Substitutes:
        return Substitutes(
            bundle=self.bundle,
            clock=clock,
            model=self.models[self.current],
            detectors=self.readers.detectors,
            retriever=self.readers.retriever,
            toolbox=company,
            step_up=company,
            patience=Patience(model=MODEL_SECONDS),
        )

    def _known(
        self,
        client: httpx.AsyncClient,
        settings: Settings,
        clock: OfficeClock,
        company: SampleCompany,
        witnesses: Witnesses,
    ) -> KnownServer:
        api = Api(client)
        return KnownServer(
            api=api,
            keys=keys_of(settings),
            operator=OperatorApi(api, DEMO, demo_password(settings)),
            site=settings.site,
            bundle=self.bundle,
            clock=clock,
            records=company.attributes,
            past=company.events,
            witnesses=witnesses,
        )


@asynccontextmanager
async def over_http(models: Mapping[Behaviour, Model]) -> AsyncIterator[OverHttp]:
    """A target in a temporary folder with the sample base; everything is gone when it closes."""
    async with AsyncExitStack() as until:
        # ignore_cleanup_errors: SQLite may still be letting go of a file that is about to be deleted anyway.
        folder = Path(until.enter_context(TemporaryDirectory(prefix="handrail-eval-", ignore_cleanup_errors=True)))
        settings = own_settings(folder)
        await asyncio.to_thread(ingest_sample, folder / "kb")
        executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="handrail-readers")
        until.callback(executor.shutdown, wait=False, cancel_futures=True)
        bundle = bundle_of(settings)
        yield OverHttp(bundle, models, open_readers(settings, bundle, executor), folder)
