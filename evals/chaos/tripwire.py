"""Stops a process at a point that was chosen beforehand: before a step, before its commit, or after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, event

BEFORE, UNCOMMITTED, AFTER = "before", "before the commit of", "after"
AT = " at "
"""Between a point and its scene."""


@dataclass(slots=True)
class Tripwire:
    """Counts the points that a process passes, and stops it for good at one of them; None lets it pass them all.

    `scene` says what is going on meanwhile; it stands in the name of every point. `stopping` is told the name: then
    nothing happens any more in the thread that has come there, and whoever was told kills the process.
    """

    stop_at: int | None
    stopping: Callable[[str], None]
    passed: list[str] = field(default_factory=list)
    scene: str = ""
    step: str | None = None

    def watch_commits(self) -> None:
        """Have a point before each commit within a step, in whatever database."""
        event.listen(Engine, "commit", self._committing)

    def cross(self, point: str) -> None:
        """Pass a point, or stop at it."""
        self.passed.append(f"{point}{AT}{self.scene}")
        if len(self.passed) - 1 == self.stop_at:
            self.stopping(self.passed[-1])
            threading.Event().wait()

    def _committing(self, _: Connection) -> None:
        if self.step is not None:
            self.cross(f"{UNCOMMITTED} {self.step}")


@dataclass(slots=True)
class Wired:
    """Any port, with points around some of its methods. It does exactly what the real one does until it is stopped."""

    real: object
    wire: Tripwire
    steps: frozenset[str]

    def __getattr__(self, name: str) -> object:
        real = getattr(self.real, name)
        if name not in self.steps:
            return real

        async def call(*positional: object, **named: object) -> object:
            self.wire.cross(f"{BEFORE} {name}")
            self.wire.step = name
            try:
                answer = await real(*positional, **named)
            finally:
                self.wire.step = None
            self.wire.cross(f"{AFTER} {name}")
            return answer

        return call
