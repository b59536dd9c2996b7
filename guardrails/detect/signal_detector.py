"""Signals by phrases and likeness: what is written in `signals/*.yaml` of the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from handrail.guardrails.detect.config import Negation, SignalSpec, Thresholds
from handrail.guardrails.detect.likeness import Likeness, TextReading
from handrail.guardrails.detect.phrases import Hit, PhraseIndex
from handrail.guardrails.detect.reading import Reading, Token
from handrail.guardrails.detect.regression import Matrix
from handrail.guardrails.detect.seen import Seen
from handrail.guardrails.vocabulary import Signal, Span

NAME = "signals"
PHRASE_SCORE = 0.9
SEVERAL_PHRASES_SCORE = 0.97
HINTS_SCORE = 0.7
HINT_DISCOUNT = 0.85  # one hint lowers the threshold of likeness by this factor

NEGATION_REACH = 4  # words before a phrase in which a negation counts
NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "dont",
        "doesnt",
        "didnt",
        "isnt",
        "wasnt",
        "arent",
        "werent",
        "wont",
        "wouldnt",
        "havent",
        "hasnt",
        "without",
        "neither",
        "nor",
    ]
)
# "I don't know how to ..." negates the knowing, not what follows.
BARRIERS = frozenset(
    [
        "and",
        "but",
        "so",
        "because",
        "then",
        "or",
        "yet",
        "since",
        "how",
        "what",
        "where",
        "when",
        "which",
        "whether",
        "who",
    ]
)


class Part(Enum):
    """Which list of a signal a phrase stands in."""

    PHRASE = "phrase"
    HINT = "hint"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class Owner:
    """The signal, by position, and the list that a phrase of the joint index belongs to."""

    signal: int
    part: Part


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near an instance of a signal must be before likeness alone reports it (cosine similarities).

    Attributes:
        nearest: Similarity that the nearest instance has at least.
        lead: By how much an example of something else may be nearer.
        phrase_floor: Likeness below which a phrase is taken for a mention, of signals that the foundation knows.
    """

    nearest: float
    lead: float
    phrase_floor: float

    @classmethod
    def of(cls, limits: Thresholds) -> Nearness:
        """What the bundle asks for."""
        return cls(limits.signal_nearest, limits.signal_lead, limits.phrase_floor)


@dataclass(slots=True)
class _Findings:
    """What was found for one signal."""

    phrases: list[Hit]
    hints: list[Hit]
    mentions: list[Hit]


