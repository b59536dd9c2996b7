"""The difference of two independent proportions, with its interval."""

from __future__ import annotations

from math import sqrt

from handrail.evals.interval import Proportion
from handrail.guardrails.vocabulary import Frozen


class Gap(Frozen):
    """One share minus another, with the bounds of its interval; all are fractions of 1."""

    gap: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.gap * 100:+.0f} points, 95 % interval {self.low * 100:+.0f} to {self.high * 100:+.0f}"


def gap(one: Proportion, other: Proportion) -> Gap | None:
    """`one` minus `other`, by Newcombe's hybrid score interval (1998, method 10); None when a share is not known.

    low = d - √((p1 - l1)² + (u2 - p2)²); high = d + √((u1 - p1)² + (p2 - l2)²), with the Wilson bounds l and u of each.
    """
    if one.share is None or other.share is None:
        return None
    found = one.share - other.share
    low = found - sqrt((one.share - one.low) ** 2 + (other.high - other.share) ** 2)
    high = found + sqrt((one.high - one.share) ** 2 + (other.share - other.low) ** 2)
    return Gap(gap=found, low=max(-1.0, low), high=min(1.0, high))
