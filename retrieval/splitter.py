"""Cuts an article into passages of about 120 words: at headings, else between paragraphs, items or sentences."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

TARGET_WORDS = 100
"""A passage of so many words is long enough."""

MAX_WORDS = 160
"""No passage is longer, headings apart."""

BELOW = " > "
"""Stands between a heading and the one below it."""

BETWEEN = " · "
"""Stands between the headings of sections that share a piece."""

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```+|~~~+)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_NEW_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)]|\|)\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an article. `heading` holds its path of headings (several when short sections share a piece).

    `text` is Markdown; `line` is where it starts.
    """

    heading: str
    text: str
    line: int

    @property
    def words(self) -> int:
        """How long the text is."""
        return len(self.text.split())


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    line: int

    @property
    def words(self) -> int:
        return len(self.text.split())


@dataclass(slots=True)
class _Section:
    heading: str
    lines: list[tuple[int, str]] = field(default_factory=list)


def visible(body: str) -> str:
    """`body` without HTML comments, which readers never see; lines keep their numbers."""
    return _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), body)


def split(body: str, first_line: int = 1) -> tuple[Piece, ...]:
    """Cut Markdown into pieces, in reading order; headings inside code fences are text."""
    pieces: list[Piece] = []
    for section in _sections(body.split("\n"), first_line):
        for piece in _pack(section.heading, list(_blocks(section.lines))):
            if pieces and pieces[-1].words < TARGET_WORDS and pieces[-1].words + piece.words <= MAX_WORDS:
                pieces[-1] = _join(pieces[-1], piece)
            else:
                pieces.append(piece)
    return tuple(pieces)


def passage_ids(doc_id: str, pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Ids that stay as long as document id, heading and wording stay, wherever in the article a piece moves to."""
    seen: dict[str, int] = {}
    ids = []
    for piece in pieces:
        digest = hashlib.blake2b(f"{piece.heading}\n{piece.text}".encode(), digest_size=6).hexdigest()
        seen[digest] = seen.get(digest, 0) + 1
        ids.append(f"{doc_id}#{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else ""))
    return tuple(ids)


def _sections(lines: Sequence[str], first_line: int) -> Iterator[_Section]:
    trail: list[tuple[int, str]] = []
    section = _Section("")
    fence: str | None = None
    for number, line in enumerate(lines, start=first_line):
        marker = _FENCE.match(line)
        if marker and (fence is None or marker.group(1).startswith(fence)):
            fence = marker.group(1) if fence is None else None
        heading = _HEADING.match(line) if fence is None and not marker else None
        if heading is None:
            section.lines.append((number, line))
            continue
        yield section
        depth = len(heading.group(1))
        trail = [*((level, title) for level, title in trail if level < depth), (depth, heading.group(2))]
        # A first-level heading repeats the title of the article.
        section = _Section(BELOW.join(title for level, title in trail if level > 1))
    yield section


def _blocks(lines: Sequence[tuple[int, str]]) -> Iterator[_Block]:
    """Paragraphs, lists and code blocks; what is longer than a passage is cut at items, then at sentences."""
    gathered: list[tuple[int, str]] = []
    fence: str | None = None
    for number, line in [*lines, (0, "")]:
        marker = _FENCE.match(line)
        if marker and (fence is None or marker.group(1).startswith(fence)):
            fence = marker.group(1) if fence is None else None
        if line.strip() or (fence is not None and number):
            gathered.append((number, line.rstrip()))
        elif gathered:
            yield from _fit(gathered)
            gathered = []


def _fit(lines: Sequence[tuple[int, str]]) -> Iterator[_Block]:
    whole = _Block("\n".join(line for _, line in lines), lines[0][0])
    if whole.words <= MAX_WORDS:
        yield whole
        return
    item: list[tuple[int, str]] = []
    for number, line in lines:
        if item and _NEW_ITEM.match(line):
            yield from _cut(item)
            item = []
        item.append((number, line))
    yield from _cut(item)


def _cut(lines: Sequence[tuple[int, str]]) -> Iterator[_Block]:
    text, line = "\n".join(text for _, text in lines), lines[0][0]
    part: list[str] = []
    for sentence in (piece for long in _SENTENCE_END.split(text) for piece in _by_words(long)):
        if part and len(" ".join([*part, sentence]).split()) > TARGET_WORDS:
            yield _Block(" ".join(part), line)
            part = []
        part.append(sentence)
    if part:
        yield _Block(" ".join(part), line)


def _by_words(sentence: str) -> Iterable[str]:
    words = sentence.split()
    if len(words) <= MAX_WORDS:
        return [sentence]
    return [" ".join(words[start : start + TARGET_WORDS]) for start in range(0, len(words), TARGET_WORDS)]


def _pack(heading: str, blocks: Sequence[_Block]) -> Iterator[Piece]:
    gathered: list[_Block] = []
    words = 0
    for block in blocks:
        if gathered and (words >= TARGET_WORDS or words + block.words > MAX_WORDS):
            yield _piece(heading, gathered)
            gathered, words = [], 0
        gathered.append(block)
        words += block.words
    if gathered:
        yield _piece(heading, gathered)


def _piece(heading: str, blocks: Sequence[_Block]) -> Piece:
    return Piece(heading, "\n\n".join(block.text for block in blocks), blocks[0].line)


def _join(first: Piece, second: Piece) -> Piece:
    if not second.heading or second.heading in first.heading.split(BETWEEN):
        return Piece(first.heading, f"{first.text}\n\n{second.text}", first.line)
    heading = f"{first.heading}{BETWEEN}{second.heading}" if first.heading else second.heading
    return Piece(heading, f"{first.text}\n\n**{second.heading}**\n\n{second.text}", first.line)
