"""Chooses what to quote: the sentences or steps of the passages that fit a message best, word for word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from handrail.agent.models.overlap import content_words, sentences
from handrail.guardrails.vocabulary import Depth, Passage

SENTENCES = {Depth.BRIEF: 2, Depth.STANDARD: 4, Depth.DETAILED: 8}
STEPS = {Depth.BRIEF: 8, Depth.STANDARD: 12, Depth.DETAILED: 20}
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


_AMOUNT_ASKED = re.compile(
    r"\b(how (long|much|many|often|soon|big|large)|when|what time|price|costs?)\b", re.IGNORECASE
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
    before = "\n".join(plain(text) for text in said)
    asked = content_words(message)
    pages = [
        (passage, units)
        for passage in _worth(passages)
        if (units := [unit for unit in _units(passage.text) if unit.text not in before])
    ]
    for passage, units in pages:
        if _steps_answer(message, asked, passage, units, depth):
            return (Quote(passage, _list_of(units, depth)),)
    pool = [(passage, unit) for passage, units in pages[:2] for unit in _loose(units)]
    fit = _Fit(message, [unit for _, unit in pool])
    ranked = sorted((entry for entry in pool if fit.of(entry[1]) > 0), key=lambda entry: fit.of(entry[1]), reverse=True)
    # The retriever found the first one by meaning, so it is quoted from its beginning even if no word is shared.
    chosen = ranked[: SENTENCES[depth]] or pool[:2]
    found = [
        (passage, [unit for of, unit in pool if of is passage and (of, unit) in chosen]) for passage, _ in pages[:2]
    ]
    return tuple(Quote(passage, _joined(units)) for passage, units in found if units)


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


def _steps_answer(message: str, asked: frozenset[str], passage: Passage, units: Sequence[Unit], depth: Depth) -> bool:
    """Whether the steps of a passage are the answer: the customer asks for a way, and they are about the same thing."""
    steps = [unit for unit in units if unit.kind is Kind.STEP]
    if not 2 <= len(steps) <= STEPS[depth] or _AMOUNT_ASKED.search(message):
        return False
    about = content_words(f"{passage.title} {passage.heading}").union(*(step.words for step in steps))
    best = max(units, key=lambda unit: len(unit.words & asked))
    return bool(about & asked) and (_STEPS_WANTED.search(message) is not None or best.kind is Kind.STEP)


def _list_of(units: Sequence[Unit], depth: Depth) -> str:
    """The steps, numbered anew, behind the sentence before them; in brief the first sentence of each."""
    steps = [unit for unit in units if unit.kind is Kind.STEP]
    before = [unit.text for unit in units[: units.index(steps[0])] if unit.kind is Kind.SENTENCE]
    brief = depth is Depth.BRIEF
    lead = [] if brief else before[-1:]
    told = [_begun(step.text) if brief else step.text for step in steps]
    return "\n".join([*lead, *(f"{number}. {text}" for number, text in enumerate(told, 1))])


def _begun(text: str) -> str:
    """The first sentence of a step, with the one that answers it when it asks."""
    first, *rest = sentences(text)
    return f"{first} {rest[0]}" if first.endswith("?") and rest else first


class _Fit:
    """How well a unit fits a message: shared words, rare ones among the units counting more."""

    def __init__(self, message: str, units: Sequence[Unit]) -> None:
        self._words = content_words(message)
        self._spread = Counter(word for unit in units for word in unit.words)
        self._amount = _AMOUNT_ASKED.search(message) is not None

    def of(self, unit: Unit) -> float:
        """0 when no word is shared. Who asks how long or how much is answered by a number."""
        shared = sum(1 / self._spread[word] for word in unit.words & self._words)
        return shared + 1 if self._amount and re.search(r"\d", unit.text) else shared


def _loose(units: Sequence[Unit]) -> list[Unit]:
    """What can be quoted alone: single steps of a list cannot, unless there is nothing else."""
    return [unit for unit in units if unit.kind is not Kind.STEP] or list(units)


def _joined(units: Sequence[Unit]) -> str:
    """Sentences as running text, list items on lines of their own."""
    text = ""
    for unit in units:
        if unit.kind is Kind.SENTENCE:
            text += f" {unit.text}" if text and not text.endswith("\n") else unit.text
        else:
            text = f"{text.rstrip()}\n- {unit.text}\n"
    return text.strip()
