"""The blocks of an article (paragraphs, lists, tables, code), cut where one is longer than a passage may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from handrail.retrieval.reading.markdown import Line

TARGET_WORDS = 100
"""A passage of so many words is long enough."""

MAX_WORDS = 160
"""No passage is longer, headings and repeated table heads apart."""

MAX_OPENED = 50
"""Items of one list that are longer than a passage and are cut at the items below them; further ones at sentences."""

MAX_REPEATED = 500
"""Characters of a table's head, or of the opening line of code, that are repeated in every part."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])(?=\s)")
_ROW = re.compile(r"[ \t]*\|")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of Markdown that no passage is cut in; `line` is where it starts."""

    text: str
    line: int

    @property
    def words(self) -> int:
        """How long the text is."""
        return len(self.text.split())


def blocks(lines: Iterable[Line]) -> Iterator[Block]:
    """The blocks between empty lines, in order; code outside of lists stands alone, and whole if it fits."""
    gathered: list[Line] = []
    for line in lines:
        ends = not line.text.strip() and not line.in_code
        begins = bool(gathered) and line.in_code != gathered[-1].in_code and not _indented(line, gathered[-1])
        if gathered and (ends or begins):
            yield from _fit(gathered)
            gathered = []
        if not ends:
            gathered.append(line)
    if gathered:
        yield from _fit(gathered)


def _indented(line: Line, before: Line) -> bool:
    fence = line if line.in_code else before
    return fence.text[:1] in {" ", "\t"}


def _text(lines: Sequence[Line]) -> str:
    return "\n".join(line.text.rstrip() for line in lines)


def _fit(lines: Sequence[Line]) -> Iterator[Block]:
    whole = Block(_text(lines), lines[0].number)
    if whole.words <= MAX_WORDS:
        yield whole
    elif lines[0].in_code and len(lines[0].text) <= MAX_REPEATED:
        yield from _code(lines)
    else:
        for part in _parts(lines):
            yield from _table(part) if _is_table(part) else _items(part)


def _parts(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Tables apart from the text that they stand in."""
    start = 0
    for place in range(1, len(lines) + 1):
        if place == len(lines) or _is_row(lines[place]) != _is_row(lines[start]):
            yield lines[start:place]
            start = place


def _is_row(line: Line) -> bool:
    return not line.in_code and _ROW.match(line.text) is not None


def _is_table(lines: Sequence[Line]) -> bool:
    return _is_row(lines[0])


def _table(rows: Sequence[Line]) -> Iterator[Block]:
    """Rows together as long as they fit, each time below the head of the table, without which they say little."""
    with_head = len(rows) > 2 and _RULE.match(rows[1].text) is not None
    head = list(rows[:2]) if with_head and len(_text(rows[:2])) <= MAX_REPEATED else []
    gathered: list[Line] = []
    for row in rows[len(head) :]:
        if gathered and Block(_text([*head, *gathered, row]), 0).words > MAX_WORDS:
            yield Block(_text([*head, *gathered]), gathered[0].number)
            gathered = []
        if Block(row.text, 0).words > MAX_WORDS:
            yield from _cut([row])
        else:
            gathered.append(row)
    if gathered:
        yield Block(_text([*head, *gathered]), gathered[0].number)


def _items(lines: Sequence[Line]) -> Iterator[Block]:
    """Item by item, an item with all that stands below it if it fits; what comes before the first one is a block."""
    pending = [lines]  # a stack and no recursion: lists may be nested as deep as somebody likes
    opened = 0
    while pending:
        part = pending.pop()
        block = Block(_text(part), part[0].number)
        marks = [place for place, line in enumerate(part) if not line.in_code and _ITEM.match(line.text)]
        if block.words <= MAX_WORDS:
            yield block
        elif not marks or opened == MAX_OPENED:
            yield from _cut(part)
        elif len(items := _outermost(part, marks)) > 1:
            pending += reversed(items)
        else:
            opened += 1
            yield from _cut(part[:1])
            pending += [part[1:]] if len(part) > 1 else []


def _outermost(lines: Sequence[Line], marks: Sequence[int]) -> list[Sequence[Line]]:
    depths = {place: _depth(lines[place]) for place in marks}
    least = min(depths.values())
    bounds = sorted({0, *(place for place in marks if depths[place] == least), len(lines)})
    return [lines[start:end] for start, end in pairwise(bounds)]


def _depth(line: Line) -> int:
    text = line.text.expandtabs(4)
    return len(text) - len(text.lstrip())


def _code(lines: Sequence[Line]) -> Iterator[Block]:
    """Code between its lines, each part in fences of its own."""
    opening = lines[0].text.rstrip()
    fence = re.match(r"[ \t]*([`~]+)", opening)
    closing = fence[0] if fence else ""
    closed = len(lines) > 1 and lines[-1].text.strip().startswith(closing.strip())
    gathered: list[Line] = []
    words = 0
    for line in lines[1 : len(lines) - closed]:
        for text in _by_words(line.text) if len(line.text.split()) > MAX_WORDS else (line.text,):
            count = len(text.split())
            if gathered and words + count > MAX_WORDS:
                yield Block(f"{opening}\n{_text(gathered)}\n{closing}", gathered[0].number)
                gathered, words = [], 0
            gathered.append(Line(line.number, text, in_code=True))
            words += count
    if gathered:
        yield Block(f"{opening}\n{_text(gathered)}\n{closing}", gathered[0].number)


def _cut(lines: Sequence[Line]) -> Iterator[Block]:
    """Sentence by sentence, up to the length of a passage."""
    number = lines[0].number
    part: list[str] = []
    words = 0
    for sentence in (piece for long in _SENTENCE_END.split(_text(lines)) for piece in _by_words(long)):
        count = len(sentence.split())
        if part and words + count > TARGET_WORDS:
            yield Block(" ".join(part), number)
            part, words = [], 0
        part.append(sentence)
        words += count
    if part:
        yield Block(" ".join(part), number)


def _by_words(sentence: str) -> Iterable[str]:
    words = sentence.split()
    if len(words) <= MAX_WORDS:
        return (sentence,)
    return (" ".join(words[start : start + TARGET_WORDS]) for start in range(0, len(words), TARGET_WORDS))
