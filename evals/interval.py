"""The Wilson score interval of a proportion."""

from __future__ import annotations

from math import sqrt

from handrail.guardrails.vocabulary import Frozen

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution, for a two-sided interval of 95 %."""


class Proportion(Frozen):
    """`successes` of `n`, with the bounds of its interval; all are fractions of 1. With n = 0 nothing is known."""

    successes: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """The observed share, or None when there is nothing to share."""
        return self.successes / self.n if self.n else None

    def __str__(self) -> str:
        counted = f"{self.successes} of {self.n}"
        if self.share is None:
            return counted
        return f"{counted} ({self.share:.0%}, 95 % interval {self.low:.0%}–{self.high:.0%})"


def wilson(successes: int, n: int, z: float = Z_95) -> Proportion:
    """The proportion with its Wilson score interval (Wilson 1927, without continuity correction).

    centre = (p + z²/2n) / (1 + z²/n); half width = z √(p(1−p)/n + z²/4n²) / (1 + z²/n). It assumes independent trials:
    wordings of one scenario resemble each other, so the true interval is wider.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials")
    if n == 0:
        return Proportion(successes=0, n=0, low=0.0, high=1.0)
    share = successes / n
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Proportion(successes=successes, n=n, low=low, high=high)
