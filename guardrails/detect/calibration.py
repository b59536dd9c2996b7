"""Calibration: how far confidence is from how often an answer is right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.vocabulary import Frozen

STEPS = 10


class Step(Frozen):
    """Answers within one step of confidence: which, their mean confidence, and the share of the `n` that is right."""

    number: int
    confidence: float
    right: float
    n: int


def steps_of(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> tuple[Step, ...]:
    """The equal steps of a reliability diagram; empty ones are left out."""
    step = np.minimum((confidence * STEPS).astype(int), STEPS - 1)
    return tuple(
        Step(
            number=number,
            confidence=float(confidence[step == number].mean()),
            right=float(right[step == number].mean()),
            n=int((step == number).sum()),
        )
        for number in range(STEPS)
        if (step == number).any()
    )


def calibration_error(steps: Iterable[Step]) -> float:
    """Expected calibration error (Naeini et al. 2015): |accuracy - confidence|, averaged over the rows of all steps.

    Steps of the same number, of several sets, count as one.
    """
    together: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        together[step.number].append(step)
    total = sum(step.n for same in together.values() for step in same)
    apart = (abs(sum(step.n * (step.right - step.confidence) for step in same)) for same in together.values())
    return round(sum(apart) / total, 4) if total else 0.0
