"""What a tool works with: the open transaction, the authenticated customer, the time, and how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from sqlalchemy import Connection

from handrail.agent.company.records import Customer
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent

Arguments = Mapping[str, JsonValue]
ModelT = TypeVar("ModelT", bound="CallArguments")


class CallArguments(BaseModel):
    """Base of the arguments of one tool: closed, and strict about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Desk:
    """One call's view of the company. `known_customer` is None for somebody who has not signed in."""

    connection: Connection
    known_customer: Customer | None
    now: datetime

    @property
    def today(self) -> date:
        """The current day in UTC."""
        return self.now.date()

    @property
    def customer(self) -> Customer:
        """The signed-in customer; raises ToolRefused when there is none."""
        if self.known_customer is None:
            raise ToolRefused("nobody is signed in, or the customer is unknown; sign in first")
        return self.known_customer


@dataclass(frozen=True, slots=True)
class CompanyTool:
    """A tool of the company: what it states about a proposed call, and what it does.

    Both judge by the customer of the desk only. `run` raises ToolRefused, and then nothing has happened.
    """

    name: str
    access: Access
    facts: Callable[[Desk, Arguments], dict[str, FactContent]]
    run: Callable[[Desk, Arguments], dict[str, JsonValue]]


class MalformedArguments(ToolRefused):
    """The arguments are not those of the tool; nothing happened."""


def read_arguments(model: type[ModelT], arguments: Arguments) -> ModelT:
    """The arguments as `model`; raises MalformedArguments naming what is wrong, values are not repeated."""
    try:
        return model.model_validate(dict(arguments))
    except ValidationError as error:
        wrong = sorted({".".join(str(part) for part in item["loc"]) or "arguments" for item in error.errors()})
        raise MalformedArguments(f"these arguments are missing, unknown or malformed: {', '.join(wrong)}") from error
