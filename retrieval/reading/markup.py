"""HTML as the Markdown that the splitter cuts: what readers see as text, what they do not see as comments."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from handrail.retrieval.reading.page import BREAK, MarkdownPage
from handrail.retrieval.reading.tags import (
    BLOCKS,
    BOLD,
    CODE,
    DROPPED,
    ENDS,
    HEADINGS,
    TABLE,
    UNSEEN,
    VOID,
    Attributes,
    is_hidden,
    target,
    value,
)

PREFIX = "handrail:"
"""What names of `<meta>` tags begin with that hold metadata."""

_NUMBER = re.compile(r"[0-9]{1,6}")
_OPENED = re.compile(r"<[!/?a-zA-Z]")
_DECLARATION = re.compile(r"<!\[([^>]*)(?:>|\Z)")


@dataclass(frozen=True, slots=True)
class Meta:
    """A `<meta>` tag that gives the metadata field `name`."""

    name: str
    content: str
    line: int
    in_head: bool


@dataclass(frozen=True, slots=True)
class Markdown:
    """A page as Markdown. `lines` says for each line of `body` where in the source it stands.

    `title` is the first heading of the first level, else what `<title>` says.
    """

    body: str
    lines: tuple[int, ...]
    title: str
    metas: tuple[Meta, ...]


def to_markdown(html: str, first_line: int = 1) -> Markdown:
    """Convert a page or a part of one; markup that is broken is read as far as it goes, and nothing is refused."""
    reader = _Reader(first_line)
    reader.feed(_sound(html))
    reader.close()
    page = reader.finish()
    title = page.first_heading or " ".join("".join(reader.title).split())
    return Markdown("\n".join(page.lines), tuple(page.numbers), title, tuple(reader.metas))


def _sound(html: str) -> str:
    """`html` with an end to what has none, so that the parser does not look for it again and again."""
    html = _DECLARATION.sub(lambda found: f"<!-- {found[1].replace('--', '- ')} -->", html)
    if html.rfind("<!--") > html.rfind("-->"):
        html += "-->"
    return html + ">" if _OPENED.search(html, html.rfind(">") + 1) else html


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    unseen: bool


@dataclass(slots=True)
class _Pre:
    line: int
    text: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Follows the tags and writes the page. Elements that were never closed end with what they stand in."""

    def __init__(self, first_line: int) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.metas: list[Meta] = []
        self._page = MarkdownPage()
        self._shift = first_line - 1
        self._open: list[_Open] = []
        self._count: Counter[str] = Counter()
        self._unseen = 0
        self._hidden: list[str] = []
        self._hidden_line = 0
        self._pre: _Pre | None = None
        self._tables = 0

    @property
    def _line(self) -> int:
        return self.getpos()[0] + self._shift

    def finish(self) -> MarkdownPage:
        """End everything that is still open."""
        while self._open:
            self._close()
        self._page.end_paragraph()
        self._page.end_table()
        return self._page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        ended = ENDS.get(tag, frozenset())
        while self._open and self._open[-1].tag in ended:
            self._close()
        if tag in VOID:
            self._void(tag, attrs)
            return
        unseen = tag in UNSEEN or is_hidden(attrs)
        if unseen and not self._unseen:
            self._hidden_line = self._line
        self._open.append(_Open(tag, unseen))
        self._count[tag] += 1
        self._unseen += unseen
        if not self._unseen:
            self._begin(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # in HTML a slash ends nothing

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":
            self._void(tag, ())
        if not self._count[tag]:
            return
        while self._open[-1].tag != tag:
            self._close()
        self._close()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].tag in DROPPED:
            return
        if self._unseen:
            self._hidden.append(data)
        elif self._open and self._open[-1].tag == "title":
            self.title.append(data)
        elif self._pre is not None:
            self._pre.text.append(data)
        else:
            self._page.write(data, self._line)

    def handle_comment(self, data: str) -> None:
        self._page.hide(data, self._line)

    def handle_pi(self, data: str) -> None:
        self._page.hide(data, self._line)

    def _void(self, tag: str, attrs: Attributes) -> None:
        if tag == "meta":
            self._meta(attrs)
        elif self._unseen:
            self._hidden.append(" ")
        elif self._pre is not None:
            self._pre.text.append("\n" if tag in {"br", "hr"} else "")
        elif tag == "br":
            self._page.write(BREAK, self._line)
        elif tag == "hr":
            self._page.end_paragraph()
        elif tag == "img":
            self._image(attrs)

    def _meta(self, attrs: Attributes) -> None:
        name = value(attrs, "name").strip()
        if name.lower().startswith(PREFIX):
            in_head = self._page.is_empty and not self._count["body"] and not self._unseen
            self.metas.append(Meta(name[len(PREFIX) :].lower(), value(attrs, "content"), self._line, in_head))

    def _image(self, attrs: Attributes) -> None:
        alt = " ".join(value(attrs, "alt").split())
        if alt and not is_hidden(attrs):
            source = target(value(attrs, "src"))
            self._page.write(f"![{alt}]({source})" if source else alt, self._line)

    def _begin(self, tag: str, attrs: Attributes) -> None:
        page = self._page
        if self._pre is not None:
            # Highlighters make an element of every line.
            at_start = not self._pre.text or self._pre.text[-1].endswith("\n")
            self._pre.text.append("\n" if tag in BLOCKS and not at_start else "")
            return
        if tag in TABLE:
            self._begin_in_table(tag)
        elif tag in HEADINGS:
            page.begin_heading(int(tag[1]))
        elif tag == "pre":
            page.end_paragraph()
            self._pre = _Pre(self._line)
        elif tag in {"ul", "ol"}:
            start = value(attrs, "start")
            page.begin_list(ordered=tag == "ol", number=int(start) if _NUMBER.fullmatch(start) else 1)
        elif tag == "li":
            page.begin_item()
        elif tag in BLOCKS:
            page.end_paragraph()
        self._begin_mark(tag, attrs)

    def _begin_mark(self, tag: str, attrs: Attributes) -> None:
        href = target(value(attrs, "href")) if tag == "a" else ""
        if href:
            self._page.open_mark(tag, "[", f"]({href})")
        elif tag in CODE:
            self._page.open_mark(tag, "`", "`")
        elif tag in BOLD:
            self._page.open_mark(tag, "**", "**")

    def _begin_in_table(self, tag: str) -> None:
        """Tables in tables are text: only the outermost one has rows."""
        self._tables += tag == "table"
        if self._tables != 1:
            self._page.end_paragraph()
        elif tag == "table":
            self._page.begin_table()
        elif tag == "tr":
            self._page.begin_row(self._line)
        else:
            self._page.begin_cell(self._line, is_head=tag == "th")

    def _close(self) -> None:
        closed = self._open.pop()
        self._count[closed.tag] -= 1
        if self._unseen:
            self._unseen -= closed.unseen
            if not self._unseen:
                self._page.hide("".join(self._hidden), self._hidden_line)
                self._hidden = []
            elif closed.tag in BLOCKS:
                self._hidden.append(" ")
            return
        self._end(closed.tag)

    def _end(self, tag: str) -> None:
        page = self._page
        if self._pre is not None:
            if tag == "pre":
                pre, self._pre = self._pre, None
                page.code("".join(pre.text), pre.line)
            return
        if tag in BOLD or tag in CODE or tag == "a":
            page.close_mark(tag)
        if tag in {"ul", "ol"}:
            page.end_list()
        elif tag == "table":
            self._tables -= 1
            if self._tables == 0:
                page.end_table()
            else:
                page.end_paragraph()
        elif tag in HEADINGS:
            page.end_heading()
        elif tag in BLOCKS or tag in TABLE or tag == "li":
            page.end_paragraph()
