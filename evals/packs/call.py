"""A proposed call as the functions of a pack see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Call:
    """Tool, canonical arguments, and the customer who was authenticated (None: nobody).

    `at` is when it is proposed, `earlier` what has run before in the same task, oldest first (without its own past).
    `said` are the customer's own words of the conversation; what tools have answered is never among them.
    An argument of another type than asked for raises TypeError: the fact that needed it is then unknown.
    """

    tool: str
    arguments: Mapping[str, JsonValue]
    customer_id: str | None
    at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    earlier: tuple[Call, ...] = ()
    said: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """An argument that is text, money or a date."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            raise TypeError(f"{name} is no text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """An argument that is a list of such values, in its order."""
        value = self.arguments.get(name)
        if not isinstance(value, list):
            raise TypeError(f"{name} is no list")
        held = tuple(one for one in value if isinstance(one, str))
        if len(held) != len(value):
            raise TypeError(f"{name} holds something that is no text")
        return held

    def whole(self, name: str) -> int:
        """An argument that is a whole number."""
        value = self.arguments.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} is no whole number")
        return value
