"""All checks over a reply: detectors that report. What follows from a finding is policy's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handrail.guardrails.output import (
    actions,
    commitments,
    confidential,
    credentials,
    ledger,
    markup,
    names,
    people,
    personal,
    prompt_leak,
    repetition,
    unsourced,
)
from handrail.guardrails.output.evidence import Evidence, Finding
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sentences import Sentence, sentences
from handrail.guardrails.output.sources import Sources
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.policy.facts import fact
from handrail.guardrails.vocabulary import FactUsed, Frozen, Span

Check = Callable[[View], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    commitments.check,
    ledger.check,
    actions.check,
    unsourced.check,
    personal.check,
    names.check,
    credentials.check,
    confidential.check,
    prompt_leak.check,
    repetition.check,
    people.check,
    markup.check,
)
"""Each looks at the last sentence of a view. Adding a check is one module and one line here."""


class Review(Frozen):
    """What is wrong with a reply, and its sentences up to the first that has a finding."""

    findings: tuple[Finding, ...]
    released: tuple[Sentence, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes found, sorted, each once: the fact `findings`."""
        return tuple(sorted({finding.code for finding in self.findings}))

    def facts(self, repairs_left: int, speaker: str) -> tuple[FactUsed, ...]:
        """What policy may ask about a reply of `speaker` (model, flow, text) that can be mended so often yet."""
        return (
            fact("findings", self.codes, "output_checks"),
            fact("findings_count", len(self.findings), "output_checks"),
            fact("repairs_left", repairs_left, "flow"),
            fact("speaker", speaker, "flow"),
        )


def review(reply: str, evidence: Evidence, wording: Wording, already: str = "") -> Review:
    """Check a whole reply. Over the length limit nothing but the length is looked at.

    `already` is text in front of it that has left, with the white space between the two: it was checked when it left,
    and is the context of what follows. Offsets count from its beginning.
    """
    text = already + reply
    whole = whole_findings(text, wording)
    if whole:
        return Review(findings=whole, released=())
    sources = Sources.of(evidence, wording.disclosure.person_keys, wording.records)
    findings: list[Finding] = []
    released: list[Sentence] = []
    lines = lines_of(already, wording)
    for sentence in sentences(text, lines[-1].sentence if lines else None):
        found = check_sentence(sentence, lines, sources, wording)
        findings += found
        if not findings:
            released.append(sentence)
    found = () if findings else closing_findings(lines, sources, wording)
    if found:
        findings += found
        released = released[:-1]
    return Review(findings=tuple(findings), released=tuple(released))


def lines_of(already: str, wording: Wording) -> list[Line]:
    """The lines of a text that has left."""
    return [Line.of(sentence, wording.lexicon) for sentence in sentences(already)]


def check_sentence(sentence: Sentence, lines: list[Line], sources: Sources, wording: Wording) -> tuple[Finding, ...]:
    """Read `sentence`, append it to `lines` (the reply so far) and return what is wrong with it there."""
    lines.append(Line.of(sentence, wording.lexicon))
    view = View(tuple(lines), sources, wording)
    return tuple(finding for check in CHECKS for finding in check(view))


def closing_findings(lines: list[Line], sources: Sources, wording: Wording) -> tuple[Finding, ...]:
    """What only the end of a reply can tell: that all of it leaves out what it owes."""
    return tuple(people.close(View(tuple(lines), sources, wording))) if lines else ()


def whole_findings(reply: str, wording: Wording) -> tuple[Finding, ...]:
    """What can be wrong with a reply as a whole: nothing in it, or too much."""
    if len(reply) > wording.form.characters:
        return (_over(len(reply), wording),)
    if not any(char.isalnum() for char in reply):
        return (Finding(code="OUT_EMPTY", span=Span(start=0, end=len(reply)), sentence=0, detail="no words"),)
    return ()


def _over(length: int, wording: Wording) -> Finding:
    span = Span(start=wording.form.characters, end=length)
    return Finding(code="OUT_TOO_LONG", span=span, sentence=0, detail=f"over {wording.form.characters} characters")
