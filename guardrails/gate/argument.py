"""One argument of a tool: its type, its bounds, and where its value may come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field, JsonValue, model_validator

from handrail.guardrails.vocabulary import Frozen

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Texts: TypeAlias = Annotated[dict[str, Annotated[str, Field(min_length=1)]], Field(min_length=1)]
"""A customer text per language."""

MONEY = re.compile(r"\d{1,9}\.\d{2}", re.ASCII)
DECIMAL = re.compile(r"[+-]?\d{1,15}(\.\d{1,9})?", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class ArgumentType(StrEnum):
    """The type of an argument. `money` is a decimal string with two places, `date` an ISO date, both as text.

    A `number` may have a fraction, and is no amount of money. A `boolean` stands in no text, so that neither its origin
    can be asked for nor can it be shown: what a customer has to agree to is a `choice` with a label for each value.
    An `object` has `fields`, each declared like an argument, with origins of its own.
    """

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"
    OBJECT = "object"


class Origin(StrEnum):
    """Where a value of an argument stands. `model` means that it stands nowhere else.

    `operator` is a value that a signed-in person of the company set while editing a call that waited for approval. An
    argument whose declaration does not name it cannot be edited.
    """

    CUSTOMER_WORDS = "customer_words"
    VERIFIED_RECORD = "verified_record"
    TOOL_RESULT = "tool_result"
    PASSAGE = "passage"
    OPERATOR = "operator"
    MODEL = "model"


class Favours(StrEnum):
    """Which way a change of an argument is in the customer's favour: more of it (a refund), or less (a fee)."""

    MORE = "more"
    LESS = "less"


MEASURED = frozenset({ArgumentType.INTEGER, ArgumentType.NUMBER, ArgumentType.MONEY, ArgumentType.DATE})
"""The types whose values lie on one line, so that there is more and less of them (a later day is more)."""

MOST = 100
"""Values that a list may hold: all of them are shown to whoever agrees."""

TRUSTED = frozenset({Origin.CUSTOMER_WORDS, Origin.VERIFIED_RECORD, Origin.OPERATOR})
"""The only origins that a sensitive argument may have (spec S7.2)."""


class Choice(Frozen):
    """One value of a choice: its label for the customer, and further words that mean it."""

    value: Annotated[str, Field(min_length=1)]
    label: Texts
    words: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class Many(Frozen):
    """How many values a list holds. One that holds the same value twice is a list like any other."""

    at_least: Annotated[int, Field(ge=0, le=MOST)] = 1
    at_most: Annotated[int, Field(ge=1, le=MOST)] = MOST

    @model_validator(mode="after")
    def _whole(self) -> Many:
        if self.at_least > self.at_most:
            raise ValueError("at_least is more than at_most")
        return self


