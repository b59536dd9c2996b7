"""The evidence of a turn made searchable: which values stand where, and which sentences say what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from math import isfinite

from pydantic import JsonValue

from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.fold import squash, stem, words
from handrail.guardrails.output.index import SOURCE_LIMIT, ValueIndex
from handrail.guardrails.output.numbers import normal
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.output.values import Value
from handrail.guardrails.vocabulary import Passage, ToolOutcome, ToolResult

_STOP = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "do", "for", "from", "had", "has",
    "have", "if", "in", "into", "is", "it", "its", "of", "on", "or", "so", "than", "that", "the", "their", "then",
    "there", "they", "this", "to", "was", "were", "what", "when", "which", "will", "with", "you", "your", "we",
    "our", "us", "i", "me", "my", "not", "no", "just", "also", "please",
})  # fmt: skip
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of a source: its words as stems, and its letters and digits in a row."""

    text: str
    stems: frozenset[str]
    squashed: str


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """What a passage says, worked out once per text (the same passages come back turn after turn)."""

    index: ValueIndex
    said: tuple[Said, ...]


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning, numbers included."""
    return frozenset(stem(word) for word in words(text) if word not in _STOP)


def said(text: str) -> tuple[Said, ...]:
    """The sentences of `text`, indexed."""
    return tuple(
        Said(sentence.text, content_stems(sentence.text), squash(sentence.text)) for sentence in sentences(text)
    )


@lru_cache(maxsize=4096)
def read_passage(title: str, heading: str, text: str) -> PassageIndex:
    """Index one passage. Only public help texts and texts of the bundle go through here, never a customer's words."""
    bounded = text[:SOURCE_LIMIT]
    return PassageIndex(ValueIndex.of(f"{title}\n\n{heading}\n\n{bounded}"), said(bounded))


@lru_cache(maxsize=64)
def squashed_text(text: str) -> str:
    """A long fixed text (the system prompt) squashed once."""
    return squash(text)


@dataclass(frozen=True)
class Sources:
    """All sources of one turn.

    `shown` are the words of every sentence that the customer has seen before; `people` the names in tool results;
    `promised` what earlier turns promised.
    """

    evidence: Evidence
    passages: tuple[tuple[Passage, PassageIndex], ...]
    fixed: tuple[PassageIndex, ...]
    customer: ValueIndex
    own: ValueIndex
    tools: ValueIndex
    tool_text: str
    customer_text: str
    shown: tuple[frozenset[str], ...]
    people: tuple[str, ...]
    promised: tuple[PassageIndex, ...]

    @classmethod
    def of(cls, evidence: Evidence, person_keys: tuple[str, ...] = ()) -> Sources:
        """Index `evidence`; values under `person_keys` of tool results are people.

        Arguments of reads and of failed calls come from the model and back nothing.
        """
        tool_lines: list[str] = []
        for result in evidence.tool_results:
            if result.outcome is ToolOutcome.SUCCEEDED:
                tool_lines += lines_of(result.content)
        for result in evidence.succeeded():
            tool_lines += action_lines(result)
        tool_text = "\n".join(tool_lines)
        customer_text = "\n\n".join(evidence.customer_texts)
        passages = tuple(
            (passage, read_passage(passage.title, passage.heading, passage.text)) for passage in evidence.readable()
        )
        return cls(
            evidence=evidence,
            passages=passages,
            fixed=tuple(
                read_passage("", "", text)
                for text in (*evidence.fixed_texts, *(item.text for item in evidence.allowed))
            ),
            customer=ValueIndex.of(customer_text),
            own=ValueIndex.of("\n".join(evidence.own)),
            tools=ValueIndex.of(tool_text),
            tool_text=tool_text[:SOURCE_LIMIT],
            customer_text=customer_text[:SOURCE_LIMIT],
            shown=tuple(_shown(evidence, passages)),
            people=_people(evidence, person_keys),
            promised=tuple(PassageIndex(ValueIndex.of(text), said(text)) for text in evidence.promised),
        )

    @cached_property
    def all_indexes(self) -> tuple[ValueIndex, ...]:
        """The values of every source, those of this conversation first."""
        return (self.tools, self.customer, self.own, *(promise.index for promise in self.promised), *self.public())

    def public(self) -> Iterator[ValueIndex]:
        """The values of passages and fixed texts."""
        for _, passage in self.passages:
            yield passage.index
        for fixed in self.fixed:
            yield fixed.index

    def hold(self, value: Value) -> bool:
        """Whether any source states `value`."""
        return any(index.holds(value) for index in self.all_indexes)

    def mention(self, token: str) -> bool:
        """Whether any source has `token` literally, not as a part of a longer word."""
        return any(has_token(text, token) for text in self._texts())

    def _texts(self) -> Iterator[str]:
        for passage, _ in self.passages:
            yield passage.text
        yield self.tool_text
        yield self.customer_text
        yield from self.evidence.fixed_texts
        yield from self.evidence.own

    def base_dates(self) -> tuple[date, ...]:
        """Days from which a reply may count: today, and days that tools or the customer named."""
        known = (self.evidence.now, *self.tools.full_dates(), *self.customer.full_dates())
        return known[:40]

    def is_fixed(self, squashed: str) -> bool:
        """Whether a sentence (squashed) is one of the bundle's own fixed texts."""
        return any(squashed == known.squashed for fixed in self.fixed for known in fixed.said)

    def quotes(self) -> Iterator[tuple[Passage, Said]]:
        """Every sentence of every passage."""
        for passage, indexed in self.passages:
            for sentence in indexed.said:
                yield passage, sentence


