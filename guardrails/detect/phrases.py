"""Phrases: a small pattern language over words that policy owners can write, bounded in time by construction.

A phrase is a row of elements, separated by spaces:

- ``word`` matches that word; ``word*`` every word that begins so;
- ``(a|b c|d*)`` one of several, each a row of words itself; ``[a|b]`` the same, or nothing;
- ``...`` up to four words within the same sentence;
- ``(^)`` the beginning of the message, ``($)`` its end; ``(<)`` the beginning of a sentence, ``(>)`` its end.

A bundle may name lists of words and put ``{name}`` inside a bracket for all of them.

Words are compared in lower case without accents and apostrophes: write ``dont`` for "don't".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from handrail.guardrails.detect.reading import Token

GAP_WORDS = 4  # how many words `...` may stand for
MAX_EXPANSIONS = 4_000  # rows of one phrase after its alternatives are written out
STEM = 3  # shortest beginning that `word*` may have; also the length by which stems are indexed

_ELEMENT = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]|(\.\.\.)|([^\s()\[\]]+)|\s+|(.)")
_WORD = re.compile(r"[^\W_]+\*?")
_NAME = re.compile(r"\{([^{}]*)\}")


class Mark(Enum):
    """An element that is not a word."""

    GAP = "..."
    START = "^"
    END = "$"
    SENTENCE_START = "<"
    SENTENCE_END = ">"


STARTS = frozenset({Mark.START, Mark.SENTENCE_START})
ENDS = frozenset({Mark.END, Mark.SENTENCE_END})


@dataclass(frozen=True, slots=True)
class Words:
    """An element that matches one word: exactly, or by its beginning."""

    exact: frozenset[str]
    stems: tuple[str, ...]

    def matches(self, word: str) -> bool:
        """Whether `word` is one of these."""
        return word in self.exact or (bool(self.stems) and word.startswith(self.stems))


_BORDERS = frozenset(mark.value for mark in STARTS | ENDS)

Element = Words | Mark
Row = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a phrase was found: positions of tokens, end exclusive, and the number of the phrase in its list."""

    phrase: int
    first: int
    end: int


def parse_phrase(phrase: str) -> tuple[Row, ...]:
    """All rows that `phrase` stands for.

    Raises:
        ValueError: it is not a phrase; the message says what to mend.
    """
    rows: list[Row] = [()]
    for options in _options(phrase):
        rows = [row + option for row in rows for option in options]
        if len(rows) > MAX_EXPANSIONS:
            raise ValueError(f"the phrase {phrase!r} has more than {MAX_EXPANSIONS} forms; write several phrases")
    for row in rows:
        _check(row, phrase)
    return tuple(dict.fromkeys(rows))


def exact_words(phrase: str) -> frozenset[str]:
    """The words that `phrase` may match whole, not only by their beginning. Raises ValueError as `parse_phrase`."""
    return frozenset(
        word for row in _parsed(phrase) for element in row if isinstance(element, Words) for word in element.exact
    )


def spell_out(phrase: str, lists: Mapping[str, Sequence[str]]) -> str:
    """`phrase` with every ``{name}`` replaced by the alternatives of that list.

    Raises:
        ValueError: there is no list of that name.
    """

    def alternatives(match: re.Match[str]) -> str:
        name = match[1]
        if name not in lists:
            raise ValueError(f"the phrase {phrase!r} uses {{{name}}}, and there is no list of words of that name")
        return "|".join(lists[name])

    return _NAME.sub(alternatives, phrase)


def _options(phrase: str) -> Iterator[list[Row]]:
    for match in _ELEMENT.finditer(phrase):
        group, optional, gap, word, stray = match.groups()
        if stray is not None:
            raise ValueError(f"the phrase {phrase!r} has a bracket without its partner, or brackets within brackets")
        if gap is not None:
            yield [(Mark.GAP,)]
        elif word is not None:
            yield [(_words([word], phrase),)]
        elif group is not None or optional is not None:
            choices = _choices(group if group is not None else optional, phrase)
            yield choices if group is not None else [(), *choices]


def _choices(body: str, phrase: str) -> list[Row]:
    """The alternatives of a bracket; those of one word share an element, so that few rows are needed."""
    if body in _BORDERS:
        return [(Mark(body),)]
    single: list[str] = []
    rows: list[Row] = []
    for part in body.split("|"):
        words = part.split()
        if len(words) == 1 and words[0] != Mark.GAP.value:
            single.append(words[0])
        elif words:
            rows.append(tuple(Mark.GAP if word == Mark.GAP.value else _words([word], phrase) for word in words))
        else:
            raise ValueError(f"the phrase {phrase!r} has an empty alternative")
    return ([(_words(single, phrase),)] if single else []) + rows


