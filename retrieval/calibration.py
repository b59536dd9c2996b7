"""From features of a match to one calibrated score, and the threshold above which a passage is good enough."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from handrail.guardrails.vocabulary import Frozen


class Calibration(Frozen):
    """A logistic model of "this passage answers the query", stored with the base that it was used for.

    `cosine` and `lexical` weigh the two features (both 0 to 1); `threshold` is the score of "good enough".
    """

    intercept: float = -8.0
    cosine: float = 10.0
    lexical: float = 6.0
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5

    def scores(self, cosine: NDArray[np.float32], lexical: NDArray[np.float32]) -> NDArray[np.float64]:
        """The probability that each passage answers: 1 / (1 + exp(-(intercept + weights · features)))."""
        logit = self.intercept + self.cosine * cosine.astype(np.float64) + self.lexical * lexical.astype(np.float64)
        return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)
