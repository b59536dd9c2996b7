"""Plays scenarios against a server that runs already: one model, one company, and what has happened to it stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from handrail.evals.forbidden_words import prompt_lines
from handrail.evals.invariants import approval_tools
from handrail.evals.known_server import KnownServer
from handrail.evals.scenario import Behaviour, Operate, Scenario, StepUp
from handrail.evals.target import Dialogue

ELSEWHERE = "`handrail eval --over http` plays it on a server of its own"


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """A running server. `serves` is how its model behaves: scenarios with other models are not run."""

    server: KnownServer
    serves: Behaviour = Behaviour.EMBEDDED

    @property
    def revision(self) -> str | None:
        """The bundle of this checkout; a server that decides by another one fails every scenario."""
        return self.server.bundle.revision

    @property
    def needs_approval(self) -> AbstractSet[str]:
        """The tools that may run only with a person's approval."""
        return approval_tools(self.server.bundle.policy)

    @property
    def prompt(self) -> tuple[str, ...]:
        """Lines of the system text, folded."""
        return prompt_lines(self.server.bundle)

    def lacks(self, scenario: Scenario, behaviour: Behaviour) -> str | None:
        """Why the scenario cannot be played here."""
        if behaviour is not self.serves:
            return f"the server has one model, which is {self.serves.value}, and the case needs another; {ELSEWHERE}"
        if any(isinstance(turn, Operate) and turn.operator == "approve" for turn in scenario.turns):
            return f"what an approved call changes in the server's company stays changed; {ELSEWHERE}"
        if scenario.planted is not None:
            return f"what is planted in the server's company stays planted; {ELSEWHERE}"
        if self.server.witnesses.codes is None and any(isinstance(turn, StepUp) for turn in scenario.turns):
            return "the outbox of the company is out of reach, so the code cannot be read"
        return None

    def behaving(self, behaviour: Behaviour) -> AbstractAsyncContextManager[None]:
        """Nothing to switch: `lacks` lets only one behaviour through."""
        return nullcontext()

    @asynccontextmanager
    async def begin(self, scenario: Scenario) -> AsyncIterator[Dialogue]:
        """A conversation with the server."""
        yield await self.server.open(scenario)
