"""The process that is killed: it finishes what a dead one has begun, and serves one customer's matter to its end.

Service, graph, gate, store, journal and company are the real ones. Detection is read from the order, because it is
slow to load and stores nothing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from handrail.agent.audit.pseudonyms import Pseudonyms, load_secret
from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.company.step_up import CompanyStepUp
from handrail.agent.company.toolbox import CompanyToolbox
from handrail.agent.composition import Substitutes, bundle_of, running
from handrail.agent.conversation import ApprovalState
from handrail.agent.ports import CallFacts, Detectors, Listener, PortError, Prompt, StepUp, Toolbox
from handrail.agent.service import Service
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import ApprovalClosed, ApproverBarred, Store
from handrail.evals.chaos.matters import Matter, Step
from handrail.evals.chaos.tripwire import Tripwire, Wired
from handrail.evals.own_settings import own_settings
from handrail.evals.writes import write_tools
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.masking import mask_json
from handrail.guardrails.scope import Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Detection, Draft, Frozen, Signal, ToolCall

RECOVERY = "recovery"
"""The scene until everything that a dead process had begun is finished; then the scenes are the steps of the matter."""

SOME_CODE = "314159"
"""Stands for every code in the readings: detection sees six digits, whichever they are."""

STORED = frozenset({"receive", "begin_operator_turn", "decide_approval", "intend", "conclude", "finish", "resume"})
RAN = frozenset({"execute"})
CHECKED = frozenset({"start", "check"})
OPERATORS = {Step.APPROVE: "operator-1", Step.APPROVE_TOO: "operator-2", Step.DENY: "operator-1"}


class Said(StrEnum):
    """What the process tells its parent."""

    SERVING = "serving"
    STOPPED = "stopped"
    RECOVERED = "recovered"
    DONE = "done"


class Order(Frozen):
    """What a process is started for. `stop_at` numbers the point at which it stops and waits to be killed.

    With `pausing` it says when everything is recovered, and goes on when it is told to. With `deaf` nobody answers what
    became of a call. `readings` are what detection says, by message.
    """

    folder: Path
    site: str
    conversation: str
    matter: Matter
    readings: Mapping[str, Detection]
    at: datetime
    stop_at: int | None = None
    pausing: bool = False
    deaf: bool = False


@dataclass(slots=True)
class RunningClock:
    """Goes on from an instant at the speed of real time, and jumps when it is told to."""

    at: datetime
    began: float

    def now(self) -> datetime:
        """The current instant."""
        return self.at + timedelta(seconds=time.monotonic() - self.began)

    def move(self, much: timedelta) -> None:
        """Let time pass."""
        self.at += much


@dataclass(frozen=True, slots=True)
class KnownReadings:
    """Detectors that have read every message before, and find instructions in none. Implements Detectors."""

    readings: Mapping[str, Detection]
    passage_screen: str = "nothing found"

    def detect(self, text: str, earlier: Sequence[str] = ()) -> Detection:
        """The reading that is known."""
        return self.readings[SOME_CODE if text.isdecimal() else text]

    def screen_passage(self, text: str) -> tuple[Signal, ...]:
        """No signals."""
        return ()

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        """No signals: the company's own records hold no instructions."""
        return ()


class NoArticles:
    """A base without articles. Implements Retriever."""

    async def search(self, query: str, scope: ScopePlan, limit: int) -> Retrieved:
        """Nothing."""
        return Retrieved(passages=(), good=0, eligible_documents=0, excluded={}, revision="none")

    async def titles(self, doc_ids: Sequence[str]) -> dict[str, str]:
        """None."""
        return {}


@dataclass(frozen=True, slots=True)
class Proposing:
    """A model that proposes one call until it has got an answer to it. Implements Model."""

    wanted: ToolCall
    name: str = "proposing"

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The call, or a few words."""
        if any(result.call.tool == self.wanted.tool for result in prompt.results):
            return Draft(text="Is there anything else that I can look up?", author="model:proposing")
        call = self.wanted.model_copy(update={"call_id": f"call-{secrets.token_hex(4)}"})
        return Draft(text="", calls=(call,), author="model:proposing")


@dataclass(frozen=True, slots=True)
class Forgetful:
    """A company that heeds no keys: asked twice it does it twice, and it cannot tell what it has done before."""

    inner: Toolbox

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """The company's own facts."""
        return await self.inner.call_facts(call, customer_id)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Do it, whatever was done before."""
        return await self.inner.execute(call, customer_id, secrets.token_hex(16))

    async def outcome(self, key: str) -> JsonValue:
        """Nobody knows."""
        return None


@dataclass(frozen=True, slots=True)
class Writes:
    """A toolbox whose writes go through `wired`, while reads go past it: nothing is lost with a read."""

    real: Toolbox
    wired: Toolbox
    names: frozenset[str]
    deaf: bool

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """The facts of the call."""
        return await self.real.call_facts(call, customer_id)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Run the call."""
        through = self.wired if call.tool in self.names else self.real
        return await through.execute(call, customer_id, key)

    async def outcome(self, key: str) -> JsonValue:
        """What was recorded under the key."""
        if self.deaf:
            raise PortError("nobody answers")
        return await self.real.outcome(key)


