"""Chooses what to quote: the sentences or steps of the passages that fit a message best, word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from handrail.agent.models.overlap import content_words, sentences
from handrail.guardrails.vocabulary import Depth, Passage

SENTENCES = {Depth.BRIEF: 2, Depth.STANDARD: 4, Depth.DETAILED: 8}
STEPS = {Depth.BRIEF: 5, Depth.STANDARD: 12, Depth.DETAILED: 20}
"""A list of steps is quoted whole or not at all, because half a list leads somewhere else."""

SECOND_BEST = 0.8
"""How near the next passage must come to the best one, in goodness of match, to be quoted beside it."""

_STEP = re.compile(r"^\s*\d{1,2}[.)]\s+(.*)")
_ITEM = re.compile(r"^\s*[-*+]\s+(.*)")
_SKIPPED = re.compile(r"^\s*(#{1,6}\s|\||```|>|$)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"\*\*|__|`")
_STEPS_WANTED = re.compile(
    r"\b(how (do|can|to|should|would)|steps?|set ?up|configure|enable|guide|instructions?|can'?t|cannot"
    r"|unable|not work)",
    re.IGNORECASE,
)


class Kind(StrEnum):
    """What a unit is."""

    SENTENCE = "sentence"
    STEP = "step"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing that is quoted."""

    kind: Kind
    text: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Quote:
    """What is quoted from one passage, ready to be shown."""

    passage: Passage
    text: str


def quotes(message: str, passages: Sequence[Passage], depth: Depth, said: Sequence[str] = ()) -> tuple[Quote, ...]:
    """At most two quotes for `message`; nothing that stands in `said` (earlier replies) is quoted again."""
    asked = content_words(message)
    before = "\n".join(plain(text) for text in said)
    found: list[Quote] = []
    room = SENTENCES[depth]
    for passage in _worth(passages):
        units = [unit for unit in _units(passage.text) if unit.text not in before]
        steps = [unit for unit in units if unit.kind is Kind.STEP]
        if not units:
            continue
        if not found and 2 <= len(steps) <= STEPS[depth] and _fits_steps(message, asked, units):
            return (Quote(passage, _list_of(units, steps, depth)),)
        chosen = _best(units, asked | content_words(passage.heading), room, whole=not found)
        if chosen:
            found.append(Quote(passage, _joined(chosen)))
            room -= len(chosen)
        if room <= 0 or len(found) == 2:
            break
    return tuple(found)


def plain(text: str) -> str:
    """Markdown without its marks; the words stay."""
    return _EMPHASIS.sub("", _LINK.sub(r"\1", text))


def _worth(passages: Sequence[Passage]) -> list[Passage]:
    shown = [passage for passage in passages if not passage.flagged]
    best = max((passage.score for passage in shown), default=0.0)
    return [passage for passage in shown if passage.score >= SECOND_BEST * best]


def _units(text: str) -> list[Unit]:
    units: list[Unit] = []
    for line in text.splitlines():
        if _SKIPPED.match(line):
            continue
        step, item = _STEP.match(line), _ITEM.match(line)
        if step is not None:
            units.append(_unit(Kind.STEP, step[1]))
        elif item is not None:
            units.append(_unit(Kind.ITEM, item[1]))
        else:
            units.extend(_unit(Kind.SENTENCE, sentence) for sentence in sentences(plain(line)))
    return units


def _unit(kind: Kind, text: str) -> Unit:
    shown = plain(text).strip()
    return Unit(kind, shown, content_words(shown))


def _fits_steps(message: str, asked: frozenset[str], units: Sequence[Unit]) -> bool:
    """Whether the steps are the answer: the customer asks for a way, or the best unit is one of the steps."""
    best = max(units, key=lambda unit: len(unit.words & asked))
    return _STEPS_WANTED.search(message) is not None or (best.kind is Kind.STEP and bool(best.words & asked))


def _list_of(units: Sequence[Unit], steps: Sequence[Unit], depth: Depth) -> str:
    first = units.index(steps[0])
    before = [unit.text for unit in units[:first] if unit.kind is Kind.SENTENCE]
    lead = before[-1:] if depth is not Depth.BRIEF else []
    return "\n".join([*lead, *(f"{number}. {unit.text}" for number, unit in enumerate(steps, 1))])


def _best(units: Sequence[Unit], asked: frozenset[str], room: int, *, whole: bool) -> list[Unit]:
    """The units with the largest overlap, in the order of the passage.

    The best passage is quoted from its beginning when no word fits: the retriever has found it by meaning.
    """
    # Among equals the earlier one: passages begin with what matters.
    ranked = sorted(
        (unit for unit in units if unit.words & asked), key=lambda unit: (-len(unit.words & asked), units.index(unit))
    )
    chosen = ranked[:room] or (list(units[: min(room, 2)]) if whole else [])
    return [unit for unit in units if unit in chosen]


def _joined(units: Sequence[Unit]) -> str:
    """Sentences as running text, list items on lines of their own."""
    text = ""
    for unit in units:
        if unit.kind is Kind.SENTENCE:
            text += f" {unit.text}" if text and not text.endswith("\n") else unit.text
        else:
            text = f"{text.rstrip()}\n- {unit.text}\n"
    return text.strip()
