"""Real ports with a switch: any method can be made to fail, and every call is counted."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from handrail.agent.ports import (
    CustomerContext,
    Detectors,
    Model,
    PortError,
    Retriever,
    SecondOpinion,
    StepUp,
    Toolbox,
)
from handrail.agent.store_port import Store

HUGE = "A huge answer. " * 100_000
"""1.5 million characters."""
SYNC_HANG = 0.7
"""Seconds a synchronous method hangs: longer than the patience of the tests, short enough to wait for."""

PROTOCOLS: dict[str, type] = {
    "detectors": Detectors,
    "context": CustomerContext,
    "retriever": Retriever,
    "model": Model,
    "second_opinion": SecondOpinion,
    "toolbox": Toolbox,
    "step_up": StepUp,
    "store": Store,
}


class Fault(StrEnum):
    """The ways in which a port fails."""

    PORT_ERROR = "port_error"
    BUG = "bug"
    HANGS = "hangs"
    NONE = "none"
    WRONG_TYPE = "wrong_type"
    EMPTY = "empty"
    HUGE = "huge"


CERTAIN = (Fault.PORT_ERROR, Fault.BUG, Fault.HANGS, Fault.WRONG_TYPE)
"""Faults that no port can mistake for an answer. Nothing, or much, is an answer of some methods."""


def methods_of(protocol: type) -> tuple[str, ...]:
    """The public methods that a protocol declares."""
    return tuple(name for name, member in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_"))


ALL_METHODS: tuple[tuple[str, str], ...] = tuple(
    (port, method) for port, protocol in PROTOCOLS.items() for method in methods_of(protocol)
)


def ways_to_fail(port: str, method: str) -> tuple[Fault, ...]:
    """Every fault, except nonsense from a method that answers nothing anyway."""
    silent = inspect.signature(getattr(PROTOCOLS[port], method)).return_annotation == "None"
    return (Fault.PORT_ERROR, Fault.BUG, Fault.HANGS) if silent else tuple(Fault)


class AnyMethod(Protocol):
    """A method as the switch sees it."""

    def __call__(self, *positional: object, **named: object) -> object:
        """Anything."""
        ...


@dataclass
class Switch:
    """A port in front of the real one. INVARIANT: with no fault set, it does exactly what the real one does."""

    real: object
    calls: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Fault] = field(default_factory=dict)
    spared: Counter[str] = field(default_factory=Counter)
    replaced: dict[str, AnyMethod] = field(default_factory=dict)

    def fail(self, method: str, fault: Fault, after: int = 0) -> None:
        """Make `method` fail from now on, once it has worked `after` times."""
        self.faults[method] = fault
        self.spared[method] = after

    def fail_everything(self, protocol: type, fault: Fault) -> None:
        """Make every method of the protocol fail from now on."""
        for method in methods_of(protocol):
            self.fail(method, fault)

    def mend(self) -> None:
        """Make everything work again."""
        self.faults.clear()
        self.replaced.clear()

    def __getattr__(self, name: str) -> object:
        real = getattr(self.real, name)
        if name in self.replaced:
            real = self.replaced[name]
        if not callable(real):
            return real
        asynchronous = inspect.iscoroutinefunction(getattr(self.real, name))

        def call(*positional: object, **named: object) -> object:
            self.calls[name] += 1
            fault = self.faults.get(name)
            if fault is None or self.spared[name] > 0:
                self.spared[name] -= 1
                return real(*positional, **named)
            return _failing(fault) if asynchronous else _fails(fault, lambda: time.sleep(SYNC_HANG))

        return call


async def _failing(fault: Fault) -> object:
    if fault is Fault.HANGS:
        await asyncio.Event().wait()
    return _fails(fault, lambda: None)


def _fails(fault: Fault, hang: Callable[[], None]) -> object:
    match fault:
        case Fault.PORT_ERROR:
            raise PortError("the port is down")
        case Fault.BUG:
            raise ZeroDivisionError("a bug in an adapter")
        case Fault.HANGS:
            hang()
            return None
        case Fault.NONE:
            return None
        case Fault.WRONG_TYPE:
            return object()
        case Fault.EMPTY:
            return ()
        case Fault.HUGE:
            return HUGE
