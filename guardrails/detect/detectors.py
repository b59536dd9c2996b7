"""The detectors, in the order in which their signals are listed. A new one is a module and a line here."""

from __future__ import annotations

from typing import Protocol

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.likeness import Likeness
from handrail.guardrails.detect.personal import find_personal_data
from handrail.guardrails.detect.reading import HEAD, TAIL
from handrail.guardrails.detect.seen import Seen
from handrail.guardrails.detect.signal_detector import Nearness, SignalDetector
from handrail.guardrails.vocabulary import Signal, Span


class Detector(Protocol):
    """Reports what it sees in one message. It may be asked from several threads at once."""

    def detect(self, seen: Seen) -> tuple[Signal, ...]:
        """Signals with codes of the catalogue and spans in the original text."""
        ...


class PersonalDataDetector:
    """Personal data in the part of the message that is read; masking reads all of it."""

    def detect(self, seen: Seen) -> tuple[Signal, ...]:
        """Signals of `find_personal_data`."""
        reading = seen.reading
        if not reading.cut:
            return find_personal_data(reading.text)
        shift = len(reading.text) - TAIL
        tail = find_personal_data(reading.text[shift:])
        return (*find_personal_data(reading.text[:HEAD]), *(_moved(signal, shift) for signal in tail))


class LengthDetector:
    """Says when a message was too long to be read whole."""

    def detect(self, seen: Seen) -> tuple[Signal, ...]:
        """TEXT_CUT, or nothing; the span is the part that was not read."""
        reading = seen.reading
        if not reading.cut:
            return ()
        span = Span(start=HEAD, end=len(reading.text) - TAIL)
        return (Signal(code="TEXT_CUT", detector="length", score=1.0, span=span),)


def build_detectors(config: DetectionConfig, likeness: Likeness) -> tuple[Detector, ...]:
    """All detectors of messages."""
    return (
        SignalDetector(config.signals, likeness, Nearness.of(config.thresholds)),
        PersonalDataDetector(),
        LengthDetector(),
    )


def _moved(signal: Signal, shift: int) -> Signal:
    if signal.span is None:
        return signal
    return signal.model_copy(update={"span": Span(start=signal.span.start + shift, end=signal.span.end + shift)})
