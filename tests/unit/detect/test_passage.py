"""Passages sentence by sentence, and how far each stands from the rest."""

from __future__ import annotations

import numpy as np
import pytest

from handrail.guardrails.detect.passage import ALONE, LONG_SENTENCE, sentences, similarity_to_the_rest
from handrail.guardrails.detect.reading import read


def texts(text: str) -> list[str]:
    """The sentences as they stand in the text."""
    reading = read(text)
    spans = [reading.span(sentence.first, sentence.end) for sentence in sentences(reading)]
    return [text[span.start : span.end] for span in spans if span is not None]


def test_sentences_end_where_there_is_space_behind() -> None:
    """The dots of addresses, hosts and file names end none; headings and list items stand alone."""
    found = texts(
        "Write to help@fernwell.example or open app.fernwell.example/start. Wait a minute.\n\n## What this means\n"
    )
    assert found == [
        "Write to help@fernwell.example or open app.fernwell.example/start",
        "Wait a minute",
        "What this means",
    ]


def test_too_short_ones_are_left_out_and_very_long_ones_cut() -> None:
    """Two words ask for nothing; a text without any full stop is looked at in pieces."""
    assert texts("Hello there. Press the button twice.") == ["Press the button twice"]
    assert len(sentences(read("word " * (LONG_SENTENCE * 2 + 5)))) == 3
    assert sentences(read("")) == ()


def test_what_is_about_something_else_stands_apart() -> None:
    """Rows of length one: two are alike, one is not; a single one has nothing to be compared with."""
    rows = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)
    near = similarity_to_the_rest(rows)
    assert near[1] > near[0] > near[2] - 0.2
    assert near[0] == pytest.approx(0.8 / np.hypot(0.8, 1.6), abs=1e-5)
    assert similarity_to_the_rest(rows[:1]).tolist() == [pytest.approx(ALONE)]
    assert len(similarity_to_the_rest(rows[:0])) == 0


def test_opposites_do_not_divide_by_nothing() -> None:
    """The others may add up to nothing."""
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=np.float32)
    assert np.isfinite(similarity_to_the_rest(rows)).all()
