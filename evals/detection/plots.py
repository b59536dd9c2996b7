"""Plots as SVG: bars with intervals, a confusion matrix, a reliability diagram, curves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from handrail.evals.detection.few_shot import FewShot
from handrail.evals.detection.need_states import NeedScore
from handrail.evals.svg import INK, SOFT, line, svg
from handrail.guardrails.detect.calibration import Step
from handrail.guardrails.vocabulary import NeedState

Bar = tuple[str, float, float, float]
"""A name, a share, and the bounds of its interval."""

LEFT, WIDE, ROW = 220, 420, 22
SIDE = 260
CELL = 46
MARK = "#2b5fb3"
COLOURS = ("#2b5fb3", "#b3402b", "#2b8a5f", "#8a5f2b", "#6a2b8a", "#2b8a8a")


def bars(found: Sequence[Bar]) -> str:
    """Horizontal bars from 0 to 1."""
    height = ROW * len(found) + 24
    parts = [_axis(height)]
    for number, (name, share, low, high) in enumerate(found):
        y = ROW * number + 6
        parts.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(name.strip())}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{WIDE * share:.1f}" height="14" fill="{MARK}" opacity=".75"/>')
        parts.append(line(LEFT + WIDE * low, y + 7, LEFT + WIDE * high, y + 7, INK))
        parts.append(f'<text x="{LEFT + WIDE + 8}" y="{y + 12}">{share:.3f}</text>')
    return svg(LEFT + WIDE + 60, height, parts)


def confusion(score: NeedScore) -> str:
    """Rows are what it is, columns what it was told to be; shares of the row."""
    gold = [one.state for one in score.states]
    told: list[NeedState | None] = [*NeedState, None]
    counts = {(one.gold, one.told): one.n for one in score.confused}
    parts: list[str] = []
    for column, answer in enumerate(told):
        x = LEFT + CELL * column + CELL / 2
        name = answer.value if answer is not None else "unknown"
        parts.append(f'<text transform="translate({x:.0f},96) rotate(-50)">{escape(name)}</text>')
    for row, truth in enumerate(gold):
        total = sum(count for (one, _), count in counts.items() if one is truth) or 1
        y = 104 + CELL * row
        parts.append(f'<text x="{LEFT - 8}" y="{y + CELL / 2 + 4:.0f}" text-anchor="end">{escape(truth.value)}</text>')
        for column, answer in enumerate(told):
            part = counts.get((truth, answer), 0) / total
            x = LEFT + CELL * column
            colour = MARK if truth is answer else COLOURS[1]
            parts.append(
                f'<rect x="{x}" y="{y}" width="{CELL - 2}" height="{CELL - 2}" fill="{colour}" opacity="{part:.2f}"/>'
            )
            if part >= 0.005:
                parts.append(
                    f'<text x="{x + CELL / 2:.0f}" y="{y + CELL / 2 + 4:.0f}" text-anchor="middle">{part:.2f}</text>'
                )
    return svg(LEFT + CELL * len(told) + 60, 112 + CELL * len(gold), parts)


def reliability(steps: Sequence[Step]) -> str:
    """Confidence to the right, share that is right upwards; the size of a dot grows with the rows in it."""
    total = sum(step.n for step in steps) or 1
    parts = [line(30, 10 + SIDE, 30 + SIDE, 10, SOFT), line(30, 10 + SIDE, 30 + SIDE, 10 + SIDE, INK)]
    parts.append(line(30, 10, 30, 10 + SIDE, INK))
    for step in steps:
        x, y = 30 + SIDE * step.confidence, 10 + SIDE * (1 - step.right)
        size = 3 + 14 * (step.n / total) ** 0.5
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{MARK}" opacity=".7"/>')
    parts += [f'<text x="{26 + SIDE}" y="{SIDE + 26}">1</text>', f'<text x="26" y="{SIDE + 26}">0</text>']
    return svg(SIDE + 60, SIDE + 36, parts)


def curves(points: Sequence[FewShot]) -> str:
    """A line per source."""
    most = max((point.examples for point in points), default=1) or 1
    parts = [line(30, 10 + SIDE, 30 + SIDE, 10 + SIDE, INK), line(30, 10, 30, 10 + SIDE, INK)]
    for number, source in enumerate(dict.fromkeys(point.source for point in points)):
        colour = COLOURS[number % len(COLOURS)]
        own = [
            (30 + SIDE * point.examples / most, 10 + SIDE * (1 - point.macro_f1))
            for point in points
            if point.source == source
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in own)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{40 + SIDE}" y="{20 + 18 * number}" style="fill:{colour}">{escape(source)}</text>')
    parts += [
        f'<text x="{30 + SIDE * count / most - 6:.0f}" y="{SIDE + 26}">{count}</text>'
        for count in sorted({point.examples for point in points})
    ]
    parts += ['<text x="14" y="16">1</text>', f'<text x="14" y="{SIDE + 12}">0</text>']
    return svg(SIDE + 200, SIDE + 36, parts)


def _axis(height: int) -> str:
    lines = [
        line(LEFT + WIDE * step / 4, 0, LEFT + WIDE * step / 4, height - 18, SOFT)
        + f'<text x="{LEFT + WIDE * step / 4 - 8:.0f}" y="{height - 4}">{step / 4:g}</text>'
        for step in range(5)
    ]
    return "".join(lines)