class Argument(Frozen):
    """The declaration of an argument.

    With `many` it is a list, in the order given, and everything else said here is said of each of its values.
    `pattern` is matched against the whole text. `minimum` and `maximum` are an integer, a decimal number as text, a
    money string or an ISO date, by type. `currency` names the call fact that holds the currency of a money argument.
    `spoken` are words after which the digits of an identifier alone mean it: "invoice 2041" for INV-2041. `favours`
    says which edits the customer need not agree to again; without it every edit counts as one against the customer.
    The line breaks of a `multiline` text are part of it; of any other text they are blanks.
    """

    name: Name
    type: ArgumentType
    description: Annotated[str, Field(min_length=1, max_length=300)]
    required: bool = True
    sensitive: bool = False
    origin: Annotated[tuple[Origin, ...], Field(min_length=1)] = tuple(Origin)
    many: Many | None = None
    pattern: str | None = None
    may_be_empty: bool = False
    multiline: bool = False
    max_length: Annotated[int, Field(ge=1, le=20_000)] = 200
    choices: tuple[Choice, ...] = ()
    minimum: int | str | None = None
    maximum: int | str | None = None
    currency: Name | None = None
    favours: Favours | None = None
    spoken: tuple[Annotated[str, Field(pattern=r"^(#|\w+)$")], ...] = ()
    fields: tuple[Argument, ...] = ()

    def parts(self, value: JsonValue) -> Iterator[Part]:
        """The values that have an origin each: those of a list one by one, and of objects those of their fields."""
        for one in value if self.many is not None and isinstance(value, list) else [value]:
            if self.type is not ArgumentType.OBJECT:
                yield Part(self.name, self, one)
                continue
            for field in self.fields:
                if isinstance(one, dict) and one.get(field.name) is not None:
                    for part in field.parts(one[field.name]):
                        yield Part(f"{self.name}.{part.path}", part.argument, part.value)

    def paths(self) -> Iterator[str]:
        """The names under which `parts` gives values: its own, or those of its fields as `attachments.file_id`."""
        if self.type is not ArgumentType.OBJECT:
            yield self.name
        for field in self.fields:
            yield from (f"{self.name}.{path}" for path in field.paths())

    @model_validator(mode="after")
    def _whole(self) -> Argument:
        problems = list(_declaration_problems(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self


@dataclass(frozen=True, slots=True)
class Part:
    """One value inside an argument, with its path and the declaration that it has to fit."""

    path: str
    argument: Argument
    value: JsonValue


def iso_date(text: str) -> date | None:
    """The day that an ISO date names, or None for any other text."""
    try:
        return date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None


def _declaration_problems(argument: Argument) -> Iterator[str]:
    kind = argument.type
    if (kind is ArgumentType.CHOICE) != bool(argument.choices):
        yield "a choice needs choices, and nothing else has them"
    if (kind is ArgumentType.MONEY) != (argument.currency is not None):
        yield "a money argument names the fact that holds its currency, and nothing else does"
    if kind is ArgumentType.BOOLEAN and (argument.sensitive or Origin.MODEL not in argument.origin):
        yield "a boolean stands in no text, so its origin cannot be asked for: make it a choice"
    if argument.sensitive and not set(argument.origin) <= TRUSTED:
        yield "a sensitive argument may come from customer_words, verified_record and operator only"
    if argument.pattern is not None:
        if kind is not ArgumentType.TEXT:
            yield "only a text has a pattern"
        try:
            re.compile(argument.pattern)
        except re.error as error:
            yield f"not a regular expression: {error}"
    yield from _text_problems(argument)
    yield from _object_problems(argument)
    yield from _measured_problems(argument)


def _text_problems(argument: Argument) -> Iterator[str]:
    is_text = argument.type is ArgumentType.TEXT
    if argument.spoken and not is_text:
        yield "only a text has spoken"
    if argument.may_be_empty and (not is_text or argument.many is not None):
        yield "only a text that is no list may be empty"
    if argument.multiline and not is_text:
        yield "only a text has line breaks"


def _object_problems(argument: Argument) -> Iterator[str]:
    is_object = argument.type is ArgumentType.OBJECT
    if is_object != bool(argument.fields):
        yield "an object needs fields, and nothing else has them"
    if is_object and (argument.sensitive or set(argument.origin) != set(Origin)):
        yield "an object has no origin: declare those of its fields"
    names = [field.name for field in argument.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"there are two fields {name}"


def _measured_problems(argument: Argument) -> Iterator[str]:
    kind = argument.type
    for bound in (argument.minimum, argument.maximum):
        if bound is not None and not _bound_fits(kind, bound):
            yield f"the bound {bound!r} does not fit the type {kind.value}"
    measured = kind in MEASURED and argument.many is None
    if argument.favours is not None and not (measured and Origin.OPERATOR in argument.origin):
        yield "only an amount, a number or a date that an operator may set has favours"


def _bound_fits(kind: ArgumentType, bound: int | str) -> bool:
    if kind is ArgumentType.INTEGER:
        return isinstance(bound, int) and not isinstance(bound, bool)
    if kind is ArgumentType.NUMBER:
        return not isinstance(bound, bool) and DECIMAL.fullmatch(str(bound)) is not None
    if kind is ArgumentType.MONEY:
        return isinstance(bound, str) and MONEY.fullmatch(bound) is not None
    return kind is ArgumentType.DATE and isinstance(bound, str) and iso_date(bound) is not None
