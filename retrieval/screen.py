"""Which documents go into quarantine at ingest, because their text addresses the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from handrail.guardrails.vocabulary import Signal
from handrail.retrieval.documents import Document
from handrail.retrieval.generation import Quarantine
from handrail.retrieval.reading.splitter import split

AT_ONCE = 4_000
"""Characters that are screened at once; instructions are shorter than the `OVERLAP` of two such stretches."""

OVERLAP = 1_000


class Screen(Protocol):
    """Reports instructions to the model in a text; no signal means that there are none."""

    @property
    def revision(self) -> str:
        """Changes when the same text may be judged otherwise; it is kept with what has been screened."""
        ...

    def __call__(self, text: str) -> tuple[Signal, ...]:
        """The signals of `text`."""
        ...


def screen_document(document: Document, screen: Screen) -> Quarantine | None:
    """Whether a document goes into quarantine: its title or any stretch of its text, comments included, is suspect.

    The whole document goes, because whoever hid one instruction in it may have hidden another one better.
    """
    for line, text in ((0, document.card.title), *_stretches(document)):
        signals = screen(text)
        if signals:
            start = min((signal.span.start for signal in signals if signal.span is not None), default=0)
            return Quarantine(
                doc_id=document.card.doc_id,
                path=document.card.path,
                line=document.line(line + text.count("\n", 0, start)) if line else document.first_line,
                signals=tuple(sorted({signal.code for signal in signals})),
            )
    return None


def _stretches(document: Document) -> Iterator[tuple[int, str]]:
    for piece in split(document.body):
        text = f"{piece.heading}\n{piece.text}" if piece.heading else piece.text
        # A screen may look at no more than the beginning and the end of a long text, and words have no longest.
        for start in range(0, max(1, len(text) - OVERLAP), AT_ONCE - OVERLAP):
            yield piece.line + text.count("\n", 0, start), text[start : start + AT_ONCE]
