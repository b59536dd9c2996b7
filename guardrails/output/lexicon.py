"""Classes of words, and the orders in which words of these classes make a claim. No expressions, no backtracking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeAlias

from handrail.guardrails.output.fold import lower
from handrail.guardrails.output.pieces import Pieces
from handrail.guardrails.output.values import Kind, Value

GAP = "..."
"""In an entry of several words: up to three other words may stand here."""

VALUE_CLASSES: Mapping[Kind, str] = {
    Kind.MONEY: "@money",
    Kind.NUMBER: "@number",
    Kind.DURATION: "@when",
    Kind.DATE: "@when",
    Kind.TIME: "@when",
}
"""Classes that are not lists of words: places where a value was read."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)*|[^\w\s]")
_SUFFIXES = {"'ll": "will", "'ve": "have", "'re": "are", "'m": "am", "'d": "would", "'s": "is"}
_JOINED = {
    "cannot": ("can", "not"), "can't": ("can", "not"), "won't": ("will", "not"), "shan't": ("shall", "not"),
    "dont": ("do", "not"), "cant": ("can", "not"), "wont": ("will", "not"), "ive": ("i", "have"), "i'll": ("i", "will"),
    "gonna": ("going", "to"), "let's": ("let", "us"), "youll": ("you", "will"), "weve": ("we", "have"),
}  # fmt: skip
_MEMO_LIMIT = 20_000

Place: TypeAlias = tuple[int, int]
"""First token and the token after the last one."""


class Marks(dict[str, list[Place]]):
    """Where the words of each class stand. `possible` is room for what a wording makes of them, worked out once."""

    possible: object = None


def tokens(folded: str) -> list[str]:
    """The words, numbers and signs of a folded text in lower case; contractions taken apart (`won't`: `will not`)."""
    return tokens_of(lower(folded).split())


def tokens_of(pieces: Iterable[str]) -> list[str]:
    """`tokens` of a text that is cut at its white space, in lower case; no token has any in it."""
    return list(chain.from_iterable(map(_TOKENS.__getitem__, pieces)))


def _tokens_of_piece(piece: str) -> tuple[str, ...]:
    return tuple(part for word in _WORD.findall(piece) for part in _parts(word))


_TOKENS = Pieces(_tokens_of_piece)


def offsets(folded: str) -> list[Place]:
    """Start and end of each token of a folded text."""
    found: list[Place] = []
    for match in _WORD.finditer(lower(folded)):
        word = match.group()
        if "'" in word or word in _JOINED:
            found += [match.span()] * len(_parts(word))
        else:
            found.append(match.span())
    return found


def _parts(word: str) -> tuple[str, ...]:
    if word in _JOINED:
        return _JOINED[word]
    if "'" not in word:
        return (word,)
    if word.endswith("n't"):
        return (word[:-3], "not")
    stem, sign, ending = word.partition("'")
    suffix = _SUFFIXES.get(sign + ending)
    return (stem, suffix) if suffix and stem else (word,)


class _Entry(NamedTuple):
    """`needed` is the last of `rest` that is a whole word, or empty: without it in the text the entry is not there."""

    name: str
    rest: tuple[str, ...]
    needed: str


class _Starts(NamedTuple):
    """What may begin at a word: its own classes, and longer entries by their next word."""

    alone: tuple[str, ...]
    pairs: dict[str, tuple[str, ...]]
    by_next: dict[str, tuple[_Entry, ...]]
    after_gap: tuple[_Entry, ...]


_NOTHING = _Starts((), {}, {}, ())


