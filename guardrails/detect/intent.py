"""Which need state and intent a message has: one, several, taken from earlier messages, or unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handrail.guardrails.detect.config import Context, DetectionConfig
from handrail.guardrails.detect.likeness import IntentScores, Likeness
from handrail.guardrails.detect.reading import Reading
from handrail.guardrails.detect.seen import Seen
from handrail.guardrails.vocabulary import Alternative, NeedState, Signal

NAME = "intent"
DETECTED = "INTENT_DETECTED"
UNKNOWN = "INTENT_UNKNOWN"
SEVERAL = "INTENT_SEVERAL"
FROM_EARLIER = "INTENT_FROM_EARLIER"

SHORT_WORDS = 6  # an unknown message of at most so many words is taken as a continuation
DIALOGUE = frozenset({"ANSWER_YES", "ANSWER_NO", "RESOLVED"})


@dataclass(frozen=True, slots=True)
class IntentReading:
    """The outcome. `need_state` None means unknown; `need_states` holds all, the main one first."""

    need_state: NeedState | None
    intent: str | None
    confidence: float
    need_states: tuple[NeedState, ...]
    alternatives: tuple[Alternative, ...]
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    state: NeedState
    intent: str | None
    confidence: float


class IntentReader:
    """Reads intents by likeness to the examples, with an open set: unknown is an answer."""

    def __init__(self, config: DetectionConfig, likeness: Likeness) -> None:
        self._config = config
        self._limits = config.thresholds
        self._likeness = likeness
        self._state_of = config.need_state_of

    def read(self, seen: Seen, signals: Sequence[Signal]) -> IntentReading:
        """The intents of one message, judged by itself; `signals` are those found in it."""
        if not len(seen.texts[0].general.terms.columns):
            return self._outcome(
                None, self._implied(signals), self._likeness.intents(seen.texts[0])
            )  # no word is known
        texts = [self._likeness.intents(text) for text in seen.texts]
        implied = self._implied(signals)
        candidates = [candidate for scores in texts if (candidate := self._accepted(scores)) is not None]
        main = self._main(texts[0], candidates, implied)
        clauses = [self._accepted(scores, self._limits.several_above) for scores in texts[1:]]
        others = [*(candidate for candidate in clauses if candidate is not None), *implied]
        return self._outcome(main, others, texts[0])

    def continues(self, reading: Reading, outcome: IntentReading, signals: Sequence[Signal]) -> bool:
        """Whether the message goes on about an earlier subject instead of stating its own."""
        codes = {signal.code for signal in signals}
        carrying = {spec.code for spec in self._config.signals if spec.context is Context.CONTINUES}
        small = outcome.need_state in {None, NeedState.OUT_OF_SCOPE}
        if codes & (carrying | DIALOGUE):
            return small or len(reading.tokens) <= SHORT_WORDS
        return outcome.need_state is None and len(reading.tokens) <= SHORT_WORDS

    def unknown(self, own: IntentReading) -> IntentReading:
        """`own` without a need state, where what it was read from says nothing of one."""
        return IntentReading(None, None, own.confidence, (), own.alternatives, (_signal(UNKNOWN, 1.0),))

    def answered(self, own: IntentReading, reading: Reading, signals: Sequence[Signal]) -> IntentReading:
        """`own` without the need that a bare answer seems to state: "yes, I did that too" is about what was asked."""
        codes = {signal.code for signal in signals}
        if (
            not codes & DIALOGUE
            or len(reading.tokens) > SHORT_WORDS
            or own.need_state in {None, NeedState.OUT_OF_SCOPE}
        ):
            return own
        return self.unknown(own)

    def taken_over(self, own: IntentReading, earlier: IntentReading) -> IntentReading:
        """`own` with the subject of an earlier message, at a discount."""
        confidence = round(earlier.confidence * self._limits.earlier_discount, 4)
        signals = (
            _signal(DETECTED, confidence),
            _signal(FROM_EARLIER, confidence),
        )
        states = tuple(dict.fromkeys((*earlier.need_states[:1], *_substantial(own.need_states))))
        return IntentReading(earlier.need_state, earlier.intent, confidence, states, own.alternatives, signals)

    def _accepted(self, scores: IntentScores, above: float | None = None) -> _Candidate | None:
        best = self._best(scores)
        enough = best.confidence >= (self._limits.unknown_below if above is None else above)
        return best if enough else None

    def _best(self, scores: IntentScores) -> _Candidate:
        state = max(scores.states, key=lambda name: scores.states[name])
        names = self._likeness.trained.intents
        intent = max(
            (position for position, name in enumerate(names) if self._state_of[name] is state),
            key=lambda position: float(scores.intents[position]),
        )
        is_near = float(scores.nearest[intent]) >= self._limits.intent_nearest
        return _Candidate(state, names[intent] if is_near else None, scores.states[state])

    def _main(
        self, whole: IntentScores, candidates: Sequence[_Candidate], implied: Sequence[_Candidate]
    ) -> _Candidate | None:
        """The reading of the whole text; greetings and asides around a request do not hide it."""
        first = self._accepted(whole)
        substantial = [candidate for candidate in candidates if candidate.state is not NeedState.OUT_OF_SCOPE]
        if first is None or (first.state is NeedState.OUT_OF_SCOPE and substantial):
            strong = [candidate for candidate in substantial if candidate.confidence >= self._limits.several_above]
            first = max(strong, key=lambda candidate: candidate.confidence, default=first)
        if implied and (first is None or first.state is NeedState.OUT_OF_SCOPE):
            return implied[0]
        return first

    def _implied(self, signals: Sequence[Signal]) -> list[_Candidate]:
        implied: list[_Candidate] = []
        for signal in signals:
            spec = self._config.signal(signal.code)
            if spec is not None and spec.implies is not None:
                implied.append(_Candidate(self._state_of[spec.implies], spec.implies, signal.score))
        return implied

    def _outcome(self, main: _Candidate | None, others: Sequence[_Candidate], whole: IntentScores) -> IntentReading:
        alternatives = self._alternatives(whole)
        if main is None:
            best = self._best(whole)
            signals = (_signal(UNKNOWN, 1.0 - best.confidence),)
            return IntentReading(None, None, round(best.confidence, 4), (), alternatives, signals)
        states = tuple(dict.fromkeys((main.state, *_substantial([other.state for other in others]))))
        confidence = round(min(main.confidence, 1.0), 4)
        found = [_signal(DETECTED, confidence)]
        if len(states) > 1:
            found.append(_signal(SEVERAL, confidence))
        return IntentReading(main.state, main.intent, confidence, states, alternatives, tuple(found))

    def _alternatives(self, scores: IntentScores) -> tuple[Alternative, ...]:
        names = self._likeness.trained.intents
        order = sorted(range(len(names)), key=lambda position: -float(scores.intents[position]))
        return tuple(
            Alternative(
                need_state=self._state_of[names[position]],
                intent=names[position],
                confidence=round(float(scores.intents[position]), 4),
            )
            for position in order[: self._limits.alternatives]
        )


def _substantial(states: Sequence[NeedState]) -> tuple[NeedState, ...]:
    return tuple(state for state in states if state is not NeedState.OUT_OF_SCOPE)


def _signal(code: str, score: float) -> Signal:
    return Signal(code=code, detector=NAME, score=round(min(max(score, 0.0), 1.0), 4))
