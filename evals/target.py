"""What a runner plays scenarios against: a service in this process, or a server at a URL."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from handrail.evals.observed import Observed
from handrail.evals.record_changes import RecordChange
from handrail.evals.scenario import Behaviour, Scenario
from handrail.guardrails.errors import HandrailError


class StepImpossible(HandrailError):
    """A step of a scenario cannot be taken, because the service did not do what the step builds on."""


class Dialogue(Protocol):
    """One fresh conversation of one customer."""

    async def say(self, text: str) -> Observed:
        """The customer writes `text`."""
        ...

    async def press(self) -> Observed:
        """The customer presses the button for a person."""
        ...

    async def decide(self, decision: Literal["approve", "deny"]) -> Observed:
        """An operator decides on the call that waits; StepImpossible when none does."""
        ...

    async def code(self) -> str:
        """The code that was sent to the customer last; StepImpossible when none was."""
        ...

    async def changes(self) -> tuple[RecordChange, ...]:
        """What has changed in the company's records since the conversation began; nothing where nobody can look."""
        ...


class Target(Protocol):
    """Where scenarios are played.

    `revision` is the bundle that must decide, or None when it cannot be known; `needs_approval` are the tools that this
    bundle lets run only with a person's approval.
    """

    @property
    def revision(self) -> str | None:
        """The bundle that must decide."""
        ...

    @property
    def needs_approval(self) -> AbstractSet[str]:
        """The tools that may run only with a person's approval."""
        ...

    @property
    def prompt(self) -> tuple[str, ...]:
        """Lines of the system text that no customer may read, folded."""
        ...

    def lacks(self, scenario: Scenario, behaviour: Behaviour) -> str | None:
        """Why `scenario` cannot be played here with a model that behaves so, or None when it can."""
        ...

    def behaving(self, behaviour: Behaviour) -> AbstractAsyncContextManager[None]:
        """While this is open, the model behaves like that; conversations of one behaviour only run in it."""
        ...

    def begin(self, scenario: Scenario) -> AbstractAsyncContextManager[Dialogue]:
        """A fresh conversation, with the scenario's customer as it is before anything has happened."""
        ...
