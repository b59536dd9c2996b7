"""Classes of words, and the orders in which words of these classes make a claim. No expressions, no backtracking."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from operator import attrgetter, itemgetter, or_
from typing import NamedTuple, TypeAlias

from handrail.guardrails.output.fold import lower
from handrail.guardrails.output.pieces import Pieces
from handrail.guardrails.output.signs import signs_of_piece
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
_BITS = attrgetter("bits")
_FIRST = itemgetter(0)
_NOWHERE = (1_000_000, 0)
_AFTER_ALL = 900_000
_AFTER_ALONE = 1_000

Place: TypeAlias = tuple[int, int]
"""First token and the token after the last one."""


def tokens(folded: str) -> list[str]:
    """The words, numbers and signs of a folded text in lower case; contractions taken apart (`won't`: `will not`)."""
    return tokens_of(lower(folded).split())


def tokens_of(pieces: Iterable[str]) -> list[str]:
    """`tokens` of a text that is cut at its white space, in lower case; no token has any in it."""
    return list(chain.from_iterable(map(_TOKENS.__getitem__, pieces)))


def _tokens_of_piece(piece: str) -> tuple[str, ...]:
    found = _WORD.findall(piece)
    if "'" not in piece and _JOINED.keys().isdisjoint(found):
        return tuple(found)
    return tuple(part for word in found for part in _parts(word))


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


class _Next(NamedTuple):
    """What stands there when a certain word follows: classes of two words, and longer entries."""

    pairs: tuple[str, ...]
    longer: tuple[_Entry, ...]


class _Starts(NamedTuple):
    """What may begin at a word: its own classes, also as bits, and longer entries by their next word or after a gap."""

    bits: int
    alone: tuple[str, ...]
    by_next: dict[str, _Next]
    after_gap: tuple[_Entry, ...]


_NOTHING = _Starts(0, (), {}, ())


class _Memo(dict[str, _Starts]):
    """What may begin at each word that has come."""

    def __init__(self, read: Callable[[str], _Starts]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, word: str) -> _Starts:
        starts = self._read(word)
        if len(self) < _MEMO_LIMIT and len(word) <= 24:
            self[word] = starts
        return starts


class Marks:
    """Where the words of each class stand in a text. Which classes it has is known; the places once they are asked for.

    `possible` is room for what a wording makes of them.
    """

    __slots__ = (
        "_bits",
        "_expected",
        "_found",
        "_longer",
        "_pending",
        "_starts",
        "_valued",
        "_values",
        "possible",
        "present",
    )

    def __init__(
        self, bits: Mapping[str, int], present: int, starts: Sequence[_Starts], longer: list[tuple[str, Place]]
    ) -> None:
        self._bits = bits
        self._starts = starts
        self._longer = longer
        self._found: dict[str, Sequence[Place]] = {}
        self._values: Sequence[tuple[str, Place]] = ()
        self._valued = 0
        self._expected = 0
        self._pending: Callable[[], Sequence[tuple[str, Place]]] | None = None
        for name, _ in longer:
            present |= bits[name]
        self.present = present
        self.possible: object = None

    def expect(self, names: int, places: Callable[[], Sequence[tuple[str, Place]]]) -> None:
        """Values may make up classes (as bits); `places` says where, and is asked once one of these is looked for."""
        self._valued = names & ~self.present
        self._expected = names
        self._pending = places
        self.present |= names

    def settle(self, names: int) -> None:
        """See to it that `present` is certain about the classes `names`, and the places about all."""
        if self._pending is not None and names & self._expected:
            places, self._pending = self._pending, None
            self._values = places()
            self.present &= ~self._valued
            for name, _ in self._values:
                self.present |= self._bits[name]

    def __contains__(self, name: str) -> bool:
        bit = self._bits.get(name, 0)
        if bit & self._valued and self._pending is not None:
            self.settle(bit)
        return self.present & bit != 0

    def __getitem__(self, name: str) -> Sequence[Place]:
        known = self._found.get(name)
        if known is None:
            known = self._found[name] = self._places(name)
        return known

    def rank(self, name: str) -> tuple[int, int]:
        """Where the first word of a class stands, and its number among the classes that begin there."""
        bit = self._bits[name]
        self.settle(bit)
        first = next(
            ((index, one.alone.index(name)) for index, one in enumerate(self._starts) if one.bits & bit), _NOWHERE
        )
        longer = (
            (place[0], _AFTER_ALONE + number) for number, (other, place) in enumerate(self._longer) if other == name
        )
        valued = ((_AFTER_ALL, number) for number, (other, _) in enumerate(self._values) if other == name)
        return min(first, next(longer, _NOWHERE), next(valued, _NOWHERE))

    def _places(self, name: str) -> Sequence[Place]:
        bit = self._bits.get(name, 0)
        self.settle(bit)
        if not self.present & bit:
            return ()
        places = [(index, index + 1) for index, one in enumerate(self._starts) if one.bits & bit]
        if self._longer:
            more = [place for other, place in self._longer if other == name]
            places = sorted([*places, *more], key=_FIRST) if more else places
        if self._values:
            places += [place for other, place in self._values if other == name]
        return places


class _Piece(NamedTuple):
    """What stands in a piece of a text between white space: signs of values, classes as bits, tokens, their starts."""

    signs: int
    bits: int
    tokens: tuple[str, ...]
    starts: tuple[_Starts, ...]


class Reading(NamedTuple):
    """A text read: the signs of values in it, its tokens, and where the words of each class stand."""

    signs: int
    tokens: list[str]
    marks: Marks


@dataclass(slots=True)
class Lexicon:
    """Finds words of declared classes in a list of tokens."""

    bits: dict[str, int]
    _exact: dict[str, list[_Entry]] = field(default_factory=dict)
    _prefixes: dict[str, list[tuple[str, _Entry]]] = field(default_factory=dict)
    _suffixes: list[tuple[str, _Entry]] = field(default_factory=list)
    _values: dict[str, list[str]] = field(default_factory=dict)
    _value_bits: dict[Kind, int] = field(default_factory=dict)
    _memo: _Memo = field(init=False)
    _pieces: Pieces[_Piece] = field(init=False)

    def __post_init__(self) -> None:
        self._memo = _Memo(self._starts)
        self._pieces = Pieces(self._read_piece)

    @classmethod
    def of(cls, classes: Mapping[str, Sequence[str]]) -> Lexicon:
        """Index `classes`: an entry is a word, `prefix*`, `*suffix`, several with `...` as gap, or a value class."""
        names = dict.fromkeys((*classes, *VALUE_CLASSES.values()))
        made = cls({name: 1 << place for place, name in enumerate(names)})
        for name, entries in classes.items():
            for entry in entries:
                first, *rest = entry.lower().split()
                if first.startswith("@"):
                    made._values.setdefault(first, []).append(name)
                else:
                    whole = [word for word in rest if word != GAP and word[-1] != "*"]
                    made._add(first, _Entry(name, tuple(rest), whole[-1] if whole else ""))
        for kind, name in VALUE_CLASSES.items():
            made._value_bits[kind] = reduce(or_, (made.bits[one] for one in (name, *made._values.get(name, ()))))
        return made

    def _add(self, first: str, entry: _Entry) -> None:
        if first.startswith("*"):
            self._suffixes.append((first[1:], entry))
        elif first.endswith("*"):
            self._prefixes.setdefault(first[:3], []).append((first[:-1], entry))
        else:
            self._exact.setdefault(first, []).append(entry)

    def knows(self, word: str) -> bool:
        """Whether an entry begins with `word` (in lower case)."""
        return (self._memo.get(word) or self._starts(word)) is not _NOTHING

    def mark(self, found: Sequence[str]) -> Marks:
        """Where the words of each class stand."""
        starts = [*map(self._memo.__getitem__, found)]
        return self._marks(found, reduce(or_, map(_BITS, starts), 0), starts)

    def read(self, pieces: Iterable[str], lead: Sequence[str] = ()) -> Reading:
        """Read a text that is cut at its white space, in lower case; `lead` are tokens in front of it."""
        signs = 0
        found = [*lead]
        starts = [*map(self._memo.__getitem__, lead)]
        present = reduce(or_, map(_BITS, starts), 0)
        for one, bits, words, begun in map(self._pieces.__getitem__, pieces):
            signs |= one
            present |= bits
            found += words
            starts += begun
        return Reading(signs, found, self._marks(found, present, starts))

    def _read_piece(self, piece: str) -> _Piece:
        words = _tokens_of_piece(piece)
        starts = tuple(map(self._memo.__getitem__, words))
        return _Piece(signs_of_piece(piece), reduce(or_, map(_BITS, starts), 0), words, starts)

    def _marks(self, found: Sequence[str], present: int, starts: Sequence[_Starts]) -> Marks:
        longer: list[tuple[str, Place]] = []
        last = len(found) - 1
        for index, (_, _, by_next, after_gap) in enumerate(starts):
            entries = after_gap
            if by_next and index < last and (following := by_next.get(found[index + 1])):
                longer += [(name, (index, index + 2)) for name in following.pairs]
                entries = after_gap + following.longer
            for entry in entries:
                if not entry.needed or entry.needed in found:
                    end = _reach(found, index + 1, entry.rest)
                    if end:
                        longer.append((entry.name, (index, end)))
        return Marks(self.bits, present, starts, longer)

    def mark_values(self, marks: Marks, folded: str, values: Sequence[Value], first: int) -> None:
        """Add the places of the `values` of a text to `marks`; `first` is the number of its first token there."""
        names = reduce(or_, (self._value_bits.get(value.kind, 0) for value in values), 0)
        if names:
            marks.expect(names, lambda: self._value_places(offsets(folded), values, first))

    def _value_places(
        self, places: Sequence[Place], values: Sequence[Value], first: int
    ) -> Sequence[tuple[str, Place]]:
        found: list[tuple[str, Place]] = []
        at = 0
        for value in values:
            while at < len(places) and places[at][0] < value.start:
                at += 1
            end = at
            while end < len(places) and places[end][0] < value.end:
                end += 1
            name = VALUE_CLASSES.get(value.kind)
            if name and end > at:
                found += [(marked, (first + at, first + end)) for marked in (name, *self._values.get(name, ()))]
        return found

    def _starts(self, word: str) -> _Starts:
        by_prefix = (entry for prefix, entry in self._prefixes.get(word[:3], ()) if word.startswith(prefix))
        by_suffix = (entry for suffix, entry in self._suffixes if word.endswith(suffix) and len(word) > len(suffix) + 1)
        entries = (*self._exact.get(word, ()), *by_prefix, *by_suffix)
        if not entries:
            return _NOTHING
        by_next: dict[str, _Next] = {}
        after_gap: list[_Entry] = []
        for entry in entries:
            if entry.rest and (entry.rest[0] == GAP or entry.rest[0].endswith("*")):
                after_gap.append(entry)
            elif entry.rest:
                pairs, longer = by_next.get(entry.rest[0], _Next((), ()))
                by_next[entry.rest[0]] = (
                    _Next((*pairs, entry.name), longer) if len(entry.rest) == 1 else _Next(pairs, (*longer, entry))
                )
        alone = tuple(dict.fromkeys(entry.name for entry in entries if not entry.rest))
        bits = reduce(or_, (self.bits[name] for name in alone), 0)
        return _Starts(bits, alone, by_next, tuple(after_gap))


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
    return any(first < end and start < last for name in names for first, last in marks[name])
