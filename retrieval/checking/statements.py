"""Sentences of passages that state values: what they say it of, and the values by unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.fold import stem, words
from handrail.guardrails.output.sentences import Sentence, sentences
from handrail.guardrails.output.stems import content_stems
from handrail.guardrails.output.units import in_base
from handrail.guardrails.output.values import Form, Kind, Value
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.passages import StoredPassage

MINUTES_A_DAY = 1_440

_NEXT_WORD = re.compile(r"[\W_]{0,4}?([^\W\d_]+)")
_CELL = re.compile(r"\s*\|")
_COUNTED = frozenset({Form.DIGITS, Form.WORDS})
_SAID = frozenset(Kind) - {Kind.CARD, Kind.IBAN, Kind.IDENTIFIER, Kind.URL}
"""Kinds of values that a page states as a fact; identifiers are examples, and every step opens another address."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A sentence with values.

    Attributes:
        row: Which passage it stands in.
        text: The sentence as written.
        words: Stems of what it says besides the values, with the line that introduces its list.
        values: The values by what they measure, sorted and in normal form.
        written: The same as written, in reading order.
    """

    row: int
    text: str
    words: frozenset[str]
    values: Mapping[str, tuple[str, ...]]
    written: Mapping[str, tuple[str, ...]]


def statements(passages: Sequence[StoredPassage], cards: Mapping[str, DocumentCard]) -> tuple[Statement, ...]:
    """All statements of `passages`; what is not English is not read."""
    return tuple(
        statement
        for row, passage in enumerate(passages)
        if cards[passage.doc_id].audience.language.startswith("en")
        for statement in _of_passage(row, passage)
    )


def _of_passage(row: int, passage: StoredPassage) -> Iterator[Statement]:
    for sentence in sentences(passage.text):
        found = [value for value in extract(sentence.text) if value.form is not Form.MARKER]
        values: dict[str, list[str]] = {}
        written: dict[str, list[str]] = {}
        for value in found:
            if value.kind in _SAID and value.form in _COUNTED and not _is_pronoun(value):
                measured, amount = _measured(sentence.text, value)
                values.setdefault(measured, []).append(amount)
                written.setdefault(measured, []).append(sentence.text[value.start : value.end].strip())
        if values:
            yield Statement(
                row=row,
                text=sentence.text,
                words=_words_besides(sentence, found),
                values={unit: tuple(sorted(held)) for unit, held in values.items()},
                written={unit: tuple(held) for unit, held in written.items()},
            )


def _is_pronoun(value: Value) -> bool:
    """`one` is seldom a number: one of them, the right one."""
    return value.form is Form.WORDS and not value.unit and value.keys[0] == "1"


def _measured(text: str, value: Value) -> tuple[str, str]:
    """What a value measures, and how much in the smallest unit of that.

    A bare number counts what the next word names: five links and five codes are no more alike than days and euros.
    """
    if value.kind is Kind.DURATION or (value.kind is Kind.NUMBER and value.unit):
        amount, unit = in_base(Decimal(value.keys[0]), value.unit)
        if unit == "day":
            amount, unit = amount * MINUTES_A_DAY, "minute"
        return f"{value.kind} {unit}", f"{amount.normalize():f}{' working' if value.workdays else ''}"
    if value.kind is Kind.NUMBER:
        after = _NEXT_WORD.match(text, value.end) if _CELL.match(text, value.end) is None else None
        return f"{value.kind} {stem(after[1].lower()) if after else ''}".rstrip(), value.keys[0]
    return f"{value.kind} {value.unit}".rstrip(), "|".join(value.keys)


def _words_besides(sentence: Sentence, found: Sequence[Value]) -> frozenset[str]:
    parts, last = [], 0
    for value in sorted(found, key=lambda one: one.start):
        parts.append(sentence.text[last : value.start])
        last = max(last, value.end)
    parts.append(sentence.text[last:])
    stems = content_stems(f"{' '.join(parts)} {_without_values(sentence.lead)}")
    return frozenset(word for word in stems if not word.isdigit())


def _without_values(lead: str) -> str:
    return " ".join(word for word in words(lead) if not word.isdigit())