def _words(words: Sequence[str], phrase: str) -> Words:
    for word in words:
        if not _WORD.fullmatch(word) or word != word.lower():
            raise ValueError(f"{word!r} in the phrase {phrase!r} is not a word in lower case without apostrophes")
        if word.endswith("*") and len(word) <= STEM:
            raise ValueError(f"{word!r} in the phrase {phrase!r} is too short; give at least {STEM} letters before *")
    exact = frozenset(word for word in words if not word.endswith("*"))
    return Words(exact, tuple(word[:-1] for word in words if word.endswith("*")))


def _check(row: Row, phrase: str) -> None:
    body = [element for element in row if element not in STARTS | ENDS]
    if not body or body[0] is Mark.GAP or body[-1] is Mark.GAP:
        raise ValueError(f"the phrase {phrase!r} has a form without words, or one that begins or ends with ...")
    if STARTS & set(row[1:]) or ENDS & set(row[:-1]):
        raise ValueError(f"the phrase {phrase!r} has (^), (<), (>) or ($) in the middle")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of the phrase `number`. A text without a word of each of `needs` cannot match it."""

    number: int
    row: Row
    needs: tuple[frozenset[str], ...]


@dataclass(slots=True)
class PhraseIndex:
    """Many phrases, found together: a word of the text looks up only the rows that can begin with it."""

    phrases: Sequence[str]
    _by_word: dict[str, list[_Entry]] = field(default_factory=dict)
    _by_stem: dict[str, list[_Entry]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, phrase in enumerate(self.phrases):
            for row in _parsed(phrase):
                first, *others = (element for element in row if isinstance(element, Words))
                needs = tuple(element.exact for element in others if not element.stems)
                self._add(first, _Entry(number, row, needs))

    def _add(self, first: Words, entry: _Entry) -> None:
        for word in first.exact:
            self._by_word.setdefault(word, []).append(entry)
        for stem in {stem[:STEM] for stem in first.stems}:
            self._by_stem.setdefault(stem, []).append(entry)

    def find(self, tokens: Sequence[Token]) -> tuple[Hit, ...]:
        """The first place of every phrase per beginning token, in the order of the text."""
        hits: dict[tuple[int, int], Hit] = {}
        words = {token.word for token in tokens}
        for position, token in enumerate(tokens):
            for entry in self._candidates(token.word):
                if not _may_match(entry, words) or (entry.number, position) in hits:
                    continue
                end = _match(entry.row, tokens, position)
                if end is not None:
                    hits[entry.number, position] = Hit(entry.number, position, end)
        return tuple(hits.values())

    def _candidates(self, word: str) -> Iterable[_Entry]:
        yield from self._by_word.get(word, ())
        yield from self._by_stem.get(word[:STEM], ())


def _may_match(entry: _Entry, words: set[str]) -> bool:
    # A loop and no generator: this runs thousands of times per message.
    for need in entry.needs:  # noqa: SIM110
        if need.isdisjoint(words):
            return False
    return True


@lru_cache(maxsize=4_096)
def _parsed(phrase: str) -> tuple[Row, ...]:
    return parse_phrase(phrase)


def _match(row: Row, tokens: Sequence[Token], position: int) -> int | None:
    """The end of `row` when it begins at `position`. INVARIANT: at most GAP_WORDS+1 tries per gap, nothing nested."""
    start = 0
    if row[0] in STARTS:
        if position and (row[0] is Mark.START or tokens[position - 1].sentence == tokens[position].sentence):
            return None
        start = 1
    ends = [position]
    gap = False
    for element in row[start:]:
        if element is Mark.GAP:
            gap = True
        elif element is Mark.END:
            ends = [end for end in ends if end == len(tokens)]
        elif element is Mark.SENTENCE_END:
            ends = [end for end in ends if end == len(tokens) or tokens[end].sentence != tokens[position].sentence]
        else:
            ends = [*dict.fromkeys(_step(element, tokens, ends, gap, position))]
            gap = False
        if not ends:
            return None
    return ends[0]


def _step(element: Element, tokens: Sequence[Token], ends: list[int], gap: bool, first: int) -> Iterator[int]:
    sentence = tokens[first].sentence
    for end in ends:
        for index in range(end, min(end + (GAP_WORDS if gap else 0) + 1, len(tokens))):
            if tokens[index].sentence != sentence:
                break
            if isinstance(element, Words) and element.matches(tokens[index].word):
                yield index + 1
