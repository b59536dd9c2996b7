"""Rates over the labelled corpus: how much is caught, how much that is correct is stopped."""

from __future__ import annotations

from collections import defaultdict

from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import CODES
from tests.unit.output.corpus import Rate, labelled, situations, wording

MAX_STOPPED = 0.02
MIN_CAUGHT = 0.9


def test_rates_of_the_corpus() -> None:
    """Correct replies pass and violating edits are caught under their own code; the intervals are printed."""
    words = wording()
    evidence = {name: situation.evidence() for name, situation in situations().items()}
    right: dict[str, list[bool]] = defaultdict(list)
    for case in labelled():
        codes = review(case.reply, evidence[case.situation], words).codes
        right[case.kind].append(not codes if case.kind == "grounded" else case.kind in codes)
    grounded = right.pop("grounded")
    stopped = Rate(hits=grounded.count(False), n=len(grounded))
    caught = {kind: Rate(hits=sum(hits), n=len(hits)) for kind, hits in right.items()}
    for name, rate in (("stopped", stopped), *caught.items()):
        print(f"{name:28} {rate}")  # noqa: T201 - the rates are what this test is read for
    assert stopped.n >= 150
    assert stopped.share <= MAX_STOPPED
    assert set(caught) == set(CODES) - {"OUT_EMPTY", "OUT_TOO_LONG"}
    assert all(rate.n >= 15 and rate.share >= MIN_CAUGHT for rate in caught.values())


def test_wilson_interval_of_a_known_case() -> None:
    """9 of 10 gives the textbook interval of about 0.596 to 0.982."""
    low, high = Rate(hits=9, n=10).interval()
    assert round(low, 3) == 0.596
    assert round(high, 3) == 0.982
