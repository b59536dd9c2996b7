"""The evidence of a turn made searchable: which values stand where, and which sentences say what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import pairwise
from math import isfinite

from pydantic import JsonValue

from handrail.guardrails.output.clock import opening_hours
from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.fold import fold, squash
from handrail.guardrails.output.index import RECKONED, SOURCE_LIMIT, ValueIndex, any_holds
from handrail.guardrails.output.lexicon import Place, tokens
from handrail.guardrails.output.policy import RecordsFile
from handrail.guardrails.output.records import Guarded, Records, counts, guarded, people_of, phrases
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.output.stems import content_stems, written_out
from handrail.guardrails.output.units import CURRENCIES, unit_of
from handrail.guardrails.output.values import Form, Kind, Value, normal
from handrail.guardrails.vocabulary import Passage, ToolOutcome, ToolResult

_NO_WORDS = RecordsFile()
_DEPTH = 8
_SUBJECTS = frozenset({Kind.IDENTIFIER, Kind.DATE, Kind.TIME})
_LEADING = frozenset({Kind.URL, Kind.PHONE})
_SUBJECT = re.compile(r"(?=[\w-]*\d)[\w-]{3,60}|(?:[\w-]{1,63}\.){1,5}[A-Za-z]{2,20}")
"""A key of a record, or the host of a domain: no address of a page, which could lead anywhere, and no amount."""

_SPAN = re.compile(r"^(?:[\w ]* )?(?P<unit>\w+): (?P<number>\d{1,4})$", re.MULTILINE)
"""How far back or ahead a call looked (days: 2)."""

_OPEN = re.compile(
    r"(?<!\w)(?:not|never|no|nobody|cannot|can|could|to be|pending|waiting|requires?|until|false|eligible|above|policy|"
    r"options?)(?!\w)"
)
"""Words with which a field says that something is not so, or not yet."""

_ONE_RECORD = re.compile(r"(?:get|list)_[a-z]+")
_ANSWERED = frozenset({ToolOutcome.SUCCEEDED, ToolOutcome.FAILED, ToolOutcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of a source: its words as stems, its letters and digits in a row, what can be reckoned with."""

    text: str
    stems: frozenset[str]
    squashed: str
    stated: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """What a passage says, worked out once per text (the same passages come back turn after turn)."""

    index: ValueIndex
    said: tuple[Said, ...]
    stems: frozenset[str]


def said(text: str) -> tuple[Said, ...]:
    """The sentences of `text`, indexed."""
    return tuple(
        Said(
            sentence.text,
            content_stems(sentence.text),
            squash(sentence.text),
            tuple(
                value for value in extract(sentence.text) if value.kind in RECKONED and value.form is not Form.MARKER
            ),
        )
        for sentence in sentences(text)
    )


@lru_cache(maxsize=4096)
def read_passage(title: str, heading: str, text: str) -> PassageIndex:
    """Index one passage. Only public help texts and texts of the bundle go through here, never a customer's words."""
    bounded = text[:SOURCE_LIMIT]
    sentences_said = said(bounded)
    told = frozenset[str]().union(content_stems(f"{title} {heading}"), *(sentence.stems for sentence in sentences_said))
    return PassageIndex(ValueIndex.of(f"{title}\n\n{heading}\n\n{bounded}"), sentences_said, told)


def forget_passages() -> None:
    """Have every passage read afresh, to measure what that costs."""
    read_passage.cache_clear()
    public_hours.cache_clear()


def read_promise(text: str) -> PassageIndex:
    """Index what was promised earlier; nothing of it is kept for other conversations."""
    return PassageIndex(ValueIndex.of(text), said(text), content_stems(text))


@lru_cache(maxsize=4096)
def public_hours(text: str) -> frozenset[int]:
    """The opening hours in a passage. Like all that is kept for longer than a turn, it is public."""
    return opening_hours(text[:SOURCE_LIMIT].lower())


@lru_cache(maxsize=64)
def squashed_text(text: str) -> str:
    """A long fixed text (the system prompt) squashed once."""
    return squash(text)


