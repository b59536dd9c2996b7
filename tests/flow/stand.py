"""A whole service on the sample company in a temporary folder, with a switch in front of every port."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from pydantic import JsonValue
from sqlalchemy import text as sql

from handrail.agent.audit.pseudonyms import Pseudonyms
from handrail.agent.company.context import sample_attributes, sample_events
from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.company.seed import seed
from handrail.agent.company.step_up import CompanyStepUp
from handrail.agent.company.toolbox import CompanyToolbox
from handrail.agent.composition import serving
from handrail.agent.context import StoredContext
from handrail.agent.conversation import Approval, ApprovalState
from handrail.agent.holdouts import Draws
from handrail.agent.mcp.toolbox import McpToolbox
from handrail.agent.models.quoting import QuotingModel
from handrail.agent.ports import (
    CustomerContext,
    Detectors,
    Enquiry,
    Listener,
    Model,
    Opinion,
    Prompt,
    Retriever,
    SecondOpinion,
    StepUp,
    Toolbox,
)
from handrail.agent.room import Patience, Room
from handrail.agent.service import Service
from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import Store
from handrail.agent.toolboxes import Toolboxes
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.labels import GRAVE_KINDS
from handrail.guardrails.detect.masking import mask_json
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.vocabulary import Detection, Draft, IdentityLevel, Signal, ToolCall, TurnResult
from tests.flow.ports import Switch

SITE = "fernwell"
OFFICE_HOURS = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
"""A Tuesday on which every queue of the sample is open."""
SHORT = 0.8
"""Seconds of patience with a port that hangs."""
NEVER_LONGER = 30.0
"""Seconds after which a turn that should have ended by itself fails its test instead of holding the run."""
PSEUDONYMS = Pseudonyms(b"0123456789abcdef0123456789abcdef")
MIA = "mia"
CANCEL = "please cancel my subscription"
NO_OPINION = Opinion(need_state=None, intent=None)
UNREAD = Detection(
    need_state=None,
    intent=None,
    confidence=0.3,
    need_states=(),
    alternatives=(),
    signals=(Signal(code="INTENT_UNKNOWN", detector="intent", score=0.7),),
    language="en",
)
"""What detection says of a message that it cannot place."""


class Calendar:
    """A clock that moves a millisecond at every look, and otherwise when it is told to."""

    def __init__(self, at: datetime = OFFICE_HOURS) -> None:
        self.at = at

    def now(self) -> datetime:
        """The current instant."""
        self.at += timedelta(milliseconds=1)
        return self.at

    def move(self, **much: float) -> None:
        """Let time pass, or go back."""
        self.at += timedelta(**much)


@dataclass(frozen=True)
class Parts:
    """What is slow to build and never changes: shared by all tests of a worker."""

    bundle: Bundle
    encoder: Encoder
    detectors: Detectors
    retriever: Retriever
    executor: Executor
    base: Path
    store_file: Path
    company_file: Path


@dataclass
class Stand:
    """The running service, its switches, and the witnesses of what really happened."""

    service: Service
    room: Room
    clock: Calendar
    folder: Path
    company: CompanyDatabase
    detectors: Switch
    context: Switch
    retriever: Switch
    model: Switch
    second_opinion: Switch
    toolbox: Switch
    step_up: Switch
    store: Switch
    customer: str | None = MIA
    conversation: str = ""
    keys: itertools.count[int] = field(default_factory=itertools.count)

    def port(self, name: str) -> Switch:
        """The switch of a port, by its name."""
        return cast(Switch, getattr(self, name))

    def shorten(self, seconds: float) -> None:
        """Give every turn from now on a deadline of so many seconds."""
        self.room = replace(self.room, bundle=with_turn_seconds(self.room.bundle, seconds))
        self.service = serving(self.room, SITE)

    def hurry(self, patience: Patience) -> None:
        """Have less patience with the ports from now on."""
        self.room = replace(self.room, patience=patience)
        self.service = serving(self.room, SITE)

    def mend(self) -> None:
        """Make every port work again."""
        for name in ("detectors", "context", "retriever", "model", "second_opinion", "toolbox", "step_up", "store"):
            self.port(name).mend()

    async def open(self, customer: str | None = MIA) -> str:
        """Open a conversation and talk in it from now on."""
        level = IdentityLevel.ANONYMOUS if customer is None else IdentityLevel.IDENTIFIED
        self.customer = customer
        self.conversation = await self.service.open(SITE, "test", customer, level)
        return self.conversation

    async def say(self, text: str, key: str | None = None) -> TurnResult:
        """The customer writes."""
        async with asyncio.timeout(NEVER_LONGER):
            return await self.service.say(SITE, self.conversation, self.customer, text, key or f"k{next(self.keys)}")

    async def button(self) -> TurnResult:
        """The customer presses the button for a person."""
        return await self.service.ask_for_person(SITE, self.conversation, self.customer, f"k{next(self.keys)}")

    async def code(self) -> str:
        """The code that was sent last."""
        found = await Outbox(self.company).latest_code(self.customer or "")
        assert found is not None, "no code was sent"
        return found

    async def pending_approval(self) -> Approval:
        """The one request that waits for an operator."""
        (waiting,) = await cast(Store, self.store.real).approvals(SITE, ApprovalState.PENDING)
        return waiting

    async def decide(self, state: ApprovalState = ApprovalState.APPROVED) -> TurnResult:
        """An operator decides."""
        approval = await self.pending_approval()
        async with asyncio.timeout(NEVER_LONGER):
            return await self.service.decide(SITE, approval.approval_id, state, "operator-1")

    async def writes(self) -> int:
        """Writes that the company's database holds: the witness that does not depend on what Handrail says."""
        return await self.company.read(
            lambda connection: int(connection.execute(sql("select count(*) from idempotency")).scalar_one())
        )

    async def subscription_status(self, subscription: str = "SUB-1001") -> str:
        """The status in the company's own records."""
        query = sql("select status from subscriptions where id = :id")
        return await self.company.read(
            lambda connection: str(connection.execute(query, {"id": subscription}).scalar_one())
        )

    async def reach(self, step: str) -> None:
        """Bring the cancellation to the moment just before `step`: code, yes, approve."""
        steps: dict[str, Callable[[], Awaitable[TurnResult]]] = {"ask": lambda: self.say(CANCEL)}

        async def give_code() -> TurnResult:
            return await self.say(await self.code())

        steps["code"] = give_code
        steps["yes"] = lambda: self.say("yes")
        steps["approve"] = self.decide
        for name, take in steps.items():
            if name == step:
                return
            await take()

    async def stored(self) -> Store:
        """The real store, without its switch."""
        return cast(Store, self.store.real)

    def audit_breaks(self) -> tuple[object, ...]:
        """What `handrail audit verify` finds."""
        log = AuditLog(store_url(self.folder))
        try:
            return tuple(log.verify().breaks)
        finally:
            log.close()


