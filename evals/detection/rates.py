"""Rates of binary detections: how much is found, and how much else is reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handrail.evals.detection.told import GRAVE, Told
from handrail.evals.interval import Proportion, wilson
from handrail.guardrails.detect.lessons import GRAVE as GRAVE_CODES
from handrail.guardrails.vocabulary import Frozen, NeedState

Belongs = Callable[[Told], bool]


class Rate(Frozen):
    """`found` of what is there, and `alarms` of what is not; crashes are in `crashed` and in neither."""

    name: str
    found: Proportion
    alarms: Proportion
    crashed: int


def rate(name: str, told: Sequence[Told], there: Belongs, reported: Belongs) -> Rate:
    """Count one detection over rows of which `there` is known."""
    whole = [one for one in told if one.crashed is None]
    present = [one for one in whole if there(one)]
    absent = [one for one in whole if not there(one)]
    return Rate(
        name=name,
        found=wilson(sum(map(reported, present)), len(present)),
        alarms=wilson(sum(map(reported, absent)), len(absent)),
        crashed=len(told) - len(whole),
    )


def grave_by_data(name: str, told: Sequence[Told]) -> Rate:
    """Rows of the data whose risk is stated, clear ones: high or critical beside low and medium."""
    stated = [one for one in told if one.row.risk is not None]
    return rate(name, stated, lambda one: one.row.risk in GRAVE, lambda one: one.is_grave)


def grave_by_signals(name: str, told: Sequence[Told]) -> Rate:
    """Authored rows: those with a signal that makes a message high or critical, beside all others."""
    return rate(name, told, lambda one: bool(set(one.row.signals or ()) & set(GRAVE_CODES)), lambda one: one.is_grave)


def one_signal(code: str, told: Sequence[Told]) -> Rate:
    """One signal on authored rows that state their signals."""
    stated = [one for one in told if one.row.signals is not None]
    return rate(code, stated, lambda one: code in (one.row.signals or ()), lambda one: code in one.codes)


def human_request(name: str, told: Sequence[Told]) -> Rate:
    """Requests for a person, by need state or by signal."""
    code = "HUMAN_REQUESTED"
    stated = [one for one in told if one.row.need_state is not None or one.row.signals is not None]

    def wants_one(one: Told) -> bool:
        if one.row.signals is not None:
            return code in one.row.signals
        return one.row.need_state is NeedState.HUMAN_REQUEST

    return rate(name, stated, wants_one, lambda one: code in one.codes)


def out_of_scope(name: str, told: Sequence[Told]) -> Rate:
    """Messages that no support is for; refused is what is told out of scope, or unknown."""
    stated = [one for one in told if one.row.need_state is not None]

    def refused(one: Told) -> bool:
        return one.need_state in {None, NeedState.OUT_OF_SCOPE}

    return rate(name, stated, lambda one: one.row.need_state is NeedState.OUT_OF_SCOPE, refused)
