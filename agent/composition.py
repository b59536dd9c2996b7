"""The composition root: the one place where adapters are built and closed."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from handrail.agent.context import StoredContext
from handrail.agent.flow import build_graph
from handrail.agent.following import Following
from handrail.agent.holdouts import Draws
from handrail.agent.knowledge import chroma_of, question_embedder, remote_seconds
from handrail.agent.model_settings import EMBEDDED
from handrail.agent.operators import Operators
from handrail.agent.opinion import wanting
from handrail.agent.ports import (
    Clock,
    CustomerContext,
    Detectors,
    Model,
    Retriever,
    SecondOpinion,
    StepUp,
    Toolbox,
)
from handrail.agent.room import Patience, Room
from handrail.agent.service import Service
from handrail.agent.settings import Company, Settings
from handrail.agent.store_port import Store
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.encoder import CachingEncoder, Encoder, MiniLMEncoder
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.model_folder import find_model

if TYPE_CHECKING:
    from handrail.agent.models.openai import OpenAIModel
    from handrail.guardrails.detect.suite import DetectorSuite

log = logging.getLogger(__name__)
TEND_SECONDS = 15.0
"""How often interrupted turns and overdue approvals are looked for."""


class SystemClock:
    """The clock of the machine, in UTC."""

    def now(self) -> datetime:
        """The current instant."""
        return datetime.now(UTC)


class Substitutes:
    """Ports to use instead of the real ones: a model under test, a clock that jumps, a store that fails."""

    def __init__(  # noqa: PLR0913 - one optional place per port
        self,
        *,
        bundle: Bundle | None = None,
        clock: Clock | None = None,
        model: Model | None = None,
        second_opinion: SecondOpinion | None = None,
        detectors: Detectors | None = None,
        retriever: Retriever | None = None,
        toolbox: Toolbox | None = None,
        step_up: StepUp | None = None,
        context: CustomerContext | None = None,
        store: Store | None = None,
        patience: Patience | None = None,
    ) -> None:
        """All ports that are not given are the real ones, and the bundle is the one that the settings name."""
        self.bundle = bundle
        self.clock = clock
        self.model = model
        self.second_opinion = second_opinion
        self.detectors = detectors
        self.retriever = retriever
        self.toolbox = toolbox
        self.step_up = step_up
        self.context = context
        self.store = store
        self.patience = patience


@dataclass(frozen=True, slots=True)
class Readers:
    """The ports that read and keep nothing of what they read; several services may share them."""

    detectors: Detectors
    retriever: Retriever


def bundle_of(settings: Settings) -> Bundle:
    """The bundle that the settings name, or the shipped one."""
    folder = settings.bundle or Path(str(files("handrail.guardrails") / "policies"))
    bundle = load(folder)
    if settings.turn_seconds is None:
        return bundle
    limits = bundle.manifest.limits.model_copy(update={"turn_seconds": settings.turn_seconds})
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"limits": limits}))


@asynccontextmanager
async def running(settings: Settings, substitutes: Substitutes | None = None) -> AsyncIterator[Service]:
    """A service with every adapter open; interrupted turns are finished first. Closes everything at the end.

    Raises ConfigError, EncoderUnavailable, RetrievalError or StoreError with one message each.
    """
    given = substitutes or Substitutes()
    bundle = given.bundle or bundle_of(settings)
    clock = given.clock or SystemClock()
    settings.make_data_dir()
    async with AsyncExitStack() as open_until_the_end:
        executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="handrail")
        open_until_the_end.callback(executor.shutdown, wait=False, cancel_futures=True)
        store = given.store or await _store(settings, clock)
        open_until_the_end.push_async_callback(store.close)
        readers = open_readers(settings, bundle, executor, given)
        toolbox, step_up = given.toolbox, given.step_up
        if toolbox is None or step_up is None:
            real_toolbox, real_step_up = await _company(settings, clock, store, open_until_the_end)
            toolbox, step_up = toolbox or real_toolbox, step_up or real_step_up
        toolbox = _with_mcp(settings, bundle, toolbox, open_until_the_end)
        upstream = None if settings.model == EMBEDDED else _openai(settings)
        model = given.model or upstream or _embedded()
        room = Room(
            bundle=bundle,
            detectors=readers.detectors,
            context=given.context or StoredContext(store),
            retriever=readers.retriever,
            model=model,
            toolbox=toolbox,
            step_up=step_up,
            store=store,
            clock=clock,
            executor=executor,
            draws=Draws(_secret(settings)),
            patience=given.patience or _patience(settings),
            masked=settings.mask_model_input.kinds,
            sites=(settings.site,),
            second_opinion=given.second_opinion or _second_opinion(settings, bundle, open_until_the_end),
            ask_below=settings.second_opinion_below,
            upstream=upstream,
        )
        service = serving(room, settings.site)
        open_until_the_end.callback(service.following.close)
        await service.recover()
        tending = asyncio.create_task(_tend(service))
        try:
            yield service
        finally:
            tending.cancel()
            with suppress(asyncio.CancelledError):
                await tending


@contextmanager
def settled() -> Iterator[None]:
    """For a process whose service is built and stays: the collector need not look through all of it during turns."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def serving(room: Room, site: str) -> Service:
    """The service over the ports of `room`, with everything of it that is built once per process."""
    return Service(
        room,
        build_graph(room),
        following=Following(room.store, room.clock),
        operators=Operators(room.store, room.clock, room.executor, site),
    )


