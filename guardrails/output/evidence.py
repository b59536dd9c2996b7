"""What a reply may rest on, and what the checks report about it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from handrail.guardrails.vocabulary import Frozen, Obligation, Passage, Span, ToolOutcome, ToolResult


class CommitmentKind(StrEnum):
    """What a reply binds the company to."""

    MONEY = "money"
    WAIVER = "waiver"
    GUARANTEE = "guarantee"
    DEADLINE = "deadline"
    ACTION = "action"
    PERSONAL = "personal"
    LEGAL = "legal"


class AllowedCommitment(Frozen):
    """A commitment that policy allows, in the words that make it up ("reply within 1 business day").

    A sentence is covered when it says all these words and no value beyond them; announcing the thing (`We will reply`,
    kind action) is covered with it.
    """

    kind: CommitmentKind
    text: Annotated[str, Field(min_length=3)]


class PersonState(StrEnum):
    """Whether a person was asked for, and whether the conversation has really been handed over."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    HANDED_OFF = "handed_off"


class Evidence(Frozen):
    """Everything a reply of this turn may rest on. What is not in here counts as made up.

    `promised` are commitments that earlier turns released: they may be said again, and nothing may contradict them.
    `actions` are write calls with their outcome; only succeeded ones back a claim. `own` are names, e-mails and ids
    that belong to the customer. `shown` are ids of passages that an earlier turn showed; `earlier_replies` the texts
    of the bot in this conversation. `said` is the beginning of this very reply, when the model was asked to go on from
    it: none of its sentences may come again. `tool_ids` are names that a model knows and no customer does. `now` is
    the day of the turn (UTC).
    """

    passages: tuple[Passage, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()
    actions: tuple[ToolResult, ...] = ()
    customer_texts: tuple[str, ...] = ()
    fixed_texts: tuple[str, ...] = ()
    allowed: tuple[AllowedCommitment, ...] = ()
    promised: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    earlier_replies: tuple[str, ...] = ()
    said: str = ""
    system_prompt: str = ""
    tool_ids: tuple[str, ...] = ()
    person: PersonState = PersonState.NOT_ASKED
    obligations: tuple[Obligation, ...] = ()
    now: date

    def readable(self) -> tuple[Passage, ...]:
        """The passages that may be a source. INVARIANT: one that addresses the model is none."""
        return tuple(passage for passage in self.passages if not passage.flagged)

    def succeeded(self) -> tuple[ToolResult, ...]:
        """The write calls that really happened."""
        return tuple(result for result in self.actions if result.outcome is ToolOutcome.SUCCEEDED)


class Finding(Frozen):
    """One thing wrong with a reply: catalogue code, place, sentence, and a word for operators without personal data."""

    code: str
    span: Span
    sentence: int
    detail: str