def _shown(evidence: Evidence, passages: tuple[tuple[Passage, PassageIndex], ...]) -> Iterator[frozenset[str]]:
    """The words of every sentence that the customer has seen before."""
    for passage, indexed in passages:
        if passage.passage_id in evidence.shown:
            yield from (sentence.stems for sentence in indexed.said)
    for reply in evidence.earlier_replies:
        yield from (content_stems(sentence.text) for sentence in sentences(reply[:SOURCE_LIMIT]))


def _people(evidence: Evidence, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Names and addresses of people in tool results, whoever they are."""
    found = {name for result in evidence.tool_results for name in _named(result.content, keys, 0)}
    return tuple(sorted(name for name in found if len(name) >= 3))


def _named(content: JsonValue, keys: tuple[str, ...], depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(content, list):
        for part in content:
            yield from _named(part, keys, depth + 1)
    elif isinstance(content, dict):
        for key, part in content.items():
            if isinstance(part, str):
                if key.lower() in keys:
                    yield part.strip()[:120]
            else:
                yield from _named(part, keys, depth + 1)


def has_token(text: str, token: str) -> bool:
    """Whether `token` stands in `text` between characters that are no letters or digits; case does not matter."""
    text, token = text.lower(), token.lower()
    at = text.find(token)
    while at >= 0:
        end = at + len(token)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return True
        at = text.find(token, at + 1)
    return False


def action_lines(result: ToolResult) -> list[str]:
    """The facts of a write call that happened: its arguments (checked by the gate) and its outcome."""
    return [*lines_of(dict(result.call.arguments)), *lines_of(result.content)]


def lines_of(content: JsonValue, key: str = "", depth: int = 0) -> list[str]:
    """A structure as lines `key: value`; amounts in cents also in whole units."""
    if depth > _DEPTH or content is None or isinstance(content, bool):
        return []
    if isinstance(content, dict):
        return [line for name, part in content.items() for line in lines_of(part, name, depth + 1)]
    if isinstance(content, list):
        return [line for part in content for line in lines_of(part, key, depth + 1)]
    shown = normal(Decimal(repr(content))) if isinstance(content, float) and isfinite(content) else str(content)
    name = key.replace("_", " ")
    lines = [f"{name}: {shown}"]
    if isinstance(content, int) and name.endswith(("cents", "minor", "minor units", "pence")):
        lines.append(f"{name}: {normal(Decimal(content) / 100)}")
    return lines


def shifted(bases: Iterable[date], by: timedelta) -> set[date]:
    """Each day of `bases` moved by `by`, forwards and backwards (days out of the calendar are left out)."""
    moved: set[date] = set()
    for base in bases:
        for step in (by, -by):
            try:
                moved.add(base + step)
            except OverflowError:
                continue
    return moved