@asynccontextmanager
async def staff(settings: Settings) -> AsyncIterator[Operators]:
    """The accounts of the people who take handoffs, without the rest of the service: for the command line.

    Raises ConfigError or StoreError.
    """
    clock = SystemClock()
    settings.make_data_dir()
    store = await _store(settings, clock)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="handrail") as executor:
            yield Operators(store, clock, executor, settings.site)
    finally:
        await store.close()


async def _tend(service: Service) -> None:
    """Look after what nobody calls for, again and again; one failure must not end it."""
    while True:
        await asyncio.sleep(TEND_SECONDS)
        try:
            await service.tend()
        except Exception as error:  # noqa: BLE001 - the next round may go well
            log.error("tending failed", extra={"error": type(error).__name__})


def open_readers(
    settings: Settings, bundle: Bundle, executor: ThreadPoolExecutor, given: Substitutes | None = None
) -> Readers:
    """Detectors and retriever around one encoder, unless an endpoint embeds for the latter; those of `given` instead.

    Raises EncoderUnavailable, RetrievalError.
    """
    given = given or Substitutes()
    detectors, retriever = given.detectors, given.retriever
    if detectors is None or retriever is None:
        encoder = _encoder(settings)
        if detectors is None:
            detectors = _detectors(bundle, encoder, settings)
        retriever = retriever or _retriever(settings, encoder, executor)
    return Readers(detectors, retriever)


def _encoder(settings: Settings) -> Encoder:
    # Set before the first native import: more threads are slower for one short text.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    return CachingEncoder(MiniLMEncoder.load(find_model(settings.cache_dir)))


def _detectors(bundle: Bundle, encoder: Encoder, settings: Settings) -> DetectorSuite:
    from handrail.guardrails.detect.suite import DetectorSuite

    return DetectorSuite.build(bundle.detection, encoder, settings.cache_dir, settings.detection_model)


def _retriever(settings: Settings, encoder: Encoder, executor: ThreadPoolExecutor) -> Retriever:
    from handrail.retrieval.search import ChromaRetriever

    retriever = ChromaRetriever(
        settings.data_dir / "kb",
        question_embedder(settings) or encoder,
        executor=executor,
        chroma=chroma_of(settings),
    )
    retriever.open()
    return retriever


def _embedded() -> Model:
    from handrail.agent.models.quoting import QuotingModel

    return QuotingModel()


def _openai(settings: Settings) -> OpenAIModel:
    from handrail.agent.models.openai import OpenAIModel

    return OpenAIModel(
        model=settings.model,
        base_url=settings.model_base_url,
        key=settings.model_api_key,
    )


