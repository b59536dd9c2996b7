"""Screening of untrusted text, such as passages and tool results, for instructions to the model."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from handrail.guardrails.detect.config import INJECTION, DetectionConfig
from handrail.guardrails.detect.lessons import PLANTED
from handrail.guardrails.detect.likeness import Likeness
from handrail.guardrails.detect.passage import STRANGENESS, Sentence, sentences, similarity_to_the_rest
from handrail.guardrails.detect.phrases import Hit, PhraseIndex
from handrail.guardrails.detect.reading import read
from handrail.guardrails.detect.wording import wording
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Signal, Span

NAME = "injection"
TEXT_CUT = "TEXT_CUT"
WINDOW = 5_000  # characters read at a time
OVERLAP = 300  # so that a phrase on the border is seen whole
MAX_WINDOWS = 40
SUSPECTS = 8  # sentences of a window that are judged, if there are many: those whose words are most suspicious
WITNESSES = 8  # and as many others, evenly over the window, that tell what it is about
REPORTED = 0.5


class InjectionScreen:
    """Reads whole texts in windows, where detection of messages reads beginning and end.

    A sentence is suspicious by a phrase of the bundle or by its words, which costs no embedding. The foundation, which
    has seen instructions and harmless help texts, judges the most suspicious ones, and how far each is from what the
    rest of the text is about.
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
        looked_at = sentences(reading)
        if not looked_at:
            return None
        hits = self._phrases.find(reading.tokens)
        if len(looked_at) > SUSPECTS + WITNESSES:
            looked_at = self._telling_ones(looked_at, hits)
        deep = self._encoder.encode_deep([wording(sentence.words) for sentence in looked_at])
        seen = self._likeness.read(deep, [sentence.words for sentence in looked_at])
        near = similarity_to_the_rest(deep[:, : self._encoder.dimensions])
        for sentence, text_seen, similarity in zip(looked_at, seen, near, strict=True):
            likeness = self._likeness.planted(text_seen, PLANTED, -STRANGENESS * float(similarity))
            if likeness >= (self._floor if sentence.has(hits) else REPORTED):
                return _signal(likeness, reading.span(sentence.first, sentence.end), start)
        return None

    def _telling_ones(self, all_of_them: Sequence[Sentence], hits: Sequence[Hit]) -> tuple[Sentence, ...]:
        """The most suspicious sentences and some of the rest, in the order of the text."""

        def suspicion(position: int) -> float:
            sentence = all_of_them[position]
            return self._likeness.suspicion(sentence.words, PLANTED) + (10.0 if sentence.has(hits) else 0.0)

        suspects = set(heapq.nlargest(SUSPECTS, range(len(all_of_them)), key=suspicion))
        rest = [position for position in range(len(all_of_them)) if position not in suspects]
        witnesses = {rest[number * len(rest) // WITNESSES] for number in range(WITNESSES)}
        return tuple(all_of_them[position] for position in sorted(suspects | witnesses))


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
