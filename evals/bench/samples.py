"""How long the same calls take, round after round."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(slots=True)
class Samples:
    """Milliseconds of CPU and wall of each call, sorted within a round; a figure is the median over the rounds."""

    cpu: list[list[float]] = field(default_factory=list)
    wall: list[list[float]] = field(default_factory=list)

    def timed(self, calls: Sequence[Callable[[], object]], before: Callable[[], None] | None = None) -> None:
        """One more round; `before` is done before each call and does not count."""
        cpu: list[float] = []
        wall: list[float] = []
        for call in calls:
            if before is not None:
                before()
            began, began_cpu = time.perf_counter_ns(), time.process_time_ns()
            call()
            cpu.append((time.process_time_ns() - began_cpu) / 1e6)
            wall.append((time.perf_counter_ns() - began) / 1e6)
        self.took(cpu, wall)

    def took(self, cpu: Sequence[float], wall: Sequence[float]) -> None:
        """One more round, of calls that were timed elsewhere; milliseconds of each."""
        self.cpu.append(sorted(cpu))
        self.wall.append(sorted(wall))

    def cpu_ms(self, share: float) -> float:
        """What this share of the calls took at most, in CPU."""
        return _at(self.cpu, share)

    def wall_ms(self, share: float) -> float:
        """The same in wall time."""
        return _at(self.wall, share)


def _at(rounds: Sequence[Sequence[float]], share: float) -> float:
    return round(median(one[int(len(one) * share)] for one in rounds), 3)
