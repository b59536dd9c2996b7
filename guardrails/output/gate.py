"""The release gate: a reply leaves sentence by sentence, and nothing that failed ever leaves."""

from __future__ import annotations

import re

from handrail.guardrails.output import prompt_leak
from handrail.guardrails.output.evidence import Evidence, Finding
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.review import Review, check_sentence, closing_findings, lines_of, whole_findings
from handrail.guardrails.output.sentences import LOOKAHEAD, Sentence, sentences
from handrail.guardrails.output.sources import Sources
from handrail.guardrails.output.wording import Wording

_STOP = re.compile("[.!?…\n\uff0e\u3002]")
"""Characters that a sentence may end with, look-alikes among them."""


class ReleaseGate:
    """Checks a reply while it arrives. One gate per attempt; not for use by several threads.

    `already` is text that has left, with the white space that separates it from what comes: the same reply so far, or
    what a repair or a resumed turn goes on from. What comes is checked in its context.
    """

    def __init__(self, evidence: Evidence, wording: Wording, already: str = "") -> None:
        self._wording = wording
        self._sources = Sources.of(evidence, wording.disclosure.person_keys, wording.records)
        self._text = already
        self._lines: list[Line] = lines_of(already, wording)
        self._findings: list[Finding] = []
        self._released: list[Sentence] = []
        self._held: list[Sentence] = []
        self._looked = len(already)
        self._closed = False

    def offer(self, chunk: str) -> tuple[Sentence, ...]:
        """Take the next piece of text; returns the sentences that may leave now, in order.

        A sentence is checked once its end cannot move any more. One that what follows might make a part of something
        forbidden waits for the next to pass. After the first finding nothing leaves.
        """
        if self._closed:
            raise ValueError("the gate is closed; open a new one for a repair")
        if self._findings:
            return ()
        self._text += chunk
        if len(self._text) > self._wording.form.characters:
            self._findings += whole_findings(self._text, self._wording)
            return ()
        return self._advance(is_last=False) if self._may_end() else ()

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

    def _may_end(self) -> bool:
        """Whether some sentence may have ended since the last look; each place is looked at until that is certain."""
        may = False
        for stop in _STOP.finditer(self._text, self._looked):
            if len(self._text[stop.end() :].lstrip()) < LOOKAHEAD:
                self._looked = stop.start()
                return may
            may = True
        self._looked = len(self._text)
        return may

    def _advance(self, is_last: bool) -> tuple[Sentence, ...]:
        last = self._lines[-1].sentence if self._lines else None
        leaving: list[Sentence] = []
        for sentence in sentences(self._text, last):
            if not is_last and len(self._text[sentence.span.end :].lstrip()) < LOOKAHEAD:
                break
            found = check_sentence(sentence, self._lines, self._sources, self._wording)
            if found:
                # INVARIANT: a sentence with a finding, all that follows it, and what waited for it, stay inside.
                self._findings += found
                break
            self._held.append(sentence)
            leaving += self._freed()
        if is_last and not self._findings:
            self._findings += closing_findings(self._lines, self._sources, self._wording)
            leaving += self._held[:-1] if self._findings else self._held
            self._held.clear()
        self._released += leaving
        return tuple(leaving)

    def _freed(self) -> list[Sentence]:
        """Of those that have passed, the ones that nothing which follows can make a part of something forbidden."""
        kept = len(self._held) - self._waiting()
        freed, self._held = self._held[:kept], self._held[kept:]
        return freed

    def _waiting(self) -> int:
        """How many of the last sentences wait for the next: where a leak may have begun, and a line that leads on."""
        open_ended = prompt_leak.begun(View(tuple(self._lines), self._sources, self._wording))
        waiting = 1 if self._held[-1].text.rstrip("*_ ").endswith(":") else 0
        reached = 0
        for count, line in enumerate(reversed(self._lines[-len(self._held) :]), start=1):
            if reached >= open_ended:
                break
            reached += len(line.squashed)
            waiting = max(waiting, count)
        return waiting
