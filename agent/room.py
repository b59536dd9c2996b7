"""What the nodes of one process work with: the bundle and the ports, built in the composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from handrail.agent.holdouts import Draws
from handrail.agent.ports import (
    Clock,
    CustomerContext,
    Detectors,
    Model,
    Retriever,
    SecondOpinion,
    StepUp,
    Toolbox,
    Upstream,
)
from handrail.agent.store_port import Store
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.labels import GRAVE_KINDS
from handrail.guardrails.errors import HandrailError

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that one call of a port may take. Their order of magnitude leaves time for a handoff in every turn."""

    detection: float = 4.0
    context: float = 3.0
    retrieval: float = 5.0
    model: float = 12.0
    tool: float = 6.0
    store: float = 6.0
    handoff: float = 2.0
    second_opinion: float = 2.0


class Hands(StrEnum):
    """Who runs a call that was allowed: Handrail, or the caller, to whom it is handed over."""

    OURS = "ours"
    CALLER = "caller"


def everything(tool: str) -> bool:
    """Every tool of the bundle is there."""
    return True


@dataclass(frozen=True, slots=True)
class Room:
    """Bundle, ports, the bounded executor for CPU-bound work, and the sites that this process looks after."""

    bundle: Bundle
    detectors: Detectors
    context: CustomerContext
    retriever: Retriever
    model: Model
    toolbox: Toolbox
    step_up: StepUp
    store: Store
    clock: Clock
    executor: Executor
    draws: Draws
    patience: Patience = Patience()
    masked: frozenset[str] = GRAVE_KINDS
    """Codes of the personal data that no model sees."""

    sites: tuple[str, ...] = ()
    second_opinion: SecondOpinion | None = None
    ask_below: float = 0.4
    """The confidence of a reading below which a second opinion is asked for, if there is anybody to ask."""

    hands: Hands = Hands.OURS
    has_tool: Callable[[str], bool] = everything
    """Whether who runs the calls of the turn that runs has this tool."""

    upstream: Upstream | None = None
    """The model behind the proxy; without it there is no proxy."""

    async def compute(self, work: Callable[[], ResultT], seconds: float) -> ResultT:
        """Run CPU-bound `work` in the bounded executor; TimeoutError after `seconds`."""
        loop = asyncio.get_running_loop()
        return await bounded(loop.run_in_executor(self.executor, work), seconds)


async def bounded(waiting: Awaitable[ResultT], seconds: float) -> ResultT:
    """Await at most `seconds`, then raise TimeoutError."""
    async with asyncio.timeout(seconds):
        return await waiting


class PortFault(HandrailError):
    """A port failed in a step that uses several: `reason` says which."""

    def __init__(self, reason: str) -> None:
        """Fail with the `SYS_*` code `reason`."""
        self.reason = reason
        super().__init__(reason)


@contextmanager
def faults_as(reason: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes a PortFault with `reason`."""
    try:
        yield
    except Exception as error:
        raise PortFault(reason) from error


def sensible(answer: object, kind: type[ResultT], who: str) -> ResultT:
    """`answer` as `kind`; a port that answers nonsense is a port that failed (TypeError)."""
    if not isinstance(answer, kind):
        raise TypeError(f"{who} answered with a {type(answer).__name__} where a {kind.__name__} was agreed")
    return answer


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Seconds from `earlier` to `later`, never negative: a clock that jumped back makes nothing younger than new."""
    return max(0.0, (later - earlier).total_seconds())
