"""Measures of detection: failed, crashed and unscored are told apart, and every plot draws what it is given."""

import random

import pytest

from handrail.evals.detection.changes import CHANGES, measure_stability
from handrail.evals.detection.few_shot import FewShot
from handrail.evals.detection.need_states import NeedScore, score_needs
from handrail.evals.detection.plots import bars, confusion, curves, reliability
from handrail.evals.detection.rates import grave_by_data, grave_by_signals, human_request, out_of_scope
from handrail.evals.detection.told import Told, tell
from handrail.guardrails.detect.calibration import calibration_error
from handrail.guardrails.detect.corpus import LabelledRow
from handrail.guardrails.vocabulary import Detection, NeedState, RiskTier


def told(
    gold: NeedState,
    answer: NeedState | None,
    confidence: float = 0.9,
    risk: RiskTier = RiskTier.LOW,
    tier: RiskTier = RiskTier.LOW,
) -> Told:
    """One row and what was told of it."""
    row = LabelledRow(text="x", source="s", need_state=gold, risk=risk)
    return Told(row=row, need_state=answer, confidence=confidence, codes=(), tier=tier)


def rows() -> list[Told]:
    """40 incidents of which 30 are right, and 40 bills, all right; and 5 changes, too few to be scored."""
    return [
        *[told(NeedState.INCIDENT, NeedState.INCIDENT)] * 30,
        *[told(NeedState.INCIDENT, None, 0.3)] * 6,
        *[told(NeedState.INCIDENT, NeedState.OUT_OF_SCOPE)] * 4,
        *[told(NeedState.BILLING_CHARGES, NeedState.BILLING_CHARGES)] * 40,
        *[told(NeedState.ACCOUNT_CHANGES, NeedState.INCIDENT)] * 5,
    ]


def scored() -> NeedScore:
    """The score of `rows`."""
    score = score_needs("s", rows())
    assert score is not None
    return score


def test_macro_f1_is_over_states_with_enough_rows() -> None:
    """A rare need state is neither scored nor does it spoil the others."""
    score = scored()
    assert [one.state for one in score.states] == [NeedState.BILLING_CHARGES, NeedState.INCIDENT]
    assert score.n == 80
    assert score.macro_f1 == pytest.approx((1.0 + 2 * 30 / 70) / 2, abs=1e-3)
    assert score.low < score.macro_f1 < score.high


def test_unknown_is_wrong_and_has_no_confidence() -> None:
    """It lowers recall, and calibration is measured on what was told."""
    score = scored()
    assert score.states[1].recall == 0.75
    assert sum(step.n for step in score.steps) == 74
    assert calibration_error(score.steps * 2) == score.calibration_error


def test_a_set_without_enough_rows_is_unscored() -> None:
    """None, and not a zero."""
    assert score_needs("s", rows()[-5:]) is None


class Crashing:
    """Detectors that raise at one text."""

    def detect(self, text: str) -> Detection:
        """Raise for "x"."""
        raise RuntimeError(text)


def test_a_crash_is_counted_by_itself() -> None:
    """In no rate, and in `crashed`."""
    (one,) = tell(Crashing(), lambda _: RiskTier.LOW, [LabelledRow(text="x", risk=RiskTier.HIGH)])  # type: ignore[arg-type]
    assert one.crashed == "RuntimeError"
    rate = grave_by_data("all", [one])
    assert (rate.crashed, rate.found.n, rate.alarms.n) == (1, 0, 0)


def test_rates_count_what_is_there_and_what_is_not() -> None:
    """Recall and false alarms of each kind."""
    grave = told(NeedState.INCIDENT, None, risk=RiskTier.HIGH, tier=RiskTier.CRITICAL)
    calm = told(NeedState.INCIDENT, None, risk=RiskTier.MEDIUM, tier=RiskTier.HIGH)
    rate = grave_by_data("all", [grave, calm, calm])
    assert (rate.found.successes, rate.found.n, rate.alarms.successes, rate.alarms.n) == (1, 1, 2, 2)
    scope = out_of_scope("all", [told(NeedState.OUT_OF_SCOPE, None), told(NeedState.INCIDENT, NeedState.INCIDENT)])
    assert (scope.found.successes, scope.alarms.successes) == (1, 0)
    person = human_request("all", [told(NeedState.HUMAN_REQUEST, None)])
    assert (person.found.successes, person.found.n) == (0, 1)
    legal = LabelledRow(text="x", signals=("RISK_LEGAL",))
    authored = Told(row=legal, need_state=None, confidence=0.0, codes=(), tier=RiskTier.HIGH)
    assert grave_by_signals("all", [authored]).found.successes == 1


def test_changes_leave_what_is_said() -> None:
    """Each does what its name says."""
    draw = random.Random(1)  # noqa: S311 - the same changes every time
    text = "Where is my invoice, please?"
    assert CHANGES["upper case"](text, draw) == text.upper()
    assert CHANGES["no punctuation"](text, draw) == "Where is my invoice please"
    slipped = CHANGES["one slip"](text, draw)
    assert slipped != text
    assert abs(len(slipped) - len(text)) <= 1
    assert CHANGES["one slip"]("is it on", draw) == "is it on"
    assert text in CHANGES["polite"](text, draw)


def test_stability_counts_moved_tiers() -> None:
    """A tier that hangs on case moves with it."""
    found = measure_stability(["Aa", "bb"], lambda text: RiskTier.HIGH if "A" in text else RiskTier.LOW)
    moved = {one.change: one.moved.successes for one in found}
    assert moved["lower case"] == 1
    assert moved["upper case"] == 0
    assert moved["no punctuation"] == 0


def test_plots_show_every_name_once_escaped() -> None:
    """Names come from data and may hold markup."""
    drawing = bars([("<b>", 0.5, 0.4, 0.6)])
    assert "&lt;b&gt;" in drawing
    assert "<b>" not in drawing
    assert confusion(scored()).count("<rect") == 2 * (len(NeedState) + 1)
    assert reliability(scored().steps).count("<circle") == len(scored().steps)
    points = [FewShot(source="s", examples=count, intents=1, n=9, macro_f1=0.5) for count in (0, 5)]
    assert curves(points).count("<polyline") == 1
