"""Plays scenarios against a service in this process, with the sample base and a fresh sample company each time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from handrail.agent.composition import Substitutes, running
from handrail.agent.conversation import ApprovalState
from handrail.agent.ports import Model
from handrail.agent.room import Patience
from handrail.agent.service import Service
from handrail.evals.forbidden_words import prompt_lines
from handrail.evals.invariants import approval_tools
from handrail.evals.known_past import own_attributes, own_events
from handrail.evals.models import missing
from handrail.evals.observed import Observed, observe
from handrail.evals.own_settings import own_settings
from handrail.evals.record_changes import RecordChange
from handrail.evals.sample_base import ingest_sample
from handrail.evals.sample_company import SampleCompany, sample_company
from handrail.evals.scenario import Behaviour, Scenario
from handrail.evals.substitutes import OfficeClock, Recorder, SwitchCompany, SwitchModel
from handrail.evals.target import StepImpossible
from handrail.evals.writes import write_tools
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import IdentityLevel, TurnResult

OPERATOR = "scenario-operator"
CHANNEL = "web"

MODEL_SECONDS = 3.0
"""How long a model may take: the embedded one and the stand-ins answer at once, and a stalling one never does."""

_DECISIONS = {"approve": ApprovalState.APPROVED, "deny": ApprovalState.DENIED}


@dataclass(slots=True)
class Lane:
    """One service that plays one conversation at a time."""

    service: Service
    model: SwitchModel
    company: SwitchCompany
    clock: OfficeClock
    folder: Path


@dataclass(slots=True)
class InProcess:
    """Some lanes of the same bundle. Each conversation gets a site and a company of its own, so none sees another."""

    bundle: Bundle
    models: Mapping[Behaviour, Model]
    lanes: tuple[Lane, ...]
    free: asyncio.Queue[Lane] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        for lane in self.lanes:
            self.free.put_nowait(lane)

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
        """Let the models of all lanes behave like that."""
        for lane in self.lanes:
            lane.model.current = self.models[behaviour]
        yield

    @asynccontextmanager
    async def begin(self, scenario: Scenario) -> AsyncIterator[InProcessDialogue]:
        """Open a conversation of a site that has only this scenario's customers, as the sample has them."""
        lane = await self.free.get()
        path = lane.folder / f"company-{secrets.token_hex(6)}.db"
        try:
            async with sample_company(path, lane.clock, scenario.planted) as company:
                recorder = lane.company.use(company.toolbox, company.step_up, write_tools(self.bundle))
                site = f"case-{secrets.token_hex(6)}"
                await _tell(lane, company, site, scenario)
                customer = scenario.customer_id
                level = IdentityLevel.ANONYMOUS if customer is None else IdentityLevel.IDENTIFIED
                conversation = await lane.service.open(site, CHANNEL, customer, level)
                yield InProcessDialogue(lane.service, company, recorder, site, conversation, customer)
        finally:
            for leftover in lane.folder.glob(f"{path.name}*"):
                leftover.unlink(missing_ok=True)
            self.free.put_nowait(lane)


@dataclass(slots=True)
class InProcessDialogue:
    """One conversation with the service."""

    service: Service
    company: SampleCompany
    recorder: Recorder
    site: str
    conversation: str
    customer: str | None

    async def say(self, text: str) -> Observed:
        """The customer writes."""
        key = secrets.token_hex(8)
        return self._observed(await self.service.say(self.site, self.conversation, self.customer, text, key))

    async def press(self) -> Observed:
        """The customer presses the button for a person."""
        key = secrets.token_hex(8)
        return self._observed(await self.service.ask_for_person(self.site, self.conversation, self.customer, key))

    async def decide(self, decision: Literal["approve", "deny"]) -> Observed:
        """An operator decides on the call that waits in this conversation."""
        pending = await self.service.store.approvals(self.site, ApprovalState.PENDING)
        waiting = [one for one in pending if one.conversation_id == self.conversation]
        if not waiting:
            raise StepImpossible("no call waits for approval, so there is nothing to decide")
        result = await self.service.decide(self.site, waiting[-1].approval_id, _DECISIONS[decision], OPERATOR)
        return self._observed(result)

    async def code(self) -> str:
        """The code that was sent last."""
        found = None if self.customer is None else await self.company.outbox.latest_code(self.customer)
        if found is None:
            raise StepImpossible("no code was sent to the customer")
        return found

    async def changes(self) -> tuple[RecordChange, ...]:
        """What has changed in the company's records."""
        return await self.company.changes()

    def _observed(self, result: TurnResult) -> Observed:
        bundle = self.service.bundle
        segments = {entry.id: entry.reason for entry in bundle.entries.values()}
        return observe(result, segments, write_tools(bundle), calls=self.recorder.take())


@asynccontextmanager
async def in_process(
    models: Mapping[Behaviour, Model], lanes: int = 1, model_seconds: float = MODEL_SECONDS
) -> AsyncIterator[InProcess]:
    """A target in a temporary folder with the sample base; everything is gone when it closes.

    A model that has not answered after `model_seconds` is given up.
    """
    async with AsyncExitStack() as until:
        # ignore_cleanup_errors: SQLite may still be letting go of a file that is about to be deleted anyway.
        folder = Path(until.enter_context(TemporaryDirectory(prefix="handrail-eval-", ignore_cleanup_errors=True)))
        await asyncio.to_thread(ingest_sample, folder / "kb")
        opened = [
            await until.enter_async_context(_lane(folder, number, models, model_seconds)) for number in range(lanes)
        ]
        if len({lane.service.bundle.revision for lane in opened}) > 1:
            raise ConfigError(["the bundle was changed while the run was starting; start it again"])
        yield InProcess(opened[0].service.bundle, models, tuple(opened))


@asynccontextmanager
async def _lane(
    folder: Path, number: int, models: Mapping[Behaviour, Model], model_seconds: float
) -> AsyncIterator[Lane]:
    data = folder / f"lane-{number}"
    data.mkdir()
    (data / "kb").symlink_to(folder / "kb", target_is_directory=True)
    model, company, clock = SwitchModel(models[Behaviour.EMBEDDED]), SwitchCompany(), OfficeClock()
    substitutes = Substitutes(
        clock=clock, model=model, toolbox=company, step_up=company, patience=Patience(model=model_seconds)
    )
    async with running(own_settings(data), substitutes) as service:
        yield Lane(service, model, company, clock, data)


async def _tell(lane: Lane, company: SampleCompany, site: str, scenario: Scenario) -> None:
    """Put what the sample knows of every customer into the site, and the scenario's own facts over it."""
    store, now = lane.service.store, lane.clock.now()
    for customer, values in company.attributes.items():
        await store.put_attributes(site, customer, values)
    for customer, events in company.events.items():
        await store.put_events(site, customer, events)
    if scenario.customer_id is None:
        return
    overrides = own_attributes(scenario, lane.service.bundle.attributes, now)
    if overrides:
        await store.put_attributes(site, scenario.customer_id, overrides)
    past = own_events(scenario, now)
    if past:
        await store.put_events(site, scenario.customer_id, past)