@dataclass(frozen=True)
class Sources:
    """All sources of one turn; of each only what a check asks for is worked out, once, and kept for this turn alone.

    Values under `person_keys` of tool results are people, `words` sort their other fields.
    """

    evidence: Evidence
    person_keys: tuple[str, ...]
    words: RecordsFile

    @classmethod
    def of(cls, evidence: Evidence, person_keys: tuple[str, ...] = (), words: RecordsFile = _NO_WORDS) -> Sources:
        """The sources that `evidence` has."""
        return cls(evidence, person_keys, words)

    @cached_property
    def passages(self) -> tuple[tuple[Passage, PassageIndex], ...]:
        """The passages that may be a source, indexed."""
        return tuple(
            (passage, read_passage(passage.title, passage.heading, passage.text))
            for passage in self.evidence.readable()
        )

    @cached_property
    def fixed(self) -> tuple[PassageIndex, ...]:
        """The texts of the bundle."""
        allowed = (item.text for item in self.evidence.allowed)
        return tuple(read_passage("", "", text) for text in (*self.evidence.fixed_texts, *allowed))

    @cached_property
    def customer(self) -> ValueIndex:
        """The values of the customer's words."""
        return ValueIndex.of("\n\n".join(self.evidence.customer_texts))

    @cached_property
    def own(self) -> ValueIndex:
        """The values that belong to the customer."""
        return ValueIndex.of("\n".join(self.evidence.own))

    @cached_property
    def tools(self) -> ValueIndex:
        """The values that tools reported, and the keys, days and times that they were asked about."""
        found = "\n".join(line for result in self.evidence.tool_results for line in _looked_up(result))
        return _with_records(ValueIndex.of(self._tool_lines), found)

    @cached_property
    def _tool_lines(self) -> str:
        """What tools reported.

        Arguments of reads and of failed calls come from the model and back nothing; why a call failed, its tool says.
        """
        lines: list[str] = []
        for result in self.evidence.tool_results:
            if result.outcome in _ANSWERED:
                lines += lines_of(result.content)
        for result in self.evidence.succeeded():
            lines += action_lines(result)
        return "\n".join(lines)

    @cached_property
    def tool_text(self) -> str:
        """What tools reported, as far as it is read."""
        return self._tool_lines[:SOURCE_LIMIT]

    @cached_property
    def tool_stems(self) -> frozenset[str]:
        """The words of what tools reported."""
        return content_stems(self.tool_text)

    @cached_property
    def customer_text(self) -> str:
        """The customer's words, as far as they are read."""
        return "\n\n".join(self.evidence.customer_texts)[:SOURCE_LIMIT]

    @cached_property
    def customer_stems(self) -> frozenset[str]:
        """The words of the customer."""
        return content_stems(self.customer_text)

    @cached_property
    def shown(self) -> tuple[frozenset[str], ...]:
        """The words of every sentence that the customer has seen before, but for those that are drawn together."""
        return tuple(_shown(self.evidence, self.passages))

    @cached_property
    def seen(self) -> frozenset[str]:
        """All the words that the customer has seen before: those of `shown`, without their being told apart."""
        passages = (indexed.said for passage, indexed in self.passages if passage.passage_id in self.evidence.shown)
        replies = (
            content_stems(reply[:SOURCE_LIMIT]) for reply in (*self.evidence.earlier_replies, self.evidence.said)
        )
        return frozenset[str]().union(*(one.stems for said in passages for one in said), *replies)

    @cached_property
    def people(self) -> tuple[str, ...]:
        """The names in tool results."""
        return people_of(self.evidence.tool_results, self.person_keys)

    @cached_property
    def records(self) -> Records:
        """The fields of tool results, by whom they concern."""
        return Records.of(self.evidence.tool_results, self.person_keys, self.words)

    @cached_property
    def others(self) -> tuple[tuple[str, str], ...]:
        """The names of people and firms in tool results, also in lower case."""
        return tuple((name, name.lower()) for name in (*self.people, *self.records.others))

    @cached_property
    def note_phrases(self) -> tuple[str, ...]:
        """The phrases (squashed) of notes that are for the staff only."""
        return tuple(dict.fromkeys(squash(phrase) for note in self.records.notes for phrase in phrases(note)))

    @cached_property
    def guarded(self) -> tuple[Guarded, ...]:
        """The fields of tool results that are for the staff or nobody."""
        # What a write has noted the customer asked for; a note that a read finds may be for the staff alone.
        written = {result.call.call_id for result in self.evidence.succeeded()}
        return tuple(guarded(self.evidence.tool_results, self.words, written))

    @cached_property
    def promised(self) -> tuple[PassageIndex, ...]:
        """What earlier turns promised."""
        return tuple(read_promise(text) for text in self.evidence.promised)

    @cached_property
    def prompt(self) -> str:
        """The system prompt as letters and digits in a row."""
        return squashed_text(self.evidence.system_prompt)

    @cached_property
    def tool_names(self) -> tuple[str, ...]:
        """The names that tools have, of those called in this turn only such as are no words of a language."""
        called = (result.call.tool.lower() for result in self.evidence.tool_results if "_" in result.call.tool)
        return tuple(dict.fromkeys((*self.evidence.tool_ids, *called)))

    @cached_property
    def neutral(self) -> ValueIndex:
        """The values in fields of tool results that concern the customer's matter and nobody else."""
        return ValueIndex.of(self.records.neutral)

    @cached_property
    def all_indexes(self) -> tuple[ValueIndex, ...]:
        """The values of every source, those of this conversation first."""
        return (
            self.tools,
            self.customer,
            self.own,
            *(promise.index for promise in self.promised),
            *self.public_indexes,
        )

    @cached_property
    def said(self) -> frozenset[str]:
        """The sentences (squashed) that this reply has begun with and may not repeat."""
        return frozenset(squash(sentence.text) for sentence in sentences(self.evidence.said))

    def public(self) -> Iterator[ValueIndex]:
        """The values of passages and fixed texts."""
        yield from self.public_indexes

    @cached_property
    def public_indexes(self) -> tuple[ValueIndex, ...]:
        """The values of each passage and fixed text."""
        return (*(passage.index for _, passage in self.passages), *(fixed.index for fixed in self.fixed))

    @cached_property
    def hours(self) -> frozenset[int]:
        """Hours of the day that passages and tools write as a range of bare numbers."""
        told = opening_hours(self.tool_text.lower())
        return told.union(*(public_hours(passage.text) for passage, _ in self.passages))

    @cached_property
    def looked_up(self) -> tuple[str, ...]:
        """What calls that found something were asked for: numbers, hosts and keys, as they were written."""
        asked = (
            part.strip()
            for result in self.evidence.tool_results
            for line in _looked_up(result)
            for part in (line.partition(": ")[2],)
        )
        return tuple(dict.fromkeys(one for one in asked if _SUBJECT.fullmatch(one)))

    def was_looked_up(self, text: str, value: Value) -> bool:
        """Whether `value` of `text` is what a call was asked for, or a part of it (339-1182 of V-339-1182)."""
        return any(
            start <= value.start and value.end <= end
            for subject in self.looked_up
            for start, end in _token_places(text, subject)
        )

    @cached_property
    def told(self) -> str:
        """What passages and tools say, in lower case."""
        return "\n".join((*(passage.text for passage, _ in self.passages), self.tool_text))[:SOURCE_LIMIT].lower()

    @cached_property
    def counts(self) -> frozenset[str]:
        """How many of something a tool returned."""
        return frozenset(str(one) for result in self.evidence.tool_results for one in counts(result.content))

    @property
    def last_message(self) -> str:
        """The customer's last message, as far as it is read; empty before the first."""
        return self.evidence.customer_texts[-1][:SOURCE_LIMIT] if self.evidence.customer_texts else ""

    @cached_property
    def asked(self) -> tuple[Value, ...]:
        """The values of the customer's last message."""
        return extract(self.last_message)

    @cached_property
    def asked_said(self) -> tuple[Said, ...]:
        """The sentences of the customer's last message."""
        return said(self.last_message)

    @cached_property
    def asked_tokens(self) -> tuple[str, ...]:
        """The words, numbers and signs of the customer's last message."""
        return tuple(tokens(fold(self.last_message)))

    @cached_property
    def said_earlier(self) -> ValueIndex:
        """The values of earlier replies, which were checked when they left."""
        return ValueIndex.of("\n\n".join(self.evidence.earlier_replies))

    @cached_property
    def asked_text(self) -> str:
        """The customer's last message in lower case."""
        return self.last_message.lower()

    @cached_property
    def asked_stems(self) -> frozenset[str]:
        """The words of the customer's last message."""
        return content_stems(self.last_message)

    @cached_property
    def customer_squashed(self) -> str:
        """The customer's words as letters and digits in a row."""
        return squash(self.customer_text)

    @cached_property
    def public_squashed(self) -> tuple[str, ...]:
        """The passages as letters and digits in a row."""
        return tuple(squashed_text(passage.text) for passage, _ in self.passages)

    def hold(self, value: Value) -> bool:
        """Whether any source states `value`.

        Where a customer is sent must not come from the customer's words: a pasted mail may have written them.
        """
        if any_holds(self.public_indexes, value) or self.tools.holds(value):
            return True
        if value.kind not in _LEADING and self.customer.holds(value):
            return True
        return self.own.holds(value) or any(promise.index.holds(value) for promise in self.promised)

    def mention(self, token: str) -> bool:
        """Whether any source has `token` literally, not as a part of a longer word."""
        return any(has_token(text, token) for text in self._texts())

    def was_said(self, token: str) -> bool:
        """Whether an earlier reply, the system prompt or an argument of a call has `token`."""
        texts = (*self.evidence.earlier_replies, self.evidence.system_prompt, *self.evidence.promised)
        return any(has_token(text, token) for text in texts) or any(
            has_token(line, token)
            for result in (*self.evidence.tool_results, *self.evidence.actions)
            for line in lines_of(dict(result.call.arguments))
        )

    @cached_property
    def stems_reported(self) -> frozenset[str]:
        """The words of what tools answered, but for what they say is not, not yet or only possibly so.

        The name of a read of one record counts too: what get_booking finds is booked.
        """
        lines = [line for line in self.tool_text.split("\n") if not _OPEN.search(line.lower())]
        lines += (
            one.call.tool.replace("_", " ")
            for one in self.evidence.tool_results
            if one.outcome is ToolOutcome.SUCCEEDED and one.content and _ONE_RECORD.fullmatch(one.call.tool)
        )
        return content_stems("\n".join(lines))

    @cached_property
    def stems_told(self) -> frozenset[str]:
        """The words of the customer, the tools and the passages."""
        passages = (indexed.stems for _, indexed in self.passages)
        return self.customer_stems.union(self.tool_stems, *passages)

    def _texts(self) -> Iterator[str]:
        for passage, _ in self.passages:
            yield passage.text
        yield self.tool_text
        yield self.customer_text
        yield from self.evidence.fixed_texts
        yield from self.evidence.own

    def is_fixed(self, squashed: str) -> bool:
        """Whether a sentence (squashed) is one of the bundle's own fixed texts."""
        return squashed in self._fixed_said

    @cached_property
    def _fixed_said(self) -> frozenset[str]:
        return frozenset(known.squashed for fixed in self.fixed for known in fixed.said)

    def quotes(self) -> Iterator[tuple[Passage, Said]]:
        """Every sentence of every passage."""
        for passage, indexed in self.passages:
            for sentence in indexed.said:
                yield passage, sentence