def store_url(folder: Path) -> str:
    """The store's address in a data folder."""
    return f"sqlite:///{folder / 'handrail.db'}"


async def prepare_files(folder: Path) -> tuple[Path, Path]:
    """A store with migrations done and a seeded company, to be copied for every test."""
    store_file, company_file = folder / "handrail.db", folder / "company.db"
    clock = Calendar()
    engine = open_engine(company_file)
    seed(engine, OFFICE_HOURS)
    with engine.begin() as connection:
        connection.exec_driver_sql("select 1")
    engine.dispose()
    store = await SqlStore.open(store_url(folder), clock, mask=mask_json, pseudonyms=PSEUDONYMS)
    for customer, values in sample_attributes(OFFICE_HOURS).items():
        await store.put_attributes(SITE, customer, values)
    for customer, events in sample_events(OFFICE_HOURS).items():
        await store.put_events(SITE, customer, events)
    await store.close()
    return store_file, company_file


def copy_files(parts: Parts, folder: Path) -> None:
    """Fresh databases in `folder`."""
    for source in (parts.store_file, parts.company_file):
        for suffix in ("", "-wal", "-shm"):
            part = source.with_name(source.name + suffix)
            if part.exists():
                shutil.copy(part, folder / part.name)


@asynccontextmanager
async def standing(
    parts: Parts,
    folder: Path,
    *,
    model: Model | None = None,
    opinion: SecondOpinion | None = None,
    bundle: Bundle | None = None,
    patience: Patience | None = None,
    fresh: bool = True,
    customer: str | None = MIA,
    turn_seconds: float | None = None,
    masked: frozenset[str] = GRAVE_KINDS,
    remote: McpToolbox | None = None,
) -> AsyncIterator[Stand]:
    """A service on fresh copies of the databases; with `fresh` False on those that lie in `folder`.

    Without an `opinion` nobody is asked for one. `remote` are tools of MCP servers beside those of the company.
    """
    if fresh:
        copy_files(parts, folder)
    bundle = bundle or parts.bundle
    if turn_seconds is not None:
        bundle = with_turn_seconds(bundle, turn_seconds)
    clock = Calendar()
    company = CompanyDatabase(open_engine(folder / "company.db"))
    real = await SqlStore.open(store_url(folder), clock, mask=mask_json, pseudonyms=PSEUDONYMS)
    store = Switch(real)
    toolbox: Toolbox = CompanyToolbox(company, clock)
    if remote is not None:
        toolbox = Toolboxes(toolbox, dict.fromkeys(remote.names, remote))
    switches = {
        "detectors": Switch(parts.detectors),
        "context": Switch(StoredContext(cast(Store, store))),
        "retriever": Switch(parts.retriever),
        "model": Switch(model or QuotingModel()),
        "second_opinion": Switch(opinion or Opinionated()),
        "toolbox": Switch(toolbox),
        "step_up": Switch(CompanyStepUp(company, clock)),
    }
    room = Room(
        bundle=bundle,
        detectors=cast(Detectors, switches["detectors"]),
        context=cast(CustomerContext, switches["context"]),
        retriever=cast(Retriever, switches["retriever"]),
        model=cast(Model, switches["model"]),
        toolbox=cast(Toolbox, switches["toolbox"]),
        step_up=cast(StepUp, switches["step_up"]),
        store=cast(Store, store),
        clock=clock,
        executor=parts.executor,
        draws=Draws(b"a secret of the tests, long enough"),
        patience=patience or Patience(),
        masked=masked,
        sites=(SITE,),
        second_opinion=cast(SecondOpinion, switches["second_opinion"]) if opinion is not None else None,
    )
    service = serving(room, SITE)
    stand = Stand(
        service=service,
        room=room,
        clock=clock,
        folder=folder,
        company=company,
        store=store,
        customer=customer,
        **switches,  # type: ignore[arg-type]
    )
    try:
        if fresh:
            await stand.open(customer)
        yield stand
    finally:
        await real.close()
        await company.close()


