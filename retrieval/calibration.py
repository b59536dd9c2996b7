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
        agreement: 1 for the passages of the document that embeddings and words alike put first, else 0.
    """

    cosine: NDArray[np.float32]
    passage_words: NDArray[np.float32]
    document_words: NDArray[np.float32]
    agreement: NDArray[np.float32]


class Calibration(Frozen):
    """A logistic model of "this passage answers the query", stored with the base that it was used for.

    The weights are those of `Features`; `threshold` is the score of "good enough". The shipped values were fitted with
    all-MiniLM-L6-v2 to one half of the sample questions (split by a hash of their ids): ridge-penalised logistic
    regression of the right best matches of answerable questions against the best matches of unanswerable ones, both
    kinds weighing the same. The threshold is the lowest that refuses 9 in 10 of the unanswerable ones of that half,
    rounded up. The score is a probability only for such a mixture of questions.
    """

    intercept: float = -5.1
    cosine: float = 6.1
    passage_words: float = 2.0
    document_words: float = 5.7
    agreement: float = 1.4
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.4

    def scores(self, features: Features) -> NDArray[np.float64]:
        """The score of every passage: 1 / (1 + exp(-(intercept + weights · features)))."""
        logit = (
            self.intercept
            + self.cosine * np.maximum(features.cosine, 0.0).astype(np.float64)
            + self.passage_words * features.passage_words.astype(np.float64)
            + self.document_words * features.document_words.astype(np.float64)
            + self.agreement * features.agreement.astype(np.float64)
        )
        return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)