class SignalDetector:
    """Finds every declared signal in one pass over the words and one product with the embeddings."""

    def __init__(self, signals: Sequence[SignalSpec], likeness: Likeness, nearness: Nearness) -> None:
        self._signals = tuple(signals)
        self._likeness = likeness
        self._nearness = nearness
        self._columns = [likeness.trained.codes.index(signal.code) for signal in signals]
        phrases: list[str] = []
        self._owners: list[Owner] = []
        for position, signal in enumerate(signals):
            for part, texts in (
                (Part.PHRASE, signal.phrases),
                (Part.HINT, signal.hints),
                (Part.MENTION, signal.mentions),
            ):
                phrases.extend(texts)
                self._owners.extend(Owner(position, part) for _ in texts)
        self._index = PhraseIndex(tuple(phrases))

    def detect(self, seen: Seen) -> tuple[Signal, ...]:
        """At most one signal per code, the surest one."""
        likeness = np.stack([self._likeness.signals(text) for text in seen.texts])[:, self._columns]
        findings = self._findings(seen.reading.tokens)
        found = (
            self._judge(signal, findings.get(position), likeness[:, position], seen)
            for position, signal in enumerate(self._signals)
        )
        return tuple(signal for signal in found if signal is not None)

    def _findings(self, tokens: Sequence[Token]) -> dict[int, _Findings]:
        findings: dict[int, _Findings] = {}
        for hit in self._index.find(tokens):
            owner = self._owners[hit.phrase]
            own = findings.setdefault(owner.signal, _Findings([], [], []))
            {Part.PHRASE: own.phrases, Part.HINT: own.hints, Part.MENTION: own.mentions}[owner.part].append(hit)
        return findings

    def _judge(self, spec: SignalSpec, findings: _Findings | None, likeness: Matrix, seen: Seen) -> Signal | None:
        if findings is None:
            return self._by_likeness(spec, likeness, seen, frozenset())
        reading = seen.reading
        silenced = {_clause_of(hit, reading) for hit in findings.mentions}
        live: list[Hit] = []
        for hit in findings.phrases:
            clause = _clause_of(hit, reading)
            if clause in silenced:
                continue
            if spec.negation is Negation.CANCELS and negated(hit, reading.tokens):
                silenced.add(clause)
            else:
                live.append(hit)
        if live and self._is_meant(spec, likeness):
            score = PHRASE_SCORE if len({hit.phrase for hit in live}) == 1 else SEVERAL_PHRASES_SCORE
            return _signal(spec, score, reading.span(live[0].first, live[0].end))
        hints = [hit for hit in findings.hints if _clause_of(hit, reading) not in silenced]
        return _by_hints(spec, hints, likeness, reading) or self._by_likeness(spec, likeness, seen, frozenset(silenced))

    def _is_meant(self, spec: SignalSpec, likeness: Matrix) -> bool:
        """A phrase counts unless the foundation, which knows the signal, sees nothing of it in any clause."""
        return not self._likeness.knows(spec.code) or float(likeness.max()) >= self._nearness.phrase_floor

    def _by_likeness(self, spec: SignalSpec, likeness: Matrix, seen: Seen, silenced: frozenset[int]) -> Signal | None:
        """The clause, or the whole text, that looks most like the signal; what is silenced does not count.

        Far from every example a linear score is extrapolation, so an instance of the signal has to be near.
        """
        rows = [row for row in range(len(likeness)) if not silenced or (row and row - 1 not in silenced)]
        for row in sorted(rows, key=lambda row: -float(likeness[row])):
            if likeness[row] < spec.threshold:
                return None
            if self._is_near(spec, seen.texts[row]):
                span = seen.reading.clauses[row - 1].span if row else None
                return _signal(spec, float(likeness[row]), span)
        return None

    def _is_near(self, spec: SignalSpec, text: TextReading) -> bool:
        if self._likeness.knows(spec.code):
            return True
        kinship = self._likeness.kinship(spec.code, text)
        lead = kinship.other - kinship.instance
        return kinship.instance >= self._nearness.nearest and lead <= self._nearness.lead


def negated(hit: Hit, tokens: Sequence[Token]) -> bool:
    """Whether a negation within reach governs the phrase: not beyond a comma or "and", nor as in "why don't you"."""
    for position in range(hit.first - 1, max(-1, hit.first - 1 - NEGATION_REACH), -1):
        if tokens[position + 1].comma or tokens[position].word in BARRIERS:
            return False
        if tokens[position].sentence != tokens[hit.first].sentence:
            return False
        if tokens[position].word in NEGATIONS:
            asked = tokens[position + 1].word in {"you", "only", "just"} and position + 1 < hit.first
            urged = position > 0 and tokens[position - 1].word == "why"
            return not asked and not urged
    return False


def _clause_of(hit: Hit, reading: Reading) -> int:
    for number, clause in enumerate(reading.clauses):
        if clause.first <= hit.first < clause.end:
            return number
    return -1


def _by_hints(spec: SignalSpec, hints: Sequence[Hit], likeness: Matrix, reading: Reading) -> Signal | None:
    if not hints:
        return None
    span = reading.span(hints[0].first, hints[0].end)
    if len({hit.phrase for hit in hints}) > 1:
        return _signal(spec, max(HINTS_SCORE, float(likeness.max())), span)
    if float(likeness.max()) >= spec.threshold * HINT_DISCOUNT:
        return _signal(spec, max(spec.threshold, float(likeness.max())), span)
    return None


def _signal(spec: SignalSpec, score: float, span: Span | None) -> Signal:
    return Signal(code=spec.code, detector=NAME, score=round(min(score, 1.0), 4), span=span)
