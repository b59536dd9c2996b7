"""One argument of a tool: its type, its bounds, and where its value may come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field, model_validator

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
    """

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"


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
    max_length: Annotated[int, Field(ge=1, le=20_000)] = 200
    choices: tuple[Choice, ...] = ()
    minimum: int | str | None = None
    maximum: int | str | None = None
    currency: Name | None = None
    favours: Favours | None = None
    spoken: tuple[Annotated[str, Field(pattern=r"^(#|\w+)$")], ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Argument:
        problems = list(_declaration_problems(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self


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
    if argument.spoken and kind is not ArgumentType.TEXT:
        yield "only a text has spoken"
    if argument.may_be_empty and (kind is not ArgumentType.TEXT or argument.many is not None):
        yield "only a text that is no list may be empty"
    yield from _measured_problems(argument)


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
