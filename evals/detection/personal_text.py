"""How well personal data is found and masked, as text."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.evals.detection.personal import KindRecall, PersonalMeasure
from handrail.evals.interval import Proportion


def lines(measure: PersonalMeasure) -> Iterator[str]:
    """The measure, a line per kind."""
    yield "Personal data, whole pieces found on labelled sentences (aim 0.95)"
    yield from map(_recall, measure.labelled)
    yield "Personal data, generated values"
    yield from map(_recall, measure.drawn)
    yield "Finds in customer messages, which nobody labelled"
    for one in measure.alarms:
        yield f"  {one.code:22} {one.finds} finds in {_share(one.messages)} of the messages"
    yield f"  texts that a second masking changes: {measure.unstable.successes} of {measure.unstable.n}"
    yield f"  values of which a part is left: {measure.left.successes} of {measure.left.n}"
    yield (
        f"  time alone: median {measure.median_ms:.3f} ms, p99 {measure.p99_ms:.3f} ms, a million characters "
        f"{measure.long_ms:.0f} ms"
    )


def _recall(one: KindRecall) -> str:
    return f"  {one.kind:22} whole {_share(one.whole):30} as what it is {_share(one.exact)}"


def _share(proportion: Proportion) -> str:
    if proportion.share is None:
        return "-"
    return f"{proportion.share:.3f} ({proportion.low:.3f}-{proportion.high:.3f}, n={proportion.n})"
