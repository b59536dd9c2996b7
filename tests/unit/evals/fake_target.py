"""A target that answers from a script, for tests of the runner."""

from collections.abc import AsyncIterator, Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from handrail.evals.company_call import CompanyCall
from handrail.evals.observed import Observed
from handrail.evals.record_changes import RecordChange
from handrail.evals.scenario import Behaviour, Scenario
from handrail.evals.target import Dialogue, StepImpossible
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Effect,
    Handoff,
    Obligation,
    Priority,
    Stage,
    ToolCall,
    ToolOutcome,
)

REVISION = "abc"


def decision(
    stage: Stage = Stage.APPLY_POLICY,
    subject: str = "turn",
    effect: Effect = Effect.ALLOW,
    obligations: tuple[Obligation, ...] = (),
    revision: str = REVISION,
) -> Decision:
    """A decision with a reason."""
    return Decision(
        stage=stage,
        subject=subject,
        effect=effect,
        reasons=("POLICY_NEED_SERVED",),
        obligations=obligations,
        revision=revision,
    )


def seen(reply: str = "Hello.", **more: object) -> Observed:
    """A turn in which nothing special happened, with `more` over it."""
    plain: dict[str, object] = {
        "reply": reply,
        "status": ConversationStatus.BOT,
        "reasons": ("POLICY_NEED_SERVED",),
        "segments": (),
        "sources": (),
        "decisions": (decision(),),
    }
    return Observed.model_validate(plain | more)


def packet(**more: object) -> Handoff:
    """A handoff packet with `more` over it."""
    plain: dict[str, object] = {
        "handoff_id": "h1",
        "wants": "money back",
        "reasons": ("HUMAN_REQUESTED",),
        "next_step": "look",
        "queue": "general",
        "priority": Priority.NORMAL,
        "identity": "identified",
    }
    return Handoff.model_validate(plain | more)


def scenario(**more: object) -> Scenario:
    """A scenario of one turn, with `more` over it."""
    plain: dict[str, object] = {
        "id": "sample",
        "title": "A sample",
        "spec": ["S15.1"],
        "customer": "anonymous",
        "wordings": {"opening": ["one", "two", "three", "four", "five"]},
        "turns": [{"say": "{opening}", "expect": {"status": ["bot"]}}],
    }
    return Scenario.model_validate(plain | more)


def company_call(tool: str, customer: str = "dana", key: str = "k1", **arguments: JsonValue) -> CompanyCall:
    """A write that the company carried out."""
    return CompanyCall(
        call=ToolCall(call_id="c", tool=tool, arguments=arguments),
        customer_id=customer,
        key=key,
        access=Access.WRITE,
        outcome=ToolOutcome.SUCCEEDED,
    )


@dataclass(slots=True)
class FakeDialogue:
    """Answers every message by the script; raises what the script holds instead of an answer."""

    answer: Callable[[str], Observed]
    sent: str | None = None
    changed: tuple[RecordChange, ...] = ()

    async def changes(self) -> tuple[RecordChange, ...]:
        """The changes of the script."""
        return self.changed

    async def say(self, text: str) -> Observed:
        """The scripted answer."""
        return self.answer(text)

    async def press(self) -> Observed:
        """The scripted answer to the button."""
        return self.answer("<button>")

    async def decide(self, decision: Literal["approve", "deny"]) -> Observed:
        """The scripted answer to an operator."""
        return self.answer(f"<{decision}>")

    async def code(self) -> str:
        """The code of the script."""
        if self.sent is None:
            raise StepImpossible("no code was sent to the customer")
        return self.sent


@dataclass(slots=True)
class FakeTarget:
    """Opens fake dialogues and notes which behaviour was current while each was open."""

    answer: Callable[[str], Observed]
    missing: Mapping[Behaviour, str] = field(default_factory=dict)
    sent: str | None = None
    changed: tuple[RecordChange, ...] = ()
    current: Behaviour | None = None
    played: list[tuple[str, Behaviour | None]] = field(default_factory=list)

    @property
    def revision(self) -> str | None:
        """The bundle of the script."""
        return REVISION

    @property
    def needs_approval(self) -> AbstractSet[str]:
        """The tools that need approval."""
        return frozenset({"issue_refund"})

    @property
    def prompt(self) -> tuple[str, ...]:
        """A line of the script's system text."""
        return ("the system text of the script",)

    def lacks(self, scenario: Scenario, behaviour: Behaviour) -> str | None:
        """Why a behaviour is missing."""
        return self.missing.get(behaviour)

    @asynccontextmanager
    async def behaving(self, behaviour: Behaviour) -> AsyncIterator[None]:
        """Note the behaviour."""
        self.current = behaviour
        yield
        self.current = None

    @asynccontextmanager
    async def begin(self, scenario: Scenario) -> AsyncIterator[Dialogue]:
        """A dialogue with the script."""
        self.played.append((scenario.id, self.current))
        yield FakeDialogue(self.answer, self.sent, self.changed)