@dataclass(frozen=True, slots=True)
class Serving:
    """A service that is open, with the clock and the company behind it."""

    service: Service
    clock: RunningClock
    outbox: Outbox


def bundle_for(folder: Path, matter: Matter) -> Bundle:
    """The bundle of the settings; where the company is forgetful, the tool is declared as one that cannot be asked."""
    bundle = bundle_of(own_settings(folder))
    if not matter.forgetful:
        return bundle
    spec = bundle.tools[matter.call.tool].model_copy(update={"idempotent": False})
    return replace(bundle, tools={**bundle.tools, spec.id: spec})


@asynccontextmanager
async def open_service(order: Order, wire: Tripwire) -> AsyncIterator[Serving]:
    """The service of the order's folder, wired; turns of a dead process are finished when it is open."""
    settings = own_settings(order.folder)
    clock = RunningClock(order.at, time.monotonic())
    bundle = bundle_for(order.folder, order.matter)
    company = CompanyDatabase(open_engine(settings.company_file))
    pseudonyms = Pseudonyms(load_secret(settings.data_dir))
    store = await SqlStore.open(settings.database_url, clock, mask=mask_json, pseudonyms=pseudonyms)
    toolbox: Toolbox = CompanyToolbox(company, clock)
    if order.matter.forgetful:
        toolbox = Forgetful(toolbox)
    wired = cast(Toolbox, Wired(toolbox, wire, RAN))
    substitutes = Substitutes(
        bundle=bundle,
        clock=clock,
        model=Proposing(order.matter.call),
        detectors=cast(Detectors, KnownReadings(order.readings)),
        retriever=NoArticles(),
        toolbox=Writes(toolbox, wired, frozenset(write_tools(bundle)), order.deaf),
        step_up=cast(StepUp, Wired(CompanyStepUp(company, clock), wire, CHECKED)),
        store=cast(Store, Wired(store, wire, STORED)),
    )
    try:
        async with running(settings, substitutes) as service:
            yield Serving(service, clock, Outbox(company))
    finally:
        await company.close()


async def take(step: Step, order: Order, serving: Serving) -> None:
    """Take one step of the matter. A step that was taken before changes nothing: everybody repeats what they did."""
    if step in OPERATORS:
        await _decide(step, order, serving.service)
        return
    texts = {Step.ASK: order.matter.asking, Step.YES: "yes"}
    text = texts.get(step) or await serving.outbox.latest_code(order.matter.customer) or SOME_CODE
    await serving.service.say(order.site, order.conversation, order.matter.customer, text, step.value)


async def _decide(step: Step, order: Order, service: Service) -> None:
    """Decide what waits, as the same operator as before; one whose decision was stored may have to repeat it."""
    decision = ApprovalState.DENIED if step is Step.DENY else ApprovalState.APPROVED
    by = OPERATORS[step]
    for held in await service.store.approvals(order.site):
        if held.state is ApprovalState.PENDING or (held.state is decision and held.decided_by == by):
            with suppress(ApprovalClosed, ApproverBarred):
                await service.decide(order.site, held.approval_id, decision, by)


async def serve(pipe: Connection, order: Order) -> None:
    """Do what the order says, and tell the parent how far it is."""

    def stopping(point: str) -> None:
        pipe.send((Said.STOPPED, point))

    wire = Tripwire(order.stop_at, stopping, scene=RECOVERY)
    wire.watch_commits()
    pipe.send((Said.SERVING, ""))
    async with open_service(order, wire) as serving:
        if order.pausing:
            # A decision that was stored and not carried out is left to its operator for a minute.
            serving.clock.move(timedelta(minutes=2))
            await serving.service.tend()
            pipe.send((Said.RECOVERED, ""))
            await asyncio.to_thread(pipe.recv)
        for step in order.matter.steps:
            wire.scene = step
            await take(step, order, serving)
            wire.cross("idle")
    pipe.send((Said.DONE, "\n".join(wire.passed)))


def work(pipe: Connection, order: str) -> None:
    """Serve an order in a process of its own."""
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(pipe, Order.model_validate_json(order)))
