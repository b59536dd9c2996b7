"""Ports for runs in process: a model and a company that can be changed between conversations, and an office clock."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from handrail.agent.ports import CallFacts, Listener, Model, PortError, Prompt, StepUp, Toolbox, ToolRefused
from handrail.evals.company_call import CompanyCall
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Draft, ToolCall, ToolOutcome

OFFICE_HOURS = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
"""A Tuesday on which every queue of the sample is open, so that a run does not depend on the hour it is started."""


class OfficeClock:
    """Starts at `OFFICE_HOURS` and goes on at the speed of real time."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def now(self) -> datetime:
        """The current instant of the run."""
        return OFFICE_HOURS + timedelta(seconds=time.monotonic() - self._started)


class SwitchModel:
    """Hands every call to the model that is current."""

    def __init__(self, first: Model) -> None:
        self.current = first

    @property
    def name(self) -> str:
        """Name of the current model."""
        return self.current.name

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """A draft of the current model."""
        return await self.current.complete(prompt, seconds, listener)


@dataclass(slots=True)
class Recorder:
    """Notes every call that reaches the company: a witness that does not depend on what Handrail says."""

    toolbox: Toolbox
    writes: AbstractSet[str]
    calls: list[CompanyCall] = field(default_factory=list)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Run the call, and note it with how it ended."""
        outcome = ToolOutcome.UNKNOWN
        try:
            answer = await self.toolbox.execute(call, customer_id, key)
            outcome = ToolOutcome.SUCCEEDED
        except ToolRefused:
            outcome = ToolOutcome.FAILED
            raise
        finally:
            access = Access.WRITE if call.tool in self.writes else Access.READ
            made = CompanyCall(call=call, customer_id=customer_id, key=key, access=access, outcome=outcome)
            self.calls.append(made)
        return answer

    def take(self) -> tuple[CompanyCall, ...]:
        """The calls since the last time this was asked."""
        taken = tuple(self.calls)
        self.calls.clear()
        return taken


class SwitchCompany:
    """The toolbox and the step-up of the company that is current. Implements both ports."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._step_up: StepUp | None = None

    def use(self, toolbox: Toolbox, step_up: StepUp, writes: AbstractSet[str]) -> Recorder:
        """Make this company current; returns the witness of its writes."""
        self._recorder, self._step_up = Recorder(toolbox, writes), step_up
        return self._recorder

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """Facts of the current company."""
        return await self._current().toolbox.call_facts(call, customer_id)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Run the call in the current company."""
        return await self._current().execute(call, customer_id, key)

    async def outcome(self, key: str) -> JsonValue:
        """What the current company recorded under `key`."""
        return await self._current().toolbox.outcome(key)

    async def start(self, customer_id: str, key: str) -> str:
        """Send a code from the current company."""
        return await self._verifier().start(customer_id, key)

    async def check(self, customer_id: str, code: str, key: str) -> bool:
        """Whether the code is the current company's."""
        return await self._verifier().check(customer_id, code, key)

    def _current(self) -> Recorder:
        if self._recorder is None:
            raise PortError("no company has been opened yet")
        return self._recorder

    def _verifier(self) -> StepUp:
        if self._step_up is None:
            raise PortError("no company has been opened yet")
        return self._step_up
