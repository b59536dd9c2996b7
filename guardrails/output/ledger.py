"""OUT_COMMITMENT: what was promised earlier in the conversation may be said again, and nothing may contradict it."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.lexicon import tokens
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import Said
from handrail.guardrails.output.stems import content_stems

CODE = "OUT_COMMITMENT"

_SUBJECT = 2
"""Words that a promise must have for another sentence to be about the same."""

_SAME_MATTER = 0.75
"""Share of the words of a promise that another sentence about the same has."""


def check(view: View) -> Iterator[Finding]:
    """A sentence about what was promised earlier that names another figure, or denies it."""
    line = view.line
    if (
        view.sources.promised
        and not line.is_question
        and any(_contradicts(view, said, index) for said, index in _promised(view))
    ):
        yield line.finding(CODE, 0, len(line.sentence.text), "contradicts an earlier promise")


def repeats(view: View) -> bool:
    """Whether the sentence says an earlier promise again: none of its words is new, and none of its figures."""
    line = view.line
    words = line.folded
    for value in reversed(line.values):
        words = words[: value.start] + words[value.end :]
    return any(
        content_stems(words) <= said.stems
        and all(index.holds(value) for value in line.values)
        and _is_negative(view, said) == ("negation" in line.marks)
        for said, index in _promised(view)
    )


def _promised(view: View) -> Iterator[tuple[Said, ValueIndex]]:
    for promise in view.sources.promised:
        yield from ((said, promise.index) for said in promise.said)


def _contradicts(view: View, said: Said, index: ValueIndex) -> bool:
    line = view.line
    words = {stem for stem in said.stems if not stem[0].isdigit()}
    if len(words) < _SUBJECT or len(words & line.stems) < _SAME_MATTER * len(words):
        return False
    kinds = {value.kind for value in extract(said.text)}
    if any(value.kind in kinds and not index.holds(value) for value in line.values):
        return True
    return _is_negative(view, said) != ("negation" in line.marks)


def _is_negative(view: View, said: Said) -> bool:
    return "negation" in view.wording.lexicon.mark(tokens(fold(said.text)))
