"""OUT_REPEATED_PASSAGE: the same passage or the same sentences again, with nothing new beside them."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sources import content_stems, said

CODE = "OUT_REPEATED_PASSAGE"

_SUBSTANCE = 5
"""Sentences with fewer words that carry meaning (greetings, offers) are neither a repetition nor new."""


def check(view: View) -> Iterator[Finding]:
    """A finding on the last sentence when it repeats and most of the reply so far has been said before."""
    known = _shown_before(view)
    if not known:
        return
    repeated, new = 0, 0
    last_repeats = False
    for line in view.lines:
        stems = content_stems(line.sentence.text)
        last_repeats = len(stems) >= _SUBSTANCE and _is_known(view, stems, known)
        if last_repeats:
            repeated += len(stems)
        elif len(stems) >= _SUBSTANCE:
            new += len(stems)
    if last_repeats and repeated > view.wording.form.repeated_share * (repeated + new):
        yield view.line.finding(CODE, 0, len(view.line.sentence.text), "said before")


def _shown_before(view: View) -> tuple[frozenset[str], ...]:
    evidence = view.sources.evidence
    shown = set(evidence.shown)
    passages = (part.stems for passage, indexed in view.sources.passages if passage.passage_id in shown for part in indexed.said)
    replies = (part.stems for reply in evidence.earlier_replies for part in said(reply))
    return tuple(stems for stems in (*passages, *replies) if len(stems) >= _SUBSTANCE)


def _is_known(view: View, stems: frozenset[str], known: tuple[frozenset[str], ...]) -> bool:
    share = view.wording.form.near_same
    return any(len(stems & other) >= share * min(len(stems | other), len(stems) + 2) for other in known)


def repeats(line: Line, view: View) -> bool:
    """Whether `line` alone was said before."""
    stems = content_stems(line.sentence.text)
    return len(stems) >= _SUBSTANCE and _is_known(view, stems, _shown_before(view))