def _looked_up(result: ToolResult) -> list[str]:
    """The arguments of a call that found something."""
    return lines_of(dict(result.call.arguments)) if result.outcome is ToolOutcome.SUCCEEDED and result.content else []


def _with_records(index: ValueIndex, found: str) -> ValueIndex:
    """`index` with the identifiers, days and times that a tool was asked about; amounts are the model's word only."""
    index.add(value for value in extract(found[:SOURCE_LIMIT]) if value.kind in _SUBJECTS)
    spans = "\n".join(f"{match['number']} {match['unit']}" for match in _SPAN.finditer(found))
    index.add(value for value in extract(spans) if value.kind is Kind.DURATION)
    return index


def _shown(evidence: Evidence, passages: tuple[tuple[Passage, PassageIndex], ...]) -> Iterator[frozenset[str]]:
    """The words of every sentence that the customer has seen before; of replies also of two that follow each other."""
    for passage, indexed in passages:
        if passage.passage_id in evidence.shown:
            yield from (written_out(sentence.stems) for sentence in indexed.said)
    for reply in (*evidence.earlier_replies, evidence.said):
        sentences_told = sentences(reply[:SOURCE_LIMIT])
        told = [written_out(content_stems(sentence.text)) for sentence in sentences_told]
        yield from told
        yield from (first | second for first, second in pairwise(told))


