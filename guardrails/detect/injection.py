"""Screening of untrusted text, such as passages and tool results, for instructions to the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydantic import JsonValue

from handrail.guardrails.detect.config import INJECTION, DetectionConfig
from handrail.guardrails.detect.likeness import Likeness
from handrail.guardrails.detect.reading import Reading, read
from handrail.guardrails.detect.signal_detector import ANYWHERE, SignalDetector
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Signal, Span

NAME = "injection"
TEXT_CUT = "TEXT_CUT"
WINDOW = 5_000  # characters read at a time
OVERLAP = 300  # so that a phrase on the border is seen whole
MAX_WINDOWS = 40


class InjectionScreen:
    """Reads whole texts in windows, where detection of messages reads beginning and end."""

    def __init__(self, config: DetectionConfig, likeness: Likeness, encoder: Encoder) -> None:
        spec = config.signal(INJECTION)
        if spec is None:
            raise ConfigError([f"The signal {INJECTION} is missing; add it to the signals of the bundle."])
        # What is planted in a page resembles no message, so none of the examples has to be near.
        self._detector = SignalDetector((spec,), likeness, ANYWHERE)
        self._encoder = encoder

    def screen(self, text: str) -> tuple[Signal, ...]:
        """INJECTION_SUSPECTED at the first suspicious place of `text`; TEXT_CUT when its end was not read."""
        signals: tuple[Signal, ...] = ()
        for start in range(0, min(len(text), MAX_WINDOWS * WINDOW) or 1, WINDOW):
            signals = tuple(_shift(found, start) for found in self._detect(text[start : start + WINDOW + OVERLAP]))
            if signals:
                break
        if len(text) > MAX_WINDOWS * WINDOW and not signals:
            signals = (Signal(code=TEXT_CUT, detector=NAME, score=1.0),)
        return signals

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        """The same for every text in a structure, keys included, as one text; spans mean nothing and are left out."""
        joined = "\n".join(_texts(content))
        return tuple(signal.model_copy(update={"span": None}) for signal in self.screen(joined))

    def _detect(self, text: str) -> tuple[Signal, ...]:
        reading = _prepared(read(text), self._encoder)
        return tuple(signal.model_copy(update={"detector": NAME}) for signal in self._detector.detect(reading))


def _prepared(reading: Reading, encoder: Encoder) -> Reading:
    return replace(reading, vectors=encoder.encode(reading.embedded_texts))


def _shift(signal: Signal, start: int) -> Signal:
    if signal.span is None or not start:
        return signal
    moved = Span(start=signal.span.start + start, end=signal.span.end + start)
    return signal.model_copy(update={"span": moved})


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
