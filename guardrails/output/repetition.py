"""OUT_REPEATED_PASSAGE: the same passage or the same sentences again, with nothing new beside them."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.reading import Line, View

CODE = "OUT_REPEATED_PASSAGE"

_SUBSTANCE = 4
"""Sentences with fewer words that carry meaning (greetings, offers) are neither a repetition nor new."""


def check(view: View) -> Iterator[Finding]:
    """A finding on the last sentence when it repeats and most of the reply so far has been said before."""
    if not view.sources.shown or not _repeats(view, view.line):
        return
    repeated = sum(len(line.stems) for line in view.lines if _repeats(view, line))
    new = sum(len(line.stems) for line in view.lines if len(line.stems) >= _SUBSTANCE and not _repeats(view, line))
    if repeated > view.wording.form.repeated_share * (repeated + new):
        yield view.line.finding(CODE, 0, len(view.line.sentence.text), "said before")


def _repeats(view: View, line: Line) -> bool:
    """Whether the words of `line` are, but for a few, those of a sentence shown before."""
    stems, share = line.stems, view.wording.form.near_same
    return len(stems) >= _SUBSTANCE and any(
        len(stems & known) >= share * min(len(stems | known), len(stems) + 2)
        for known in view.sources.shown
        if len(known) >= _SUBSTANCE
    )