def has_token(text: str, token: str) -> bool:
    """Whether `token` stands in `text` between characters that are no letters or digits; case does not matter."""
    return any(True for _ in _token_places(text, token))


def _token_places(text: str, token: str) -> Iterator[Place]:
    text, token = text.lower(), token.lower()
    at = text.find(token)
    while at >= 0:
        end = at + len(token)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            yield at, end
        at = text.find(token, at + 1)


def action_lines(result: ToolResult) -> list[str]:
    """The facts of a write call that happened: its arguments (checked by the gate) and its outcome."""
    return [*lines_of(dict(result.call.arguments)), *lines_of(result.content)]


def lines_of(content: JsonValue, key: str = "", depth: int = 0) -> list[str]:
    """A structure as lines `key: value`; amounts in cents also in whole units; of what is true the key alone."""
    if content is True:
        return [key.replace("_", " ")] if key else []
    if depth > _DEPTH or content is None or isinstance(content, bool):
        return []
    if isinstance(content, dict):
        return [line for name, part in content.items() for line in lines_of(part, name, depth + 1)]
    if isinstance(content, list):
        return [line for part in content for line in lines_of(part, key, depth + 1)]
    shown = normal(Decimal(repr(content))) if isinstance(content, float) and isfinite(content) else str(content)
    name = key.replace("_", " ")
    lines = [f"{name}: {shown}"]
    unit = name.rpartition(" ")[2].lower()
    if isinstance(content, int | float) and len(unit) > 1 and (unit_of(unit) or unit in CURRENCIES):
        lines.append(f"{name}: {shown} {unit}")
    if isinstance(content, int) and name.endswith(("cents", "minor", "minor units", "pence")):
        lines.append(f"{name}: {normal(Decimal(content) / 100)}")
    return lines
