"""Lines over sizes as SVG; sizes to the right, logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from handrail.evals.svg import INK, SOFT, line, svg

WIDE, HIGH, LEFT = 300, 200, 46
COLOURS = ("#2b5fb3", "#2b8a5f", "#b3402b", "#8a5f2b")


class Series(NamedTuple):
    """A line: its name, and a number above zero for every size."""

    name: str
    points: tuple[float, ...]


def lines(sizes: Sequence[int], found: Sequence[Series], top: float | None = None) -> str:
    """The lines over `sizes`; upwards from 0 to `top`, or logarithmic over all that is found without it."""
    every = [point for series in found for point in series.points]
    low, high = (0.0, top) if top is not None else (_log(min(every)) - 0.1, _log(max(every)) + 0.1)
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def across(size: int) -> float:
        return LEFT + WIDE * ((math.log10(size) - first) / (last - first) if last > first else 0.5)

    def up(number: float) -> float:
        return 10 + HIGH * (1 - ((number if top is not None else _log(number)) - low) / (high - low))

    parts = [line(LEFT, 10 + HIGH, LEFT + WIDE, 10 + HIGH, INK), line(LEFT, 10, LEFT, 10 + HIGH, INK)]
    for mark in _marks(low, high, top):
        parts.append(line(LEFT, up(mark), LEFT + WIDE, up(mark), SOFT))
        parts.append(f'<text x="{LEFT - 6}" y="{up(mark) + 4:.0f}" text-anchor="end">{mark:g}</text>')
    parts += [f'<text x="{across(size):.0f}" y="{HIGH + 26}" text-anchor="middle">{size:,}</text>' for size in sizes]
    for number, series in enumerate(found):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across(size):.1f},{up(one):.1f}" for size, one in zip(sizes, series.points, strict=True))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{LEFT + WIDE + 10}" y="{24 + 18 * number}" style="fill:{colour}">{escape(series.name)}</text>'
        )
    return svg(LEFT + WIDE + 150, HIGH + 36, parts)


def _marks(low: float, high: float, top: float | None) -> list[float]:
    if top is not None:
        return [top * step / 4 for step in range(5)]
    return [
        10.0**power * step for power in range(-3, 5) for step in (1, 2, 5) if low <= _log(10.0**power * step) <= high
    ]


def _log(number: float) -> float:
    return math.log10(max(number, 1e-3))
