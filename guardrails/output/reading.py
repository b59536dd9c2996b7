"""A reply as the checks see it: sentence by sentence, with values, words and what came before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from handrail.guardrails.output.equations import Equation, equations
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.extract import extract_signed
from handrail.guardrails.output.fold import fold, lower, squash
from handrail.guardrails.output.lexicon import Lexicon, Marks, Place, offsets, tokens
from handrail.guardrails.output.sentences import Sentence
from handrail.guardrails.output.signs import DIGIT, may_state
from handrail.guardrails.output.sources import Sources
from handrail.guardrails.output.stems import stems_in
from handrail.guardrails.output.values import Form, Value
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.vocabulary import Span

_CAPITAL = re.compile(r"[A-ZÄÖÜ][a-zà-öø-ÿß]")


@dataclass(frozen=True)
class Line:
    """One sentence read: values (offsets within the sentence), words, and the places of the word classes.

    A list item is read together with the line that introduces it ("I will:"); `led` is how many tokens that has;
    `folded` has the length of the sentence, as has `plain`, the same in lower case; `pieces` are what stands between
    its white space, and `signs` those of values in them. `squashed` are its letters and digits in a row;
    `has_name_inside` says whether a capital with a small letter behind it stands anywhere but at its beginning.
    """

    sentence: Sentence
    folded: str
    plain: str
    pieces: Sequence[str]
    values: tuple[Value, ...]
    tokens: tuple[str, ...]
    marks: Marks
    led: int
    signs: int
    squashed: str
    has_name_inside: bool

    @classmethod
    def of(cls, sentence: Sentence, lexicon: Lexicon) -> Line:
        """Read `sentence`."""
        folded = fold(sentence.text)
        plain = lower(folded)
        pieces = plain.split()
        lead = tokens(fold(sentence.lead)) if sentence.lead else ()
        signs, found, marks = lexicon.read(pieces, lead)
        values = extract_signed(folded, plain, signs) if may_state(signs) else ()
        if values:
            lexicon.mark_values(marks, folded, values, len(lead))
        return cls(
            sentence,
            folded,
            plain,
            pieces,
            values,
            tuple(found),
            marks,
            len(lead),
            signs,
            squash(folded),
            _CAPITAL.search(folded, 1) is not None,
        )

    @property
    def has_digit(self) -> bool:
        """Whether a digit stands in it."""
        return self.signs & DIGIT != 0

    @cached_property
    def stems(self) -> frozenset[str]:
        """Its words that carry meaning."""
        return stems_in(self.folded.lower().split())

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """The equations that it writes out."""
        return tuple(equations(self.plain))

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

    def finding_at(self, code: str, place: Place, detail: str) -> Finding:
        """A finding at a range of tokens."""
        places = offsets(self.folded)
        first, last = place[0] - self.led, place[1] - 1 - self.led
        start = places[first][0] if first >= 0 else 0
        end = places[last][1] if last >= 0 else len(self.sentence.text)
        return self.finding(code, start, end, detail)


@dataclass(frozen=True)
class View:
    """What a check may look at for the last of `lines`: the reply up to its end, the sources, the policy's words."""

    lines: tuple[Line, ...]
    sources: Sources
    wording: Wording
    line: Line = field(init=False)
    """The sentence under question."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", self.lines[-1])

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """The equations of the sentence of which a source has some number."""
        if not self.line.equations:
            return ()
        known = [value.start for value in self.line.values if self.sources.hold(value)]
        return tuple(one for one in self.line.equations if any(one.start <= at < one.result[0] for at in known))

    @property
    def earlier(self) -> tuple[Line, ...]:
        """The sentences before it."""
        return self.lines[:-1]
