"""The release gate: a reply leaves sentence by sentence, and nothing that failed ever leaves."""

from __future__ import annotations

from handrail.guardrails.output.evidence import Evidence, Finding
from handrail.guardrails.output.reading import Line
from handrail.guardrails.output.review import Review, check_sentence, whole_findings
from handrail.guardrails.output.sentences import LOOKAHEAD, Sentence, sentences
from handrail.guardrails.output.sources import Sources
from handrail.guardrails.output.wording import Wording


class ReleaseGate:
    """Checks a reply while it arrives. One gate per attempt; not for use by several threads.

    A repair goes through a new gate whose `already` is the text that has left, so that it is checked in its context.
    """

    def __init__(self, evidence: Evidence, wording: Wording, already: str = "") -> None:
        self._wording = wording
        self._sources = Sources.of(evidence, wording.disclosure.person_keys, wording.records)
        self._text = f"{already.rstrip()}\n\n" if already.strip() else ""
        self._lines: list[Line] = [Line.of(sentence, wording.lexicon) for sentence in sentences(self._text)]
        self._findings: list[Finding] = []
        self._released: list[Sentence] = []
        self._closed = False

    def offer(self, chunk: str) -> tuple[Sentence, ...]:
        """Take the next piece of text; returns the sentences that may leave now, in order.

        A sentence is checked once its end cannot move any more. After the first finding nothing leaves.
        """
        if self._closed:
            raise ValueError("the gate is closed; open a new one for a repair")
        if self._findings:
            return ()
        self._text += chunk
        if len(self._text) > self._wording.form.characters:
            self._findings += whole_findings(self._text, self._wording)
            return ()
        return self._advance(is_last=False)

    def close(self) -> tuple[tuple[Sentence, ...], Review]:
        """Check what is left and the whole; returns the sentences that may leave now, and the review.

        The review's `released` are all sentences that have left through this gate.
        """
        self._closed = True
        leaving: tuple[Sentence, ...] = ()
        if not self._findings:
            self._findings += whole_findings(self._text, self._wording)
        if not self._findings:
            leaving = self._advance(is_last=True)
        return leaving, Review(findings=tuple(self._findings), released=tuple(self._released))

    def _advance(self, is_last: bool) -> tuple[Sentence, ...]:
        leaving: list[Sentence] = []
        last = self._lines[-1].sentence if self._lines else None
        for sentence in sentences(self._text, last):
            if not is_last and len(self._text[sentence.span.end :].lstrip()) < LOOKAHEAD:
                break
            found = check_sentence(sentence, self._lines, self._sources, self._wording)
            if found:
                # INVARIANT: a sentence with a finding, and all that follows it, stays inside.
                self._findings += found
                break
            leaving.append(sentence)
        self._released += leaving
        return tuple(leaving)
