"""Lessons: what the rows of a corpus teach about need states and signals, and how much each counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.detect.config import INJECTION
from handrail.guardrails.detect.corpus import CLEAR, LabelledRow, Where
from handrail.guardrails.detect.passage import sentences
from handrail.guardrails.detect.reading import read
from handrail.guardrails.detect.regression import Matrix
from handrail.guardrails.vocabulary import NeedState, RiskTier

PLANTED = "planted_instruction"
"""Known to the foundation alone: an instruction within text that is no message. A customer may ask for a poem."""

STATES = tuple(NeedState)
CODES = (
    "RISK_FRAUD",
    "RISK_CHARGE_DISPUTE",
    "RISK_CHARGEBACK",
    "RISK_TAKEOVER",
    "RISK_LEGAL",
    "RISK_SAFETY",
    "RISK_REGULATED",
    "VULNERABILITY",
    "ABUSE",
    "CHURN_THREAT",
    "FRUSTRATION",
    "HUMAN_REQUESTED",
    "ALREADY_TRIED",
    INJECTION,
    PLANTED,
)
GRAVE = CODES[:8]
"""Signals that make a message high or critical: they share one operating point."""

CELL = 200  # rows per source and need state; more of the same company teaches little, and weighs no more
SIGNAL_CELL = 40  # of these, how many are examples of what is no signal
NEED_ROW = 0.5  # weight of a row that only tells its need state, as an example of what is no signal
MOOD_ROW = 0.2  # the same for moods: a request may be annoyed without its label saying so
POSITIVE_SHARE = 0.5  # of the total weight of a signal
PLANTED_SHARE = 0.6  # of the characters of a sentence, from which on it is the planted one
TASK_ROW = 0.5  # weight of what somebody asks a general assistant: planted in a passage, it is an instruction
FOREIGN_ROW = 0.2  # the same for what customers ask that no support is for

MOODS = frozenset({"ABUSE", "CHURN_THREAT", "FRUSTRATION", "ALREADY_TRIED"})
# A row with this need state is an instance of the signal.
IMPLIED = {NeedState.HUMAN_REQUEST: "HUMAN_REQUESTED", NeedState.ACCOUNT_TAKEOVER: "RISK_TAKEOVER"}
# A row with this need state may or may not hold these signals.
OPEN = {
    NeedState.ACCOUNT_TAKEOVER: frozenset({"RISK_FRAUD"}),
    NeedState.BILLING_CHARGES: frozenset({"RISK_CHARGE_DISPUTE", "RISK_CHARGEBACK", "RISK_FRAUD"}),
    NeedState.ACCESS_RESTORE: frozenset({"RISK_TAKEOVER", "ALREADY_TRIED"}),
    NeedState.INCIDENT: frozenset({"ALREADY_TRIED"}),
    NeedState.POLICY_COMPLIANCE: frozenset({"RISK_REGULATED"}),
}


@dataclass(frozen=True, slots=True)
class Lessons:
    """What rows teach.

    Attributes:
        rows: The rows that are learnt from.
        states: Position of the need state in `STATES`, -1 where it is not taught, shape (n,).
        state_weights: Shape (n,); each pair of data set and need state weighs the same, each need state too.
        present: 1 where a signal is present, shape (n, codes).
        weights: How much a row counts for a signal; 0 where it says nothing, shape (n, codes).
        groups: The data set of each row, by number, shape (n,).
        passages: The passage or tool result that a row is a sentence of, by number; -1 for messages. Shape (n,).
    """

    rows: tuple[LabelledRow, ...]
    states: NDArray[np.intp]
    state_weights: Matrix
    present: Matrix
    weights: Matrix
    groups: NDArray[np.intp]
    passages: NDArray[np.intp]


def lessons_of(rows: Sequence[LabelledRow]) -> Lessons:
    """Pick at most `CELL` clear rows per source and need state, evenly over the file, and say what they teach.

    Passages and tool results teach sentence by sentence, as they are screened.
    """
    cut = [*_cut(_taken([row for row in rows if row.confidence == CLEAR]))]
    taken = tuple(row for row, _ in cut)
    passages = np.array([passage for _, passage in cut], dtype=np.intp)
    states = np.array([-1 if row.need_state is None else STATES.index(row.need_state) for row in taken], dtype=np.intp)
    present = np.zeros((len(taken), len(CODES)), dtype=np.float32)
    weights = np.zeros_like(present)
    sizes = Counter((row.source, row.need_state) for row in taken if row.signals is None)
    seen: Counter[tuple[str, NeedState | None]] = Counter()
    for position, row in enumerate(taken):
        if row.signals is None and row.is_injection is None:
            cell = row.source, row.need_state
            seen[cell] += 1
            if seen[cell] % max(sizes[cell] // SIGNAL_CELL, 1):
                continue
        for column, code in enumerate(CODES):
            present[position, column] = float(_holds(row, code))
            weights[position, column] = _counts(row, code)
    names = [row.dataset for row in taken]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    groups = np.array([numbers[name] for name in names], dtype=np.intp)
    return Lessons(taken, states, _even(states, groups), present, _balanced(present, weights), groups, passages)


def _cut(rows: Iterable[LabelledRow]) -> Iterator[tuple[LabelledRow, int]]:
    """Rows with the number of their passage; a passage becomes its sentences, of which the planted ones are attacks."""
    for number, row in enumerate(rows):
        if row.where is Where.MESSAGE or row.is_injection is None:
            yield row, -1
            continue
        start = row.text.index(row.attack) if row.attack is not None else 0
        end = start + len(row.attack) if row.attack is not None else len(row.text) * row.is_injection
        reading = read(row.text)
        for sentence in sentences(reading):
            span = reading.span(sentence.first, sentence.end)
            if span is not None:
                inside = min(span.end, end) - max(span.start, start)
                update = {
                    "text": row.text[span.start : span.end],
                    "attack": None,
                    "injection": inside >= PLANTED_SHARE * (span.end - span.start),
                }
                yield row.model_copy(update=update), number


def _taken(rows: Sequence[LabelledRow]) -> list[LabelledRow]:
    cells: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        if row.signals is None and row.is_injection is None:
            cells[row.source, row.need_state.value if row.need_state else ""].append(position)
    dropped: set[int] = set()
    for (_, state), positions in cells.items():
        count = min(CELL, len(positions)) if state else 0
        kept = {positions[place * len(positions) // count] for place in range(count)}
        dropped |= set(positions) - kept
    return [row for position, row in enumerate(rows) if position not in dropped]


def _even(states: NDArray[np.intp], groups: NDArray[np.intp]) -> Matrix:
    cells = Counter(zip(states.tolist(), groups.tolist(), strict=True))
    shared = Counter(state for state, _ in cells)
    found = [
        0.0 if state < 0 else 1.0 / cells[state, group] / shared[state]
        for state, group in zip(states.tolist(), groups.tolist(), strict=True)
    ]
    return np.array(found, dtype=np.float32)


def _holds(row: LabelledRow, code: str) -> bool:
    if code in {INJECTION, PLANTED}:
        # Customers may ask for a poem in capitals; a passage that does is no passage.
        if code == PLANTED:
            return bool(row.is_injection) or _is_task(row) or row.need_state is NeedState.OUT_OF_SCOPE
        return bool(row.is_injection) and _addresses_the_model(row)
    if row.signals is not None:
        return code in row.signals
    return row.need_state is not None and IMPLIED.get(row.need_state) == code


def _counts(row: LabelledRow, code: str) -> float:
    """How much the row counts for the signal, before the two sides are balanced."""
    if row.is_injection is not None:
        return _screening_counts(row, code)
    if code in {INJECTION, PLANTED}:
        return FOREIGN_ROW if code == PLANTED and row.need_state is NeedState.OUT_OF_SCOPE else NEED_ROW
    if row.signals is not None:
        return 1.0
    if row.need_state is None or row.risk not in {None, RiskTier.LOW, RiskTier.MEDIUM, RiskTier.HIGH}:
        return 0.0
    if code in OPEN.get(row.need_state, frozenset()):
        return 0.0
    return MOOD_ROW if code in MOODS else NEED_ROW


def _screening_counts(row: LabelledRow, code: str) -> float:
    if code == PLANTED:
        return TASK_ROW if row.where is Where.MESSAGE else 1.0
    typed = row.where is Where.MESSAGE and (not row.is_injection or _addresses_the_model(row))
    return float(code == INJECTION and typed)


def _is_task(row: LabelledRow) -> bool:
    """Sets of attacks hold harmless tasks for assistants, too."""
    return row.is_injection is False and row.label is not None


def _addresses_the_model(row: LabelledRow) -> bool:
    return row.where is Where.MESSAGE and not row.source.startswith("bipia")


def _balanced(present: Matrix, weights: Matrix) -> Matrix:
    """Give the instances of each signal `POSITIVE_SHARE` of its weight, however few they are."""
    positive = np.maximum((weights * present).sum(axis=0), 1e-9)
    negative = np.maximum((weights * (1.0 - present)).sum(axis=0), 1e-9)
    factors = np.where(present == 1.0, POSITIVE_SHARE / positive, (1.0 - POSITIVE_SHARE) / negative)
    return np.asarray(weights * factors, dtype=np.float32)
