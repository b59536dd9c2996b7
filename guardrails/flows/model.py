"""Guided flows as data: what a YAML file of `policies/flows` may say (spec S4.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import Field, JsonValue, model_validator

from handrail.guardrails.vocabulary import Frozen, NeedState

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=60)]
Texts: TypeAlias = Annotated[dict[str, str], Field(min_length=1)]
"""A customer text per language."""

Words: TypeAlias = Annotated[dict[str, Annotated[tuple[str, ...], Field(min_length=1)]], Field(min_length=1)]
"""Words and phrases per language."""


TextT = TypeVar("TextT")


def said_in(texts: Mapping[str, TextT], language: str | None) -> TextT:
    """The entry for `language`, or else the first one."""
    chosen = texts.get(language) if language is not None else None
    return next(iter(texts.values())) if chosen is None else chosen


class Extract(StrEnum):
    """How a value is found in what the customer writes; see `extract.EXTRACTORS`."""

    INVOICE_ID = "invoice_id"
    DATE = "date"
    AMOUNT = "amount"
    LAST_FOUR = "last_four"
    EMAIL = "email"
    CHOICE = "choice"
    PATTERN = "pattern"
    FREE_TEXT = "free_text"


class Option(Frozen):
    """One choice: its value, the words that mean it, a label for a quick reply, and the intents that mean it."""

    value: Name
    label: Texts
    words: Words
    intents: tuple[Name, ...] = ()


class FieldSpec(Frozen):
    """One thing to find out. `many` keeps every distinct value of a message, joined by a comma."""

    name: Name
    label: Texts
    extract: Extract
    required: bool = True
    many: bool = False
    options: tuple[Option, ...] = ()
    pattern: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> FieldSpec:
        if (self.extract is Extract.CHOICE) != bool(self.options):
            raise ValueError("a choice needs options, and only a choice has them")
        if (self.extract is Extract.PATTERN) != (self.pattern is not None):
            raise ValueError("extract: pattern needs a pattern, and nothing else has one")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return self


class Cases(Frozen):
    """Where a collect step goes by the value of a choice; a value without a case goes to `next`."""

    field: Name
    to: Annotated[dict[Name, Name], Field(min_length=1)]


class Collect(Frozen):
    """Asks in one message for everything that is missing.

    `incomplete` is where it goes when required fields are still missing after `max_asks` questions (default: `next`).
    """

    kind: Literal["collect"]
    id: Name
    ask: Texts
    again: Texts
    fields: Annotated[tuple[FieldSpec, ...], Field(min_length=1)]
    max_asks: Annotated[int, Field(ge=1, le=3)] = 2
    cases: Cases | None = None
    incomplete: Name | None = None
    next: Name


class Instruct(Frozen):
    """One checklist step and a yes-or-no question about it; `replies` are the labels of yes and no, in this order.

    `tried` says to an operator what was done. `topic` says what passages would illustrate the step. `unclear` is where
    two unclear answers lead (default: `no`).
    """

    kind: Literal["instruct"]
    id: Name
    text: Texts
    items: tuple[Texts, ...] = ()
    check: Texts
    topic: str | None = None
    tried: str
    replies: tuple[Texts, Texts]
    yes: Name
    no: Name
    unclear: Name | None = None


class Verify(Frozen):
    """Asks whether the matter is solved. Yes goes on; no is a failed attempt at what `tried` names."""

    kind: Literal["verify"]
    id: Name
    question: Texts
    tried: str
    replies: tuple[Texts, Texts]
    yes: Name
    no: Name


class Argument(Frozen):
    """Where an argument of a proposed call comes from: a slot, a verified record, or a fixed value."""

    slot: Name | None = None
    known: Name | None = None
    fixed: JsonValue = None

    @model_validator(mode="after")
    def _one_source(self) -> Argument:
        if len([source for source in (self.slot, self.known, self.fixed) if source is not None]) != 1:
            raise ValueError("give exactly one of slot, known and fixed")
        return self


ResultPath = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.([a-z][a-z0-9_]*|[0-9]{1,2}))*$", max_length=120)]
"""Where in a result a value stands: names of fields and positions in lists, such as `incidents.0.title`."""


class Propose(Frozen):
    """Proposes a tool call; the gate decides. `keep` takes atomic fields of the result into slots, by their path.

    `refused` is where a refusal or a failure leads; `missing` where it goes when an argument has no value (default:
    `refused`). `tried` says to an operator what the call is for.
    """

    kind: Literal["propose"]
    id: Name
    tool: Name
    arguments: dict[Name, Argument] = {}
    keep: dict[Name, ResultPath] = {}
    tried: str
    next: Name
    refused: Name
    missing: Name | None = None


class HandOff(Frozen):
    """Ends the flow with a person; `reason` says why."""

    kind: Literal["hand_off"]
    id: Name
    text: Texts
    reason: Code


class Done(Frozen):
    """Ends the flow as solved. Only a verify step that was answered with yes leads here."""

    kind: Literal["done"]
    id: Name
    text: Texts


Step: TypeAlias = Annotated[Collect | Instruct | Verify | Propose | HandOff | Done, Field(discriminator="kind")]


class FlowSpec(Frozen):
    """One guided flow.

    `max_failed_attempts` ends it with a person; from `offer_person_after` failed attempts on every step offers one.
    `unclear` introduces a question that is asked again, `exhausted` is said when the attempts are used up, and
    `card_refused` when the customer sent a whole card number.
    """

    id: Name
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: str
    need_states: Annotated[tuple[NeedState, ...], Field(min_length=1)]
    max_failed_attempts: Annotated[int, Field(ge=1, le=5)]
    offer_person_after: Annotated[int, Field(ge=0, le=5)] | None = None
    unclear: Texts
    exhausted: Texts
    card_refused: Texts
    entry: Name
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    def step(self, name: str) -> Step | None:
        """The step called `name`."""
        return next((step for step in self.steps if step.id == name), None)

    def slots(self) -> frozenset[str]:
        """Every name under which this flow can hold a value."""
        collected = {field.name for step in self.steps if isinstance(step, Collect) for field in step.fields}
        kept = {slot for step in self.steps if isinstance(step, Propose) for slot in step.keep}
        return frozenset(collected | kept)