def with_turn_seconds(bundle: Bundle, seconds: float) -> Bundle:
    """The bundle with another deadline."""
    limits = bundle.manifest.limits.model_copy(update={"turn_seconds": seconds})
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"limits": limits}))


@dataclass
class Scripted:
    """A model that says and calls what it is told to, whatever it is asked."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, JsonValue]], ...] = ()
    name: str = "scripted"
    seen: list[Prompt] = field(default_factory=list)

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The same draft every time; calls only while the text is empty or no result has come back."""
        self.seen.append(prompt)
        wanted = self.calls if not prompt.results or not self.text else ()
        calls = tuple(
            ToolCall(call_id=f"call-{len(self.seen)}-{number}", tool=tool, arguments=arguments)
            for number, (tool, arguments) in enumerate(wanted)
        )
        return Draft(text="" if calls else self.text, calls=calls, author="model:scripted")


@dataclass
class Opinionated:
    """A second opinion that says what it is told to, whatever it is asked."""

    says: Opinion = NO_OPINION
    name: str = "opinionated"
    asked: list[Enquiry] = field(default_factory=list)

    async def ask(self, enquiry: Enquiry, seconds: float) -> Opinion:
        """The same opinion every time."""
        self.asked.append(enquiry)
        return self.says


def threads(count: int = 4) -> ThreadPoolExecutor:
    """The bounded executor of a worker."""
    return ThreadPoolExecutor(count, thread_name_prefix="flow-test")
