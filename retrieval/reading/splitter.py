"""Cuts an article into passages of about 120 words: at headings, else between paragraphs, items, rows or sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from handrail.retrieval.reading.blocks import MAX_WORDS, TARGET_WORDS, Block, blocks
from handrail.retrieval.reading.markdown import Heading, Line, heading, lines_of, underlined

BELOW = " > "
"""Stands between a heading and the one below it."""

BETWEEN = " · "
"""Stands between the headings of sections that share a piece."""


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


@dataclass(slots=True)
class _Section:
    heading: Heading | None
    lines: list[Line] = field(default_factory=list)


def split(body: str, first_line: int = 1) -> tuple[Piece, ...]:
    """Cut Markdown into pieces, in reading order; headings inside code are text."""
    pieces: list[Piece] = []
    for path, lines in _under_paths(list(_sections(lines_of(body, first_line)))):
        for piece in _pack(path, list(blocks(lines))):
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


def _sections(lines: Iterator[Line]) -> Iterator[_Section]:
    section = _Section(None)
    for line in lines:
        found = None if line.in_code else heading(line.text)
        if found is None and not line.in_code and section.lines:
            before = section.lines[-2].text if len(section.lines) > 1 else None
            found = underlined(before, section.lines[-1].text, line.text)
            if found is not None:
                section.lines.pop()
        if found is None:
            section.lines.append(line)
            continue
        yield section
        section = _Section(found)
    yield section


def _under_paths(sections: Sequence[_Section]) -> Iterator[tuple[str, Sequence[Line]]]:
    """The sections with their paths of headings."""
    levels = [section.heading.level for section in sections if section.heading is not None]
    # One heading of the first level repeats the title of the article; several are its sections.
    title = 1 if levels.count(1) == 1 and levels[0] == 1 else 0
    trail: list[Heading] = []
    for section in sections:
        if section.heading is not None:
            trail = [*(one for one in trail if one.level < section.heading.level), section.heading]
        yield BELOW.join(one.title for one in trail if one.level > title and one.title), section.lines


def _pack(heading: str, blocks: Sequence[Block]) -> Iterator[Piece]:
    gathered: list[Block] = []
    words = 0
    for block in blocks:
        if gathered and (words >= TARGET_WORDS or words + block.words > MAX_WORDS):
            yield _piece(heading, gathered)
            gathered, words = [], 0
        gathered.append(block)
        words += block.words
    if gathered:
        yield _piece(heading, gathered)


def _piece(heading: str, blocks: Sequence[Block]) -> Piece:
    return Piece(heading, "\n\n".join(block.text for block in blocks), blocks[0].line)


def _join(first: Piece, second: Piece) -> Piece:
    if not second.heading or second.heading in first.heading.split(BETWEEN):
        return Piece(first.heading, f"{first.text}\n\n{second.text}", first.line)
    heading = f"{first.heading}{BETWEEN}{second.heading}" if first.heading else second.heading
    return Piece(heading, f"{first.text}\n\n**{second.heading}**\n\n{second.text}", first.line)
