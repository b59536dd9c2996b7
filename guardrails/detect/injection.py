"""Screening of untrusted text, such as passages and tool results, for instructions to the model."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from pydantic import JsonValue

from handrail.guardrails.detect.config import INJECTION, DetectionConfig
from handrail.guardrails.detect.lessons import PLANTED
from handrail.guardrails.detect.likeness import Likeness
from handrail.guardrails.detect.phrases import Hit, PhraseIndex
from handrail.guardrails.detect.reading import Reading, read
from handrail.guardrails.detect.wording import telling, wording
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Signal, Span

NAME = "injection"
TEXT_CUT = "TEXT_CUT"
WINDOW = 5_000  # characters read at a time
OVERLAP = 300  # so that a phrase on the border is seen whole
MAX_WINDOWS = 40
LOOKED_AT = 3  # sentences of a window that are embedded: those whose words are most suspicious
MIN_WORDS = 3  # fewer are no instruction
LONG_SENTENCE = 60  # words; more are looked at in pieces
REPORTED = 0.5


class InjectionScreen:
    """Reads whole texts in windows, where detection of messages reads beginning and end.

    A sentence is suspicious by a phrase of the bundle or by its words, which costs no embedding; the foundation, which
    has seen instructions and harmless help texts, judges the most suspicious ones.
    """

    def __init__(self, config: DetectionConfig, likeness: Likeness, encoder: Encoder) -> None:
        spec = config.signal(INJECTION)
        if spec is None:
            raise ConfigError([f"The signal {INJECTION} is missing; add it to the signals of the bundle."])
        self._phrases = PhraseIndex(spec.phrases)
        self._floor = config.thresholds.phrase_floor
        self._likeness = likeness
        self._encoder = encoder

    def screen(self, text: str) -> tuple[Signal, ...]:
        """INJECTION_SUSPECTED at the first suspicious place of `text`; TEXT_CUT when its end was not read."""
        for start in range(0, min(len(text), MAX_WINDOWS * WINDOW) or 1, WINDOW):
            found = self._in_window(text[start : start + WINDOW + OVERLAP], start)
            if found is not None:
                return (found,)
        if len(text) > MAX_WINDOWS * WINDOW:
            return (Signal(code=TEXT_CUT, detector=NAME, score=1.0),)
        return ()

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        """The same for every text in a structure, keys included, as one text; spans mean nothing and are left out."""
        joined = "\n".join(_texts(content))
        return tuple(signal.model_copy(update={"span": None}) for signal in self.screen(joined))

    def _in_window(self, text: str, start: int) -> Signal | None:
        reading = read(text)
        if not reading.tokens:
            return None
        hits = self._phrases.find(reading.tokens)
        sentences = [*_sentences(reading)]
        for sentence in self._most_suspicious(sentences, reading, hits):
            words = telling(reading.words[sentence.first : sentence.end])
            (seen,) = self._likeness.read(self._encoder.encode_deep([wording(words)]), [words])
            likeness = self._likeness.planted(seen, PLANTED)
            if likeness >= (self._floor if sentence.has(hits) else REPORTED):
                span = reading.span(sentence.first, sentence.end)
                return _signal(likeness, span, start)
        return None

    def _most_suspicious(self, sentences: list[_Piece], reading: Reading, hits: tuple[Hit, ...]) -> list[_Piece]:
        """The sentences to look at, in the order of the text."""

        def suspicion(piece: _Piece) -> float:
            words = telling(reading.words[piece.first : piece.end])
            return self._likeness.suspicion(words, PLANTED) + (10.0 if piece.has(hits) else 0.0)

        long_enough = [piece for piece in sentences if piece.end - piece.first >= MIN_WORDS]
        return sorted(heapq.nlargest(LOOKED_AT, long_enough, key=suspicion), key=lambda piece: piece.first)


class _Piece:
    """A sentence, or a part of a very long one: token positions, end exclusive."""

    __slots__ = ("end", "first")

    def __init__(self, first: int, end: int) -> None:
        self.first = first
        self.end = end

    def has(self, hits: tuple[Hit, ...]) -> bool:
        """Whether a phrase begins here."""
        return any(self.first <= hit.first < self.end for hit in hits)


def _sentences(reading: Reading) -> Iterator[_Piece]:
    first = 0
    for position in range(1, len(reading.tokens) + 1):
        ends = position == len(reading.tokens) or reading.tokens[position].sentence != reading.tokens[first].sentence
        if ends or position - first >= LONG_SENTENCE:
            yield _Piece(first, position)
            first = position


def _signal(likeness: float, span: Span | None, shift: int) -> Signal:
    moved = None if span is None else Span(start=span.start + shift, end=span.end + shift)
    return Signal(code=INJECTION, detector=NAME, score=round(likeness, 4), span=moved)


def _texts(content: JsonValue) -> Iterator[str]:
    """Every string of the structure, without recursion, so that no depth can break it."""
    pending: list[JsonValue] = [content]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, dict):
            for key, value in reversed(item.items()):
                pending.extend((value, key))
