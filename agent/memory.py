"""What one turn knows of its own state: typed values beside their plain JSON, within this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar, cast

from pydantic import JsonValue, TypeAdapter

ValueT = TypeVar("ValueT")


class Memory:
    """The values of one turn beside their plain ones: each is dumped once and validated once, not in every node.

    INVARIANT: a value is read from its plain form and validated before anybody sees it, also one that this process has
    written: a port may answer with an object that nobody validated. After that only the very same plain object stands
    for it; what a checkpointer has stored and loaded is another object, and is validated again.
    """

    def __init__(self) -> None:
        """Nothing is remembered yet."""
        self._values: dict[int, tuple[JsonValue, object]] = {}
        self._plains: dict[int, tuple[object, JsonValue]] = {}

    def value(self, plain: JsonValue, adapter: TypeAdapter[ValueT]) -> ValueT:
        """The value of `plain`; ValueError when it is none that `adapter` knows."""
        known = self._values.get(id(plain))
        if known is not None:
            return cast(ValueT, known[1])
        value = adapter.validate_python(plain)
        if _own(plain, value):
            self._values[id(plain)] = (plain, value)
            self._plains[id(value)] = (value, plain)
        return value

    def plain(self, value: ValueT, adapter: TypeAdapter[ValueT]) -> JsonValue:
        """`value` as plain JSON."""
        known = self._plains.get(id(value))
        if known is not None:
            return known[1]
        plain = cast(JsonValue, adapter.dump_python(value, mode="json"))
        if _own(plain, value):
            self._plains[id(value)] = (value, plain)
        return plain


def _own(plain: JsonValue, value: object) -> bool:
    # Atoms and the empty tuple are shared by the interpreter and stand for many values. What is remembered is held on
    # both sides, so that no other object gets its id.
    return isinstance(plain, dict | list) and value != ()


MEMORY: ContextVar[Memory | None] = ContextVar("MEMORY", default=None)
"""The memory of the turn that this process runs; the graph works without one, and then validates in every node."""


@contextmanager
def remembering() -> Iterator[None]:
    """Run one turn with a memory of its own."""
    token = MEMORY.set(Memory())
    try:
        yield
    finally:
        MEMORY.reset(token)


def memory() -> Memory:
    """The memory of the turn, or an empty one."""
    return MEMORY.get() or Memory()
