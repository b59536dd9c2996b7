"""What is wrong with articles, in lines that can be read when it is wrong with hundreds of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.guardrails.yamlsource import Problem

SHOWN = 20
"""Problems that are told in full."""

_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\b\S+\.md\b|\d+")


def problem_lines(problems: Sequence[Problem], report_file: Path | None) -> Iterator[str]:
    """The problems by kind, the most frequent first: each kind with its number, and the first `SHOWN` in full."""
    kinds: dict[str, list[Problem]] = {}
    for one in problems:
        kinds.setdefault(_PARTICULAR.sub("…", one.message), []).append(one)
    ordered = sorted(kinds.values(), key=lambda held: (-len(held), held[0]))
    for held, shown in zip(ordered, _shares([len(held) for held in ordered]), strict=True):
        if not shown:
            continue
        alike = len({one.message for one in held}) == 1
        if len(held) > 1:
            yield f"{len(held)} × {held[0].message if alike else _PARTICULAR.sub('…', held[0].message)}"
        for one in held[:shown]:
            yield f"  {one.file}:{one.line}" if alike and len(held) > 1 else f"  {one}"
        if len(held) > shown:
            yield f"  … and {len(held) - shown} more"
    hidden = len(ordered) - SHOWN
    if hidden > 0:
        yield f"… and {hidden} more kinds of problems"
    if report_file is not None:
        yield f"All {len(problems)} problems are in {report_file}."
    elif len(problems) > SHOWN:
        yield "`--report FILE` writes all of them."


def _shares(sizes: Sequence[int]) -> list[int]:
    """How many of each kind are told: one of each in turn, until `SHOWN` are."""
    shares, left = [0] * len(sizes), min(SHOWN, sum(sizes))
    while left:
        for number, size in enumerate(sizes):
            if left and shares[number] < size:
                shares[number] += 1
                left -= 1
    return shares
