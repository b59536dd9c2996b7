"""A passage: text that is no message, sentence by sentence, and how far each stands from the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from handrail.guardrails.detect.phrases import Hit
from handrail.guardrails.detect.reading import Reading
from handrail.guardrails.detect.regression import Matrix
from handrail.guardrails.detect.wording import telling

MIN_WORDS = 3  # fewer are no instruction
LONG_SENTENCE = 60  # words; more are looked at in pieces

STRANGENESS = 15.0
"""What one unit of cosine similarity to the rest takes from the score of a planted instruction: what somebody planted
is about something else. Chosen with whole sets of attacks left out; 10 and 20 do nearly as well."""
ALONE = 0.25  # similarity that a sentence without any others counts with
AMONG_ITS_LIKE = 0.35  # that of ordinary sentences of which it is not known what stood around them
AMONG_OTHERS = 0.1  # that of planted ones


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a part of a very long one: token positions, end exclusive, and the words that tell something."""

    first: int
    end: int
    words: tuple[str, ...]

    def has(self, hits: Sequence[Hit]) -> bool:
        """Whether a phrase begins here."""
        return any(self.first <= hit.first < self.end for hit in hits)


def sentences(reading: Reading) -> tuple[Sentence, ...]:
    """The sentences that are long enough to ask for something, in order."""
    return tuple(
        Sentence(first, end, telling(reading.words[first:end]))
        for first, end in _bounds(reading)
        if end - first >= MIN_WORDS
    )


def similarity_to_the_rest(embeddings: Matrix) -> Matrix:
    """The cosine of each row to the sum of the other rows, shape (n,); `ALONE` for a single one.

    Rows are embeddings of length one, the sentences of one passage.
    """
    if len(embeddings) < 2:
        return np.full(len(embeddings), ALONE, dtype=np.float32)
    others = embeddings.sum(axis=0) - embeddings
    lengths = np.maximum(np.linalg.norm(others, axis=1), 1e-9)
    return np.asarray((embeddings * others).sum(axis=1) / lengths, dtype=np.float32)


def _bounds(reading: Reading) -> Iterator[tuple[int, int]]:
    first = 0
    for position in range(1, len(reading.tokens) + 1):
        if position == len(reading.tokens) or position - first >= LONG_SENTENCE or _begins(reading, position):
            yield first, position
            first = position


def _begins(reading: Reading, position: int) -> bool:
    """Whether a sentence begins at a token; the dots within addresses and file names, common in articles, end none."""
    before, token = reading.tokens[position - 1], reading.tokens[position]
    gap = reading.text[before.end : token.start]
    return token.sentence != before.sentence and any(character.isspace() for character in gap)