def _patience(settings: Settings) -> Patience:
    return Patience(
        model=settings.model_timeout,
        second_opinion=settings.second_opinion_timeout_seconds,
        retrieval=Patience().retrieval + remote_seconds(settings),
    )


def _second_opinion(settings: Settings, bundle: Bundle, until: AsyncExitStack) -> SecondOpinion | None:
    """Who is asked about messages that detection cannot place; nobody unless a model is named. Raises ConfigError."""
    if settings.second_opinion_model is None:
        return None
    missing = wanting(bundle)
    if missing:
        lacking = f"HANDRAIL_SECOND_OPINION_MODEL names a model, but the bundle lacks {' and '.join(missing)}"
        raise ConfigError([f"{lacking}. Copy it from the shipped bundle, or leave the setting out."])
    from handrail.agent.models.second_opinion import OpenAISecondOpinion

    opinion = OpenAISecondOpinion(
        model=settings.second_opinion_model, base_url=settings.opinion_base_url, key=settings.opinion_api_key
    )
    until.push_async_callback(opinion.close)
    return opinion


def _with_mcp(settings: Settings, bundle: Bundle, own: Toolbox, until: AsyncExitStack) -> Toolbox:
    """`own`, and beside it the tools of the bundle that MCP servers have. Raises ConfigError."""
    servers = dict.fromkeys(spec.mcp.server for spec in bundle.tools.values() if spec.mcp is not None)
    if not servers:
        return own
    if find_spec("mcp") is None:
        raise ConfigError(["Tools of the bundle are those of MCP servers: install them with `handrail[mcp]`."])
    unknown = [name for name in servers if name not in settings.mcp_servers]
    if unknown:
        raise ConfigError(
            [f"Tools of the bundle name the MCP server {name}: add it to HANDRAIL_MCP_SERVERS." for name in unknown]
        )
    from handrail.agent.mcp.connection import Connection
    from handrail.agent.mcp.toolbox import McpToolbox
    from handrail.agent.toolboxes import Toolboxes

    connections = {name: Connection(name, settings.mcp_servers[name]) for name in servers}
    for connection in connections.values():
        connection.start()
        until.push_async_callback(connection.close)
    remote = McpToolbox(bundle.tools.values(), connections)
    return Toolboxes(own, dict.fromkeys(remote.names, remote))


async def _store(settings: Settings, clock: Clock) -> Store:
    from handrail.agent.audit.pseudonyms import Pseudonyms
    from handrail.agent.store.sqlstore import SqlStore
    from handrail.guardrails.detect.masking import mask_json

    pseudonyms = Pseudonyms(_secret(settings))
    return await SqlStore.open(settings.database_url, clock, mask=mask_json, pseudonyms=pseudonyms)


def _secret(settings: Settings) -> bytes:
    """The installation's own secret, behind pseudonyms and draws; each puts its own name into what it hashes."""
    from handrail.agent.audit.pseudonyms import load_secret

    return load_secret(settings.data_dir)


async def _company(settings: Settings, clock: Clock, store: Store, until: AsyncExitStack) -> tuple[Toolbox, StepUp]:
    if settings.company is Company.NONE:
        from handrail.agent.nocompany import NoCompany

        return NoCompany(), NoCompany()
    from handrail.agent.company.context import sample_attributes, sample_events
    from handrail.agent.company.database import CompanyDatabase, open_engine
    from handrail.agent.company.seed import seed
    from handrail.agent.company.step_up import CompanyStepUp
    from handrail.agent.company.toolbox import CompanyToolbox

    now = clock.now()
    database = CompanyDatabase(open_engine(settings.company_file))
    until.push_async_callback(database.close)
    seed(database.engine, now)
    for customer, values in sample_attributes(now).items():
        await store.put_attributes(settings.site, customer, values)
    for customer, events in sample_events(now).items():
        await store.put_events(settings.site, customer, events)
    return CompanyToolbox(database, clock), CompanyStepUp(database, clock)
