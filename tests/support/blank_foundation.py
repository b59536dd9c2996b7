"""A foundation that knows nothing: every need state is as likely, and it has heard of no signal."""

import numpy as np

from handrail.guardrails.detect.features import FeatureSpace
from handrail.guardrails.detect.foundation import FORMAT, CardScores, Foundation, ModelCard
from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.vocabulary import NeedState


def blank_foundation(encoder: Encoder) -> Foundation:
    """Made for `encoder`, whatever it is."""
    card = ModelCard(
        format=FORMAT,
        recipe=0,
        encoder=encoder.revision,
        corpus_sha256="0" * 64,
        states=tuple(NeedState),
        codes=(),
        temperature=1.0,
        sources=(),
        scores=CardScores(need_accuracy=0.0, calibration_error=0.0, recalls={}, false_alarms={}),
    )
    inner = encoder.deep_dimensions - encoder.dimensions
    space = FeatureSpace(
        np.zeros(inner, dtype=np.float32), encoder.dimensions, Lexicon.of(("word",), np.ones(1, dtype=np.float32))
    )
    return Foundation(
        card,
        space,
        np.zeros((encoder.dimensions + 2, len(NeedState)), dtype=np.float32),
        np.zeros((encoder.deep_dimensions + 2, 0), dtype=np.float32),
    )
