"""Need states of left-out data sets: macro-F1 with an interval, confusion, and calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from handrail.evals.detection.told import Told
from handrail.guardrails.detect.calibration import Step, calibration_error, steps_of
from handrail.guardrails.vocabulary import Frozen, NeedState

MIN_ROWS = 30  # of a need state, to be scored in a set
RESAMPLES = 400
SEED = 20


class StateScore(Frozen):
    """One need state of one set: F1, precision and recall."""

    state: NeedState
    n: int
    f1: float
    precision: float
    recall: float


class Confused(Frozen):
    """How often one need state was told as another; None means "unknown"."""

    gold: NeedState
    told: NeedState | None
    n: int


class NeedScore(Frozen):
    """One left-out set.

    `macro_f1` is the mean F1 over need states with at least 30 rows, with the 95 % interval of 400 bootstrap
    resamples (Efron 1979); `low` and `high` are its bounds. `crashed` rows count as wrong.
    """

    source: str
    n: int
    crashed: int
    macro_f1: float
    low: float
    high: float
    states: tuple[StateScore, ...]
    confused: tuple[Confused, ...]
    calibration_error: float
    steps: tuple[Step, ...]


def score_needs(source: str, told: Sequence[Told]) -> NeedScore | None:
    """Score the clear rows of a set; None when no need state has enough of them."""
    counts = Counter(one.row.need_state for one in told if one.row.need_state is not None)
    gold = tuple(state for state in NeedState if counts[state] >= MIN_ROWS)
    used = [one for one in told if one.row.need_state in gold]
    if not used:
        return None
    truth = np.array([gold.index(one.row.need_state) for one in used if one.row.need_state is not None])
    answer = np.array([_position(one.need_state, gold) for one in used])
    confidence = np.array([one.confidence for one in used])
    known = np.array([one.need_state is not None for one in used])
    random = np.random.default_rng(SEED)
    drawn = [
        float(np.mean(_f1(truth[rows], answer[rows], len(gold))))
        for rows in (random.integers(0, len(used), len(used)) for _ in range(RESAMPLES))
    ]
    steps = steps_of(confidence[known], (truth == answer)[known])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return NeedScore(
        source=source,
        n=len(used),
        crashed=sum(one.crashed is not None for one in used),
        macro_f1=round(float(np.mean(_f1(truth, answer, len(gold)))), 4),
        low=round(float(low), 4),
        high=round(float(high), 4),
        states=tuple(_state(state, number, truth, answer) for number, state in enumerate(gold)),
        confused=tuple(
            Confused(gold=pair[0], told=pair[1], n=count)
            for pair, count in Counter(
                (one.row.need_state, one.need_state) for one in used if one.row.need_state is not None
            ).most_common()
        ),
        calibration_error=calibration_error(steps),
        steps=steps,
    )


def _position(state: NeedState | None, gold: Sequence[NeedState]) -> int:
    return gold.index(state) if state in gold else -1


def _f1(truth: np.ndarray, answer: np.ndarray, count: int) -> list[float]:
    found: list[float] = []
    for number in range(count):
        hit = float(((truth == number) & (answer == number)).sum())
        total = float((truth == number).sum() + (answer == number).sum())
        found.append(2 * hit / total if total else 0.0)
    return found


def _state(state: NeedState, number: int, truth: np.ndarray, answer: np.ndarray) -> StateScore:
    hit = float(((truth == number) & (answer == number)).sum())
    there, told = float((truth == number).sum()), float((answer == number).sum())
    return StateScore(
        state=state,
        n=int(there),
        f1=round(2 * hit / (there + told), 4),
        precision=round(hit / told, 4) if told else 0.0,
        recall=round(hit / there, 4),
    )
