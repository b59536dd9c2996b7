"""What a value of a reply may be worked out from: values said just before it, and those of the sources it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from handrail.guardrails.output.amounts import Amount, amounts
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sources import PassageIndex
from handrail.guardrails.output.values import Form, Kind, Value, normal

LINES = 3
TOTAL_LINES = 6
"""Sentences of the reply, the last included, whose values may be reckoned with; more where it sums up."""

_SUMS_UP = re.compile(r"(?<!\w)(?:total|altogether|together|in all|zusammen|insgesamt|summe|gesamt\w*)(?!\w)")

PASSAGES = 3
"""Passages that may be reckoned with: those that share most words with the reply and the customer's last message."""

MOST = 14
"""Numbers of the reply, and numbers of one source, that are combined with each other."""


class Group(NamedTuple):
    """Amounts that stand together in a source, and whether in a text for everybody."""

    amounts: tuple[Amount, ...]
    is_public: bool


class Length(NamedTuple):
    """A length of time, whether the reply names it, and the words it stands among."""

    value: Value
    named: bool
    words: str


@dataclass(frozen=True)
class Topic:
    """What the last sentence of a view speaks of; worked out only for sentences with a value that no source states."""

    view: View
    _tells: dict[re.Pattern[str], bool] = field(default_factory=dict)

    def tells(self, words: re.Pattern[str]) -> bool:
        """Whether `words` stand in what is told; looked for once, however many days are asked about."""
        known = self._tells.get(words)
        if known is None:
            known = self._tells[words] = words.search(self.told) is not None
        return known

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The sentences before this one that still count, nearest first."""
        most = TOTAL_LINES if _SUMS_UP.search(self.words) else LINES
        return tuple(reversed(self.view.earlier[-(most - 1) :]))

    @cached_property
    def words(self) -> str:
        """The sentence in lower case."""
        return self.view.line.plain

    @cached_property
    def words_before(self) -> str:
        """The sentence and the one before in lower case."""
        return f"{self.words} {' '.join(line.plain for line in self.lines[:1])}"

    @cached_property
    def passages(self) -> tuple[PassageIndex, ...]:
        """The passages that the reply speaks of, closest first."""
        sources = self.view.sources
        stems = _words(self.view.line.stems.union(sources.asked_stems, *(line.stems for line in self.lines)))
        ranked = [(len(stems & indexed.stems), indexed) for _, indexed in sources.passages]
        ranked.sort(key=lambda pair: pair[0], reverse=True)
        return (*(indexed for shared, indexed in ranked[:PASSAGES] if shared), *sources.fixed)

    @cached_property
    def told(self) -> str:
        """This part of the reply and the passages it speaks of, in lower case."""
        texts = (sentence.text for passage in self.passages for sentence in passage.said)
        return " ".join((self.words, *(line.folded for line in self.lines), *texts)).lower()

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Amounts that stand together: in a sentence of a passage, a tool's result, the customer's words."""
        sources = self.view.sources
        groups = [Group(amounts(index.stated, MOST), False) for index in (sources.tools, sources.customer, sources.own)]
        groups += [
            Group(amounts(sentence.stated, MOST), True) for passage in self.passages for sentence in passage.said
        ]
        return tuple(group for group in groups if group.amounts)

    @cached_property
    def distant(self) -> tuple[Length, ...]:
        """Lengths of time in sentences of sources that share words with this one or the next to it."""
        own = _words(self.view.line.stems.union(*(line.stems for line in self.lines[:1])))
        return tuple(
            Length(value, False, sentence.text.lower())
            for passage in self.passages
            for sentence in passage.said
            if own & sentence.stems
            for value in sentence.stated
            if value.kind is Kind.DURATION
        )

    def words_of(self, length: Value) -> str:
        """The sentences in which a length of time stands, in the reply and in the passages it speaks of."""
        told = (
            sentence.text.lower()
            for passage in self.passages
            for sentence in passage.said
            if any(length.keys == other.keys and length.unit == other.unit for other in sentence.stated)
        )
        return " ".join((self.words_before, *told))


@dataclass(frozen=True)
class Nearby:
    """The surroundings of the values of one sentence.

    `sure` are the values of this sentence that a source states or that have been worked out already.
    """

    topic: Topic
    sure: tuple[Value, ...]

    @cached_property
    def said(self) -> tuple[Value, ...]:
        """The sure values of this sentence and those of the ones before (which had to pass), nearest first."""
        before = (value for line in self.topic.lines for value in line.values if value.form is not Form.MARKER)
        return (*self.sure, *before)

    @cached_property
    def lengths(self) -> tuple[Length, ...]:
        """Lengths of time that this part of the reply names, and those of sources that it speaks of."""
        return (*self._named(), *self.topic.distant)

    @cached_property
    def spans(self) -> tuple[Length, ...]:
        """`lengths`, and hours and minutes beside each other (2 hours 40 minutes) as one."""
        joined = (
            Length(_joined(one.value, other.value), one.named, one.words)
            for one, other in pairwise(self.lengths)
            if one.value.unit == "hour" and other.value.unit == "minute" and one.words == other.words
        )
        return (*self.lengths, *joined)

    def _named(self) -> Iterator[Length]:
        for value in self.said:
            if value.kind is Kind.DURATION:
                yield Length(value, True, self.topic.words_of(value))


def _joined(hours: Value, minutes: Value) -> Value:
    """A length of hours and minutes, in minutes."""
    total = Decimal(hours.keys[0]) * 60 + Decimal(minutes.keys[0])
    return hours._replace(keys=(normal(total),), unit="minute")


def _words(stems: frozenset[str]) -> frozenset[str]:
    return frozenset(stem for stem in stems if len(stem) > 2 and not stem[0].isdigit())
