"""Where a guided flow stands between turns, what a customer answered, and what one step of it came to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from handrail.guardrails.vocabulary import CollectedFact, Frozen, Obligation, ToolCall, ToolResult


class FlowPlace(Frozen):
    """Where a guided flow stands: its version, the step, failed attempts, times the step was asked, what was collected.

    `slots` holds collected values by name; `sources` says for each slot which message, record or call it came from.
    """

    flow: str
    step: str
    version: str = ""
    attempts: int = 0
    asks: int = 0
    slots: dict[str, str] = {}
    sources: dict[str, str] = {}


class Said(Frozen):
    """A message of the customer, by its id."""

    message_id: str
    text: str


class FlowAnswer(Frozen):
    """All that a flow may know of a turn.

    `messages` are the customer's, oldest first, the current one last. `signals` are the codes that detectors reported
    of the current message only, `intent` is its fine intent. `known` are values from verified records, by name.
    `result` is set when the call that the flow proposed has been decided or run.
    """

    messages: Annotated[tuple[Said, ...], Field(min_length=1)]
    signals: frozenset[str] = frozenset()
    known: dict[str, str] = {}
    result: ToolResult | None = None
    intent: str | None = None
    language: str | None = None

    @property
    def current(self) -> Said:
        """The message that this turn is about."""
        return self.messages[-1]


class FlowEvent(StrEnum):
    """What the caller has to do after a step."""

    CONTINUE = "continue"
    PROPOSE = "propose"
    HAND_OFF = "hand_off"
    DONE = "done"


class FlowStep(Frozen):
    """What `advance` came to.

    `place` is None when the flow has ended. `say` are paragraphs and `checklist` their items, for the customer.
    `collected` is everything the flow holds so far, each with its source; `tried` is what this turn showed to have
    failed or to have been done. `topic` is what passages to a checklist step would be about. `call` is set exactly when
    the event is `propose`; it goes through the tool gate like any other call.
    """

    flow: str
    place: FlowPlace | None
    event: FlowEvent
    reasons: Annotated[tuple[str, ...], Field(min_length=1)]
    say: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    quick_replies: tuple[str, ...] = ()
    call: ToolCall | None = None
    collected: tuple[CollectedFact, ...] = ()
    tried: tuple[str, ...] = ()
    topic: str | None = None
    obligations: tuple[Obligation, ...] = ()

    @property
    def text(self) -> str:
        """Paragraphs, then the checklist (in front of the last paragraph when that one asks), as plain text."""
        items = "\n".join(f"- {item}" for item in self.checklist)
        *before, last = self.say or ("",)
        asks = bool(before) and last.endswith("?")
        parts = [*before, items, last] if asks else [*before, last, items]
        return "\n\n".join(part for part in parts if part)
