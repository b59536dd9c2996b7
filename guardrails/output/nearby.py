"""What a value of a reply may be worked out from: values said just before it, and those of the sources it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.index import SOURCE_LIMIT
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sources import PassageIndex, content_stems
from handrail.guardrails.output.values import Form, Kind, Value

LINES = 3
TOTAL_LINES = 6
"""Sentences of the reply, the last included, whose values may be reckoned with; more where it sums up."""

_SUMS_UP = re.compile(r"(?<!\w)(?:total|altogether|together|in all|zusammen|insgesamt|summe|gesamt\w*)(?!\w)")

PASSAGES = 3
"""Passages that may be reckoned with: those that share most words with the reply and the customer's last message."""


class Group(NamedTuple):
    """Values that stand together, and whether in a text for everybody."""

    stated: tuple[Value, ...]
    is_public: bool


class Length(NamedTuple):
    """A length of time, whether the reply names it, and the words it stands among."""

    value: Value
    named: bool
    words: str


@dataclass(frozen=True)
class Nearby:
    """The surroundings of the values of one sentence.

    `sure` are the values of this sentence that a source states or that have been worked out already.
    """

    view: View
    sure: tuple[Value, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The sentences before this one that still count, nearest first."""
        most = TOTAL_LINES if _SUMS_UP.search(self.words) else LINES
        return tuple(reversed(self.view.earlier[-(most - 1) :]))

    @cached_property
    def said(self) -> tuple[Value, ...]:
        """The sure values of this sentence and those of the ones before (which had to pass), nearest first."""
        return (*self.sure, *(value for line in self.lines for value in line.values if value.form is not Form.MARKER))

    @cached_property
    def asked(self) -> tuple[Value, ...]:
        """The values of the customer's last message."""
        texts = self.view.sources.evidence.customer_texts[-1:]
        return tuple(value for text in texts for value in extract(text[:SOURCE_LIMIT]))

    @cached_property
    def words(self) -> str:
        """The sentence in lower case."""
        return self.view.line.folded.lower()

    @cached_property
    def stems(self) -> frozenset[str]:
        """Words the reply shares with what it speaks of: this sentence, the ones before, the customer's last words."""
        asked = self.view.sources.evidence.customer_texts[-1:]
        return _words(
            self.view.line.stems.union(*(line.stems for line in self.lines), *(content_stems(text) for text in asked))
        )

    @cached_property
    def passages(self) -> tuple[PassageIndex, ...]:
        """The passages that the reply speaks of, closest first."""
        ranked = sorted(
            ((len(self.stems & indexed.stems), indexed) for _, indexed in self.view.sources.passages),
            key=lambda pair: pair[0],
            reverse=True,
        )
        best = tuple(indexed for shared, indexed in ranked[:PASSAGES] if shared)
        return (*best, *self.view.sources.fixed)

    @cached_property
    def told(self) -> str:
        """This part of the reply and the passages it speaks of, in lower case."""
        texts = (sentence.text for passage in self.passages for sentence in passage.said)
        return " ".join((self.words, *(line.folded for line in self.lines), *texts)).lower()

    def groups(self) -> Iterator[Group]:
        """Values that stand together in a source: in a sentence of a passage, a tool's result, the customer's words."""
        sources = self.view.sources
        for index in (sources.tools, sources.customer, sources.own):
            if index.stated:
                yield Group(tuple(index.stated[:40]), False)
        for passage in self.passages:
            for sentence in passage.said:
                if sentence.stated:
                    yield Group(sentence.stated, True)

    def lengths(self) -> Iterator[Length]:
        """Lengths of time that this part of the reply names, and those of sentences in sources that share its words."""
        words = f"{self.words} {' '.join(line.folded.lower() for line in self.lines[:1])}"
        named = [value for value in self.said if value.kind is Kind.DURATION]
        for value in named:
            told = (
                sentence.text.lower()
                for passage in self.passages
                for sentence in passage.said
                if any(value.keys == other.keys and value.unit == other.unit for other in sentence.stated)
            )
            yield Length(value, True, f"{words} {' '.join(told)}")
        own = _words(self.view.line.stems)
        for passage in self.passages:
            for sentence in passage.said:
                if sentence.stated and own & sentence.stems:
                    text = sentence.text.lower()
                    yield from (Length(one, False, text) for one in sentence.stated if one.kind is Kind.DURATION)


def _words(stems: frozenset[str]) -> frozenset[str]:
    return frozenset(stem for stem in stems if not stem[0].isdigit() and len(stem) > 2)
