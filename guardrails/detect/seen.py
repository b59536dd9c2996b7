"""A message as every detector sees it: its words, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass

from handrail.guardrails.detect.likeness import Likeness, TextReading
from handrail.guardrails.detect.reading import Reading
from handrail.guardrails.detect.wording import wording
from handrail.guardrails.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading and its texts: the whole one first and, where there are several clauses, one for each of them."""

    reading: Reading
    texts: tuple[TextReading, ...]

    @classmethod
    def of(cls, reading: Reading, likeness: Likeness, encoder: Encoder) -> Seen:
        """Embed the whole text and its clauses."""
        words = reading.telling_words
        return cls(reading, likeness.read(encoder.encode_deep([wording(text) for text in words]), words))
