"""A reply as the checks see it: sentence by sentence, with values, words and what came before."""

from __future__ import annotations

from dataclasses import dataclass

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.lexicon import Lexicon, Marks, Token, tokens
from handrail.guardrails.output.sentences import Sentence
from handrail.guardrails.output.sources import Sources
from handrail.guardrails.output.values import Form, Value
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.vocabulary import Span


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence read: values (offsets within the sentence), words, and the places of the word classes.

    A list item is read together with the line that introduces it ("I will:"), whose tokens have offset -1.
    """

    sentence: Sentence
    values: tuple[Value, ...]
    tokens: tuple[Token, ...]
    marks: Marks

    @classmethod
    def of(cls, sentence: Sentence, lexicon: Lexicon) -> Line:
        """Read `sentence`."""
        values = extract(sentence.text)
        found = tokens(sentence.text)
        if sentence.lead:
            found = [*(Token(token.word, -1, -1) for token in tokens(sentence.lead)), *found]
        return cls(sentence, values, tuple(found), lexicon.mark(found, values))

    @property
    def is_question(self) -> bool:
        """Whether the sentence asks something."""
        return self.sentence.text.rstrip("*_\"') ").endswith("?")

    def markers(self) -> tuple[int, ...]:
        """The number of the list item this line is, if it is one."""
        return tuple(
            int(value.keys[0]) for value in self.values if value.form is Form.MARKER and value.keys[0].isdigit()
        )

    def finding(self, code: str, start: int, end: int, detail: str) -> Finding:
        """A finding at [start, end) of the sentence, with offsets of the whole reply."""
        first = self.sentence.span.start
        span = Span(start=first + max(0, start), end=first + max(start + 1, end, 1))
        return Finding(code=code, span=span, sentence=self.sentence.index, detail=detail)

    def finding_at(self, code: str, place: tuple[int, int], detail: str) -> Finding:
        """A finding at a range of tokens."""
        start, end = self.tokens[place[0]].start, self.tokens[place[1] - 1].end
        return self.finding(code, start, end if end > 0 else len(self.sentence.text), detail)


@dataclass(frozen=True, slots=True)
class View:
    """What a check may look at for the last of `lines`: the reply up to its end, the sources, the policy's words."""

    lines: tuple[Line, ...]
    sources: Sources
    wording: Wording

    @property
    def line(self) -> Line:
        """The sentence under question."""
        return self.lines[-1]

    @property
    def earlier(self) -> tuple[Line, ...]:
        """The sentences before it."""
        return self.lines[:-1]