@dataclass(slots=True)
class Lexicon:
    """Finds words of declared classes in a list of tokens."""

    _exact: dict[str, list[_Entry]] = field(default_factory=dict)
    _prefixes: dict[str, list[tuple[str, _Entry]]] = field(default_factory=dict)
    _suffixes: list[tuple[str, _Entry]] = field(default_factory=list)
    _values: dict[str, list[str]] = field(default_factory=dict)
    _memo: dict[str, _Starts] = field(default_factory=dict)

    @classmethod
    def of(cls, classes: Mapping[str, Sequence[str]]) -> Lexicon:
        """Index `classes`: an entry is a word, `prefix*`, `*suffix`, several with `...` as gap, or a value class."""
        made = cls()
        for name, entries in classes.items():
            for entry in entries:
                first, *rest = entry.lower().split()
                if first.startswith("@"):
                    made._values.setdefault(first, []).append(name)
                else:
                    whole = [word for word in rest if word != GAP and word[-1] != "*"]
                    made._add(first, _Entry(name, tuple(rest), whole[-1] if whole else ""))
        return made

    def _add(self, first: str, entry: _Entry) -> None:
        if first.startswith("*"):
            self._suffixes.append((first[1:], entry))
        elif first.endswith("*"):
            self._prefixes.setdefault(first[:3], []).append((first[:-1], entry))
        else:
            self._exact.setdefault(first, []).append(entry)

    def mark(self, found: Sequence[str]) -> Marks:
        """Where the words of each class stand."""
        marks = Marks()
        memo = self._memo
        present = frozenset(found)
        last = len(found) - 1
        for index, word in enumerate(found):
            starts = memo.get(word) or self._starts(word)
            if starts is _NOTHING:
                continue
            alone, pairs, by_next, longer = starts
            for name in alone:
                _put(marks, name, (index, index + 1))
            if index < last:
                following = found[index + 1]
                for name in pairs.get(following, ()):
                    _put(marks, name, (index, index + 2))
                if following in by_next:
                    longer += by_next[following]
            for entry in longer:
                if entry.needed and entry.needed not in present:
                    continue
                end = _reach(found, index + 1, entry.rest)
                if end:
                    _put(marks, entry.name, (index, end))
        return marks

    def mark_values(self, marks: Marks, places: Sequence[Place], values: Sequence[Value], first: int) -> None:
        """Add the places of `values` to `marks`; `places` are the offsets of the tokens from number `first` on."""
        at = 0
        for value in values:
            while at < len(places) and places[at][0] < value.start:
                at += 1
            end = at
            while end < len(places) and places[end][0] < value.end:
                end += 1
            name = VALUE_CLASSES.get(value.kind)
            if name and end > at:
                for marked in (name, *self._values.get(name, ())):
                    marks.setdefault(marked, []).append((first + at, first + end))

    def _starts(self, word: str) -> _Starts:
        by_prefix = (entry for prefix, entry in self._prefixes.get(word[:3], ()) if word.startswith(prefix))
        by_suffix = (entry for suffix, entry in self._suffixes if word.endswith(suffix) and len(word) > len(suffix) + 1)
        entries = (*self._exact.get(word, ()), *by_prefix, *by_suffix)
        pairs: dict[str, tuple[str, ...]] = {}
        by_next: dict[str, tuple[_Entry, ...]] = {}
        after_gap: list[_Entry] = []
        for entry in entries:
            if entry.rest and (entry.rest[0] == GAP or entry.rest[0].endswith("*")):
                after_gap.append(entry)
            elif len(entry.rest) == 1:
                pairs[entry.rest[0]] = (*pairs.get(entry.rest[0], ()), entry.name)
            elif entry.rest:
                by_next[entry.rest[0]] = (*by_next.get(entry.rest[0], ()), entry)
        alone = tuple(dict.fromkeys(entry.name for entry in entries if not entry.rest))
        starts = _Starts(alone, pairs, by_next, tuple(after_gap)) if entries else _NOTHING
        if len(self._memo) < _MEMO_LIMIT and len(word) <= 24:
            self._memo[word] = starts
        return starts


def _put(marks: Marks, name: str, place: Place) -> None:
    if name in marks:
        marks[name].append(place)
    else:
        marks[name] = [place]


def _reach(found: Sequence[str], index: int, rest: tuple[str, ...]) -> int:
    """The token after the last of `rest` when they follow from `index` on, else 0."""
    if len(rest) == 1:
        return index + 1 if index < len(found) and _same(found[index], rest[0]) else 0
    slack = 0
    for wanted in rest:
        if wanted == GAP:
            slack = 3
            continue
        end = min(len(found), index + slack + 1)
        while index < end and not _same(found[index], wanted):
            index += 1
        if index >= end:
            return 0
        index += 1
        slack = 0
    return index


def _same(word: str, wanted: str) -> bool:
    return word == wanted or (wanted[-1] == "*" and word.startswith(wanted[:-1]))


class Order(NamedTuple):
    """Classes that must follow each other with at most `gap` tokens between neighbours, and none of `barred` there."""

    classes: tuple[str, ...]
    gap: int
    barred: tuple[str, ...] = ()


def in_order(marks: Marks, order: Order) -> Iterator[Place]:
    """Places where words of the classes of `order` stand as it says."""
    for name in order.classes:
        if name not in marks:
            return
    for start, end in marks[order.classes[0]]:
        last = _follow(marks, order, 1, end)
        if last:
            yield start, last


def _follow(marks: Marks, order: Order, at: int, after: int) -> int:
    if at == len(order.classes):
        return after
    for start, end in marks[order.classes[at]]:
        if after <= start <= after + order.gap and not any_between(marks, order.barred, after, start):
            last = _follow(marks, order, at + 1, end)
            if last:
                return last
    return 0


def any_between(marks: Marks, names: Sequence[str], start: int, end: int) -> bool:
    """Whether a word of one of `names` stands (wholly or partly) in [start, end)."""
    return any(first < end and start < last for name in names for first, last in marks.get(name, ()))
