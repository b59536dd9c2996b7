"""From features of a match to one calibrated score, and the threshold above which a passage is good enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from handrail.guardrails.vocabulary import Frozen


@dataclass(frozen=True, slots=True)
class Features:
    """How well passages match a query; all arrays have the same shape, all values lie between 0 and 1.

    Attributes:
        cosine: Similarity of the embeddings (negative ones count as 0).
        passage_words: Share of the query's words in the passage, weighted as in `LexicalIndex.scores`.
        document_words: The same for the whole document.
    """

    cosine: NDArray[np.float32]
    passage_words: NDArray[np.float32]
    document_words: NDArray[np.float32]


class Calibration(Frozen):
    """A logistic model of "this passage answers the query", stored with the base that it was used for.

    The weights are those of `Features`; `threshold` is the score of "good enough".
    """

    intercept: float = -4.44
    cosine: float = 5.4
    passage_words: float = 3.2
    document_words: float = 6.2
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5

    def scores(self, features: Features) -> NDArray[np.float64]:
        """The score of every passage: 1 / (1 + exp(-(intercept + weights · features)))."""
        logit = (
            self.intercept
            + self.cosine * np.maximum(features.cosine, 0.0).astype(np.float64)
            + self.passage_words * features.passage_words.astype(np.float64)
            + self.document_words * features.document_words.astype(np.float64)
        )
        return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)
