"""Training of a foundation from a corpus: deterministic, a few minutes on one core for 15,000 rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.detect.calibration import calibration_error, steps_of
from handrail.guardrails.detect.corpus import Corpus, LabelledRow
from handrail.guardrails.detect.features import FeatureSpace
from handrail.guardrails.detect.foundation import FORMAT, CardScores, Foundation, ModelCard, SourceUsed
from handrail.guardrails.detect.lessons import CODES, GRAVE, PLANTED, STATES, Lessons, lessons_of
from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.detect.passage import (
    AMONG_ITS_LIKE,
    AMONG_OTHERS,
    STRANGENESS,
    similarity_to_the_rest,
)
from handrail.guardrails.detect.reading import read
from handrail.guardrails.detect.regression import (
    Design,
    Matrix,
    fit_sigmoids,
    fit_softmax,
    fit_temperature,
    softmax,
)
from handrail.guardrails.detect.wording import telling, wording
from handrail.guardrails.encoder import Encoder

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RECIPE = 2
FOLDS = 4
STATE_L2 = 3e-6
SIGNAL_L2 = 1e-5
MIN_COUNT = 3  # of a term, over all rows
GRAVE_ALARMS = 0.022  # share of rows without grave signals, near misses among them, that may be reported for any
ALARMS = 0.015  # the same for each other signal
SPECIAL_ALARMS = {
    "HUMAN_REQUESTED": 0.008,
    "FRUSTRATION": 0.03,
    "INJECTION_SUSPECTED": 0.004,
    PLANTED: 0.08,  # of passages and tool results, most of them with what looks like an instruction
}
NEVER = 100.0  # a score that is never reached: of signals that no row shows
UNKNOWN_LICENCE = "not stated"

Report = Callable[[str], None]


def train_foundation(
    corpus: Corpus,
    encoder: Encoder,
    licences: Mapping[str, str],
    report: Report = lambda _line: None,
    *,
    states_only: bool = False,
) -> Foundation:
    """Learn need states and signals from `corpus`.

    Thresholds and calibration come from rows of data sets that were left out of training, four groups in turn: what is
    learnt from some companies is judged on others.

    Args:
        corpus: Labelled rows; need states or signals that no row shows are never reported.
        encoder: Whose vectors are the features.
        licences: Licence by the name of a data set, for the card.
        report: Called with a line before each step that takes long.
        states_only: Leave the signals out, which takes a third of the time; for measurements.
    """
    lessons = lessons_of(corpus.rows)
    report(f"Embedding {len(lessons.rows)} of {len(corpus.rows)} rows ...")
    words = [telling(read(row.text).words) for row in lessons.rows]
    deep = encoder.encode_deep([wording(text) for text in words])
    width = encoder.dimensions
    space = FeatureSpace(
        np.asarray(deep[:, width:].mean(axis=0), dtype=np.float32), width, Lexicon.learn(words, MIN_COUNT)
    )
    dense = space.dense(deep)
    sparse = space.lexicon.matrix([space.lexicon.read(text) for text in words])
    report("Fitting need states ...")
    state_weights, held_states = _fit_states(lessons, dense[:, :width], sparse)
    if states_only:
        held_signals = np.zeros((len(dense), len(CODES)), dtype=np.float32)
        signal_weights = np.zeros((dense.shape[1] + sparse.shape[1] + 1, len(CODES)), dtype=np.float32)
    else:
        report("Fitting signals ...")
        strangeness = strangeness_of(lessons, deep[:, :width])
        signal_weights, held_signals = _fit_signals(lessons, dense, sparse, strangeness)
    taught_states = lessons.states >= 0
    temperature = fit_temperature(
        held_states[taught_states], lessons.states[taught_states], lessons.state_weights[taught_states]
    )
    starts = operating_points(lessons, held_signals)
    signal_weights[-1] -= starts
    card = ModelCard(
        format=FORMAT,
        recipe=RECIPE,
        encoder=encoder.revision,
        corpus_sha256=corpus.sha256,
        states=STATES,
        codes=CODES,
        temperature=temperature,
        sources=_sources(lessons.rows, licences),
        scores=_scores(lessons, held_states / temperature, held_signals - starts),
    )
    return Foundation(card, space, state_weights, signal_weights)


def _folds(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """The fold of each row: whole data sets, the largest first, each to the fold that is smallest so far."""
    sizes = Counter(groups.tolist())
    loads = [0] * FOLDS
    fold_of: dict[int, int] = {}
    for group, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        fold_of[group] = min(range(FOLDS), key=lambda number: loads[number])
        loads[fold_of[group]] += size
    return np.array([fold_of[group] for group in groups.tolist()], dtype=np.intp)


def _fit_states(lessons: Lessons, dense: Matrix, sparse: csr_array) -> tuple[Matrix, Matrix]:
    """Weights from all rows, and scores of each row from the other folds."""
    rows = np.flatnonzero(lessons.states >= 0)
    design = Design.of(dense[rows], sparse[rows])
    classes, weights = lessons.states[rows], lessons.state_weights[rows]

    def fit(part: Design, kept: NDArray[np.intp]) -> Matrix:
        return fit_softmax(part, classes[kept], len(STATES), weights[kept], STATE_L2)

    held = np.zeros((len(dense), len(STATES)), dtype=np.float32)
    held[rows] = _held_out(design, _folds(lessons.groups)[rows], fit, len(STATES))
    return fit(design, np.arange(len(rows))), held


def strangeness_of(lessons: Lessons, embeddings: Matrix) -> Matrix:
    """What is added to the scores of each row for how far it is from its passage, shape (n, codes).

    Only planted instructions are judged by it. Messages stand in no passage: those that teach what is planted count as
    if they stood among other matters, all others as if among their like.
    """
    column = CODES.index(PLANTED)
    near = np.where(lessons.present[:, column] == 1, AMONG_OTHERS, AMONG_ITS_LIKE).astype(np.float32)
    for passage in np.unique(lessons.passages[lessons.passages >= 0]):
        within = np.flatnonzero(lessons.passages == passage)
        near[within] = similarity_to_the_rest(embeddings[within])
    offset = np.zeros((len(near), len(CODES)), dtype=np.float32)
    offset[:, column] = -STRANGENESS * near
    return offset


def _fit_signals(lessons: Lessons, dense: Matrix, sparse: csr_array, strangeness: Matrix) -> tuple[Matrix, Matrix]:
    """Weights from all rows that tell of a signal, and scores of each such row from the other folds."""
    rows = np.flatnonzero(lessons.weights.any(axis=1))
    design = Design.of(dense[rows], sparse[rows])
    present, weights, offset = lessons.present[rows], lessons.weights[rows], strangeness[rows]

    def fit(part: Design, kept: NDArray[np.intp]) -> Matrix:
        return fit_sigmoids(part, present[kept], weights[kept], SIGNAL_L2, offset[kept])

    folds = _folds(lessons.groups)
    # Typed attacks and harmless messages with their words come from few sources, which would be left out all at once.
    hostile = np.flatnonzero([row.is_injection is not None for row in lessons.rows] & (lessons.passages < 0))
    folds[hostile] = np.arange(len(hostile)) % FOLDS
    held = np.zeros((len(dense), len(CODES)), dtype=np.float32)
    held[rows] = _held_out(design, folds[rows], fit, len(CODES)) + offset
    return fit(design, np.arange(len(rows))), held


def _held_out(
    design: Design, folds: NDArray[np.intp], fit: Callable[[Design, NDArray[np.intp]], Matrix], outputs: int
) -> Matrix:
    """Scores of each row by weights from the other folds; zeros where there are no others."""
    held = np.zeros((len(design), outputs), dtype=np.float32)
    for fold in range(FOLDS):
        kept, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(kept) and len(left):
            held[left] = design.taken(left).scores(fit(design.taken(kept), kept))
    return held


def operating_points(lessons: Lessons, held: Matrix) -> Matrix:
    """From which score on each signal is reported, so that false alarms on left-out rows stay within their share.

    The grave signals have one point together, since any of them makes a message grave.
    """
    starts = np.zeros(len(CODES), dtype=np.float32)
    # Sets of attacks hold harmless tasks for assistants, too: they teach, but they are nothing that a customer or an
    # article says.
    ordinary = np.array([row.is_injection is None or row.label is None for row in lessons.rows])
    grave = [CODES.index(code) for code in GRAVE]
    # On rows that state their signals, half of them near misses: an ordinary message is told apart more easily.
    known = np.array([row.signals is not None for row in lessons.rows])
    none = known & (lessons.present[:, grave].sum(axis=1) == 0)
    starts[grave] = _quantile(held[none][:, grave].max(axis=1) if none.any() else np.zeros(1), GRAVE_ALARMS)
    for column, code in enumerate(CODES):
        if column not in grave:
            without = (lessons.weights[:, column] > 0) & (lessons.present[:, column] == 0)
            scores = held[without & ordinary, column] if code != PLANTED else _of_harmless_passages(lessons, held)
            starts[column] = _quantile(scores, SPECIAL_ALARMS.get(code, ALARMS))
    starts[~lessons.present.any(axis=0)] = NEVER
    return starts


def _of_harmless_passages(lessons: Lessons, held: Matrix) -> NDArray[np.float32]:
    """The highest score for a planted instruction in each passage and tool result that holds none."""
    column = CODES.index(PLANTED)
    worst: dict[int, float] = {}
    hostile = set(lessons.passages[lessons.present[:, column] == 1].tolist())
    for passage, score in zip(lessons.passages.tolist(), held[:, column].tolist(), strict=True):
        if passage >= 0 and passage not in hostile:
            worst[passage] = max(score, worst.get(passage, score))
    return np.array([*worst.values()], dtype=np.float32)


def _quantile(scores: NDArray[np.floating], share: float) -> float:
    return float(np.quantile(scores, 1.0 - share)) if len(scores) else 0.0


def _sources(rows: Sequence[LabelledRow], licences: Mapping[str, str]) -> tuple[SourceUsed, ...]:
    counts = Counter(row.source.partition("/")[0] for row in rows)
    return tuple(
        SourceUsed(name=name, rows=count, licence=licences.get(name, UNKNOWN_LICENCE))
        for name, count in sorted(counts.items())
    )


def _scores(lessons: Lessons, states: Matrix, signals: Matrix) -> CardScores:
    used = lessons.states >= 0
    chances = softmax(states[used])
    right = chances.argmax(axis=1) == lessons.states[used]
    recalls, alarms = {}, {}
    for column, code in enumerate(CODES):
        counted = lessons.weights[:, column] > 0
        there = lessons.present[:, column] == 1
        found = signals[:, column] >= 0
        recalls[code] = _share(found[counted & there])
        alarms[code] = _share(found[counted & ~there])
    return CardScores(
        need_accuracy=_share(right),
        calibration_error=calibration_error(steps_of(chances.max(axis=1), right)),
        recalls=recalls,
        false_alarms=alarms,
    )


def _share(found: NDArray[np.bool_]) -> float:
    return round(float(found.mean()), 4) if len(found) else 0.0
