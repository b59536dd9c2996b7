"""Classes of words, and the orders in which words of these classes make a claim. No expressions, no backtracking."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from handrail.guardrails.output.fold import fold, lower
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

Marks: TypeAlias = dict[str, list[Place]]


class Token(NamedTuple):
    """One word, number or sign in lower case; contractions are taken apart, so that `won't` is `will not`."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The tokens of `text` with offsets."""
    found: list[Token] = []
    for match in _WORD.finditer(lower(fold(text))):
        for word in _parts(match.group()):
            found.append(Token(word, match.start(), match.end()))
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
    name: str
    rest: tuple[str, ...]


@dataclass(slots=True)
class Lexicon:
    """Finds words of declared classes in a list of tokens."""

    _exact: dict[str, list[_Entry]] = field(default_factory=dict)
    _prefixes: dict[str, list[tuple[str, _Entry]]] = field(default_factory=dict)
    _memo: dict[str, tuple[_Entry, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, classes: Mapping[str, Sequence[str]]) -> Lexicon:
        """Index `classes`: entries are words, `prefix*`, or several of them with `...` for a gap."""
        made = cls()
        for name, entries in classes.items():
            for entry in entries:
                first, *rest = entry.lower().split()
                made._add(first, _Entry(name, tuple(rest)))
        return made

    def _add(self, first: str, entry: _Entry) -> None:
        if first.endswith("*"):
            self._prefixes.setdefault(first[:3], []).append((first[:-1], entry))
        else:
            self._exact.setdefault(first, []).append(entry)

    def mark(self, found: Sequence[Token], values: Sequence[Value] = ()) -> Marks:
        """Where the words of each class stand; `values` have the offsets of the tokens' text."""
        marks: Marks = {}
        for index, token in enumerate(found):
            for entry in self._entries(token.word):
                end = _reach(found, index + 1, entry.rest) if entry.rest else index + 1
                if end:
                    marks.setdefault(entry.name, []).append((index, end))
        for value in values:
            name = VALUE_CLASSES.get(value.kind)
            covered = [index for index, token in enumerate(found) if value.start <= token.start < value.end]
            if name and covered:
                marks.setdefault(name, []).append((covered[0], covered[-1] + 1))
        return marks

    def _entries(self, word: str) -> tuple[_Entry, ...]:
        known = self._memo.get(word)
        if known is None:
            by_prefix = (entry for prefix, entry in self._prefixes.get(word[:3], ()) if word.startswith(prefix))
            known = (*self._exact.get(word, ()), *by_prefix)
            if len(self._memo) < _MEMO_LIMIT and len(word) <= 24:
                self._memo[word] = known
        return known


def _reach(found: Sequence[Token], index: int, rest: tuple[str, ...]) -> int:
    """The token after the last of `rest` when they follow from `index` on, else 0."""
    slack = 0
    for wanted in rest:
        if wanted == GAP:
            slack = 3
            continue
        end = min(len(found), index + slack + 1)
        index = next((at + 1 for at in range(index, end) if _same(found[at].word, wanted)), 0)
        if not index:
            return 0
        slack = 0
    return index


def _same(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def in_order(marks: Marks, order: Sequence[str], gap: int) -> Iterator[Place]:
    """Places where words of the classes in `order` follow each other with at most `gap` tokens between neighbours."""
    if any(name not in marks for name in order):
        return
    for start, end in marks[order[0]]:
        last = _follow(marks, order, 1, end, gap)
        if last:
            yield start, last


def _follow(marks: Marks, order: Sequence[str], at: int, after: int, gap: int) -> int:
    if at == len(order):
        return after
    for start, end in marks[order[at]]:
        if after <= start <= after + gap:
            last = _follow(marks, order, at + 1, end, gap)
            if last:
                return last
    return 0


def any_between(marks: Marks, names: Sequence[str], start: int, end: int) -> bool:
    """Whether a word of one of `names` stands (wholly or partly) in [start, end)."""
    return any(first < end and start < last for name in names for first, last in marks.get(name, ()))
