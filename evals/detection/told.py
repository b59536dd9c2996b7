"""What detection told of one labelled row, and the reader that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from handrail.guardrails.detect.corpus import LabelledRow
from handrail.guardrails.detect.suite import DetectorSuite
from handrail.guardrails.vocabulary import Detection, Frozen, NeedState, RiskTier

Tier = Callable[[Detection], RiskTier]
"""What policy makes of a detection of which nothing else is known."""

GRAVE = frozenset({RiskTier.HIGH, RiskTier.CRITICAL})


class Told(Frozen):
    """One row beside what was told of it; `crashed` names an exception instead."""

    row: LabelledRow
    need_state: NeedState | None
    confidence: float
    codes: tuple[str, ...]
    tier: RiskTier
    crashed: str | None = None

    @classmethod
    def untold(cls, row: LabelledRow, crashed: str | None = None) -> Told:
        """A row of which nothing is known."""
        return cls(row=row, need_state=None, confidence=0.0, codes=(), tier=RiskTier.LOW, crashed=crashed)

    @property
    def is_grave(self) -> bool:
        """Whether the tier is high or critical."""
        return self.tier in GRAVE


def tell(suite: DetectorSuite, tier: Tier, rows: Iterable[LabelledRow]) -> tuple[Told, ...]:
    """Ask the detectors and the risk gate about each row."""
    return tuple(_told(suite, tier, row) for row in rows)


def _told(suite: DetectorSuite, tier: Tier, row: LabelledRow) -> Told:
    try:
        detection = suite.detect(row.text)
        found = tier(detection)
    except Exception as error:  # noqa: BLE001 - a crash is a result of its own, never a miss
        return Told.untold(row, crashed=type(error).__name__)
    return Told(
        row=row,
        need_state=detection.need_state,
        confidence=detection.confidence,
        codes=tuple(sorted({signal.code for signal in detection.signals})),
        tier=found,
    )
