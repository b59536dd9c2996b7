"""Writes Markdown block by block, each line with the line of the source that it came from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from handrail.retrieval.reading.markdown import escaped

BREAK = "\0"
"""Stands for a line break in text that is still to be laid out; sources hold no such character."""

MAX_INDENT = 8

_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_LOOKS_LIKE_BLOCK = re.compile(r"#{1,6}(?:\s|$)|```|~~~|[-=]+\s*$|\||\[[^\[\]]{1,200}\]:")
_TICKS = re.compile(r"`+")


@dataclass(slots=True)
class Mark:
    """An open link, code or bold stretch: what comes before and after it, and where it began in the paragraph."""

    tag: str
    before: str
    after: str
    start: int


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int


@dataclass(slots=True)
class _Row:
    line: int
    is_head: bool = False
    cells: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class MarkdownPage:
    """The page so far. Text goes to the paragraph at hand until `end_paragraph` lays it out where it stands.

    `is_empty` until there is text that readers see.
    """

    lines: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    first_heading: str = ""
    is_empty: bool = True
    _text: list[str] = field(default_factory=list)
    _line: int = 0
    _level: int = 0
    _lists: list[_List] = field(default_factory=list)
    _item: str = ""
    _in_list: bool = False
    _rows: list[_Row] | None = None
    _marks: list[Mark] = field(default_factory=list)
    _unseen: list[tuple[int, str]] = field(default_factory=list)

    def write(self, text: str, line: int) -> None:
        """Add text to the paragraph; spaces are settled when it ends."""
        if not self._text:
            self._line = line
        self.is_empty = self.is_empty and not text.strip()
        self._text.append(text)

    def hide(self, text: str, line: int) -> None:
        """Keep text that readers do not see: as a comment, after the paragraph at hand."""
        words = _settled(text).replace(BREAK, " ")
        if words:
            self._unseen.append((line, words.replace("-->", "-- >")))

    def open_mark(self, tag: str, before: str, after: str) -> None:
        """Begin a link or a stretch that is marked; in headings, and in one of its kind, it says nothing."""
        if not (self._level and before == "**") and all(mark.before != before for mark in self._marks):
            self._marks.append(Mark(tag, before, after, len(self._text)))

    def close_mark(self, tag: str) -> None:
        """End the innermost stretch that was opened by `tag`."""
        for place in range(len(self._marks) - 1, -1, -1):
            if self._marks[place].tag == tag:
                self._wrap(self._marks.pop(place))
                return

    def begin_heading(self, level: int) -> None:
        """The next paragraph is a heading."""
        self.end_paragraph()
        self._level = level

    def begin_list(self, *, ordered: bool, number: int = 1) -> None:
        """Begin a list, or one inside the item at hand."""
        self.end_paragraph()
        self._in_list = self._in_list and bool(self._lists)
        self._lists.append(_List(ordered, number))

    def end_list(self) -> None:
        """End the innermost list."""
        self.end_paragraph()
        if self._lists:
            self._lists.pop()
        self._item = ""

    def begin_item(self) -> None:
        """The next paragraph is an item."""
        self.end_paragraph()
        self._item = "- "
        if self._lists and self._lists[-1].ordered:
            self._item = f"{self._lists[-1].number}. "
            self._lists[-1].number += 1

    def begin_table(self) -> None:
        """Begin a table."""
        self.end_paragraph()
        self._rows = []

    def begin_row(self, line: int) -> None:
        """Begin a row of the table."""
        self.end_paragraph()
        if self._rows is not None:
            self._rows.append(_Row(line))

    def begin_cell(self, line: int, *, is_head: bool) -> None:
        """Begin a cell; a row is a head when its first cell is one."""
        self.end_paragraph()
        if self._rows is None:
            return
        if not self._rows:
            self._rows.append(_Row(line))
        row = self._rows[-1]
        row.is_head = is_head and (row.is_head or not row.cells)
        row.cells.append([])

    def end_table(self) -> None:
        """Lay the table out; one without columns only arranged the page, and its cells are paragraphs."""
        self.end_paragraph()
        rows, self._rows = [row for row in self._rows or () if any(row.cells)], None
        width = max((len(row.cells) for row in rows), default=0)
        if width == 1:
            for row in rows:
                self._block(" ".join(row.cells[0]).split(BREAK), row.line)
        elif rows:
            self._table(rows)
        self._show_unseen()

    def code(self, text: str, line: int) -> None:
        """A block of code, as it stands; in a table it is text."""
        self.end_paragraph()
        text = text.removeprefix("\n").rstrip()
        if not text:
            return
        self.is_empty = False
        if self._rows is not None:
            self.write(text, line)
            self.end_paragraph()
            return
        fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
        self._block([fence, *text.split("\n"), fence], line, counted=True)

    def end_paragraph(self) -> None:
        """Lay out the text at hand: as a heading, an item, the content of a cell, or a paragraph."""
        for mark in reversed(self._marks):
            self._wrap(mark)
            mark.start = 0
        text = _settled("".join(self._text))
        self._text = []
        # A link ends with the paragraph that it begins in: its target is not repeated over and over.
        self._marks = [mark for mark in self._marks if mark.before != "[" or not text]
        level, self._level = self._level, 0
        if not text:
            self._level = level
        elif self._rows is not None and self._rows and self._rows[-1].cells:
            self._rows[-1].cells[-1].append(text)
            return
        elif level:
            title = text.replace(BREAK, " ")
            self.first_heading = self.first_heading or (title if level == 1 else "")
            self._in_list = False
            self._block([f"{'#' * level} {title}"], self._line)
        else:
            self._block([_plain(one) for one in text.split(BREAK)], self._line)
        self._show_unseen()

    def end_heading(self) -> None:
        """End the heading, if it has text or not."""
        self.end_paragraph()
        self._level = 0

    def _wrap(self, mark: Mark) -> None:
        text = "".join(self._text[mark.start :])
        inner = text.strip(" \t\r\n\f" + BREAK)
        if inner:
            start = text.index(inner)
            before, after = mark.before, mark.after
            if before == "`" and "`" in inner:
                before, after = "`` ", " ``"
            self._text[mark.start :] = [text[:start], before, inner, after, text[start + len(inner) :]]

    def _show_unseen(self) -> None:
        unseen, self._unseen = self._unseen, []
        for line, text in unseen:
            self._put("", line)
            self._put(f"<!-- {text} -->", line)
            self._in_list = False

    def _block(self, texts: Sequence[str], line: int, *, counted: bool = False) -> None:
        """Lines that belong together; in a list without an empty line before them."""
        nested = bool(self._lists) or bool(self._item)
        indent = "   " * min(len(self._lists) - 1, MAX_INDENT)
        if not (nested and self._in_list):
            self._put("", line)
        self._in_list = nested
        marker, self._item = self._item, ""
        shown = texts if counted else escaped("\n".join(texts)).split("\n")
        for place, text in enumerate(shown):
            first = indent + marker if marker and not place else f"{indent}{'   ' if nested else ''}"
            # The first line of a block of code is its fence, which stands in no line of the source.
            self._put(first + text, line + min(max(0, place - 1), len(texts) - 3) if counted else line)

    def _table(self, rows: Sequence[_Row]) -> None:
        lists, self._lists = self._lists, []  # inside an item a table would be no table
        self._item, self._in_list = "", False
        self._put("", rows[0].line)
        for place, row in enumerate(rows):
            cells = [" ".join(cell).replace(BREAK, " ").replace("|", "\\|") for cell in row.cells]
            self._put(escaped(f"| {' | '.join(cells)} |"), row.line)
            if place == 0 and row.is_head:
                self._put("|" + "---|" * len(cells), row.line)
        self._lists = lists

    def _put(self, text: str, line: int) -> None:
        if text or self.lines:
            self.lines.append(text.rstrip())
            self.numbers.append(line)


def _settled(text: str) -> str:
    return _SPACE.sub(" ", text).replace(f" {BREAK}", BREAK).replace(f"{BREAK} ", BREAK).strip(" " + BREAK)


def _plain(text: str) -> str:
    """Text that would be read as the beginning of a block is text."""
    return f"\\{text}" if _LOOKS_LIKE_BLOCK.match(text) else text
