"""Few examples of a company's own: how far they raise need states on the rest of its messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from handrail.evals.detection.need_states import score_needs
from handrail.evals.detection.told import Tier, tell
from handrail.guardrails.detect.config import DetectionConfig, IntentFile, IntentSpec
from handrail.guardrails.detect.corpus import CLEAR, LabelledRow
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.detect.suite import DetectorSuite
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.vocabulary import Frozen, NeedState

COUNTS = (0, 5, 10, 20)
MAX_ROWS = 1_500  # rows that are read per set
MAX_EXAMPLE = 400  # characters of an example in a bundle
SEED = 5


class FewShot(Frozen):
    """Macro-F1 of one left-out set, when the bundle holds so many examples per intent of it."""

    source: str
    examples: int
    intents: int
    n: int
    macro_f1: float


def few_shot_curve(
    source: str,
    rows: Sequence[LabelledRow],
    foundation: Foundation,
    config: DetectionConfig,
    encoder: Encoder,
    tier: Tier,
) -> tuple[FewShot, ...]:
    """Add examples of the source's own intents to the bundle and read the same other rows each time."""
    by_label: dict[tuple[NeedState, str], list[LabelledRow]] = defaultdict(list)
    draw = np.random.default_rng(SEED)
    usable = [row for row in rows if row.confidence == CLEAR and row.need_state and len(row.text) <= MAX_EXAMPLE]
    for place in draw.permutation(len(usable)):
        row = usable[place]
        if row.need_state is not None:
            by_label[row.need_state, str(row.label)].append(row)
    named = {key: found for key, found in by_label.items() if len(found) > 2 * min(COUNTS[1:])}
    held = [row for found in named.values() for row in found[max(COUNTS) :]]
    kept = held[:: len(held) // MAX_ROWS + 1]
    curve: list[FewShot] = []
    for count in COUNTS:
        files = tuple(
            IntentFile(
                need_state=state,
                intents=(
                    IntentSpec(id=f"few_{number}", title=label, examples=tuple(row.text for row in found[:count])),
                ),
            )
            for number, ((state, label), found) in enumerate(named.items())
            if count
        )
        own = config.model_copy(update={"intents": (*config.intents, *files)})
        suite = DetectorSuite.on(foundation, own, encoder, cache_dir=None)
        score = score_needs(source, tell(suite, tier, kept))
        if score is not None:
            curve.append(FewShot(source=source, examples=count, intents=len(named), n=score.n, macro_f1=score.macro_f1))
    return tuple(curve)
