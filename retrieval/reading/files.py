"""Articles as files: Markdown, HTML and plain text, in the encodings that they come in."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from pydantic import JsonValue

from handrail.guardrails.yamlsource import PathKey, Problem
from handrail.retrieval.documents import Document, Metadata, card_of
from handrail.retrieval.reading.frontmatter import Parts, take_apart
from handrail.retrieval.reading.mapping import Subject
from handrail.retrieval.reading.markdown import escaped, heading, lines_of, visible
from handrail.retrieval.reading.markup import Meta, to_markdown
from handrail.retrieval.reading.unread import Unread, sound

MAX_BYTES = 2_000_000
"""A larger file is not an article."""

MARKDOWN = frozenset({".md", ".markdown"})
HTML = frozenset({".html", ".htm"})
TEXT = frozenset({".txt"})

LISTS = frozenset({"roles", "stacks", "regions", "plans", "need_states"})
"""Metadata that holds several words: in a `<meta>` tag with commas between them."""

MAX_ID = 120

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_CHARSET_WITHIN = 2_048
_TEXT_ENCODING = re.compile(
    r"utf-?8|us-ascii|iso-?8859-\d{1,2}|latin-?\d|windows-125\d|cp125\d|koi8-[ru]|shift[_-]jis|euc-(?:jp|kr)|gbk?|gb2312|gb18030|big5"
)
_LATIN_1 = re.compile(
    r"iso-?8859-1|latin-?1|us-ascii"
)  # means windows-1252 on the web: https://encoding.spec.whatwg.org
_NOT_IN_ID = re.compile(r"[^a-z0-9._]+")


@dataclass(frozen=True, slots=True)
class _Page:
    body: str
    lines: tuple[int, ...]
    own: Metadata
    title: str


def is_article(name: str) -> bool:
    """Whether a file of this name is an article."""
    return _suffix(name) in MARKDOWN | HTML | TEXT


def unread_file(path: Path, shown_as: str, inside: str, problems: list[Problem], *, mapped: bool) -> Unread | None:
    """Look at a file, which is at `inside` within its source; None when it cannot be read.

    With `mapped` there is a mapping file, and then an article needs neither an id nor a title of its own.
    """
    try:
        with path.open("rb") as stream:
            too_large = os.fstat(stream.fileno()).st_size > MAX_BYTES
            raw = b"" if too_large else stream.read()
    except OSError as error:
        problems.append(Problem(shown_as, 1, f"cannot read the file: {error.strerror or error}"))
        return None
    if too_large:
        problems.append(Problem(shown_as, 1, f"larger than {MAX_BYTES:,} bytes; split the article"))
        return None
    # Where it is decides about an id and about rules of the mapping, and so belongs to what it is made from.
    digest = hashlib.sha256(b"\0".join((raw, inside.encode()))).hexdigest()
    return Unread(shown_as, digest, Subject(inside), _Read(raw, shown_as, inside, digest, mapped))


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read, and can be parsed."""

    raw: bytes
    path: str
    inside: str
    digest: str
    mapped: bool

    def __call__(self, given: Mapping[str, JsonValue], problems: list[Problem]) -> Document | None:
        text = _decoded(self.raw, self.path, _suffix(self.path), problems)
        if text is None:
            return None
        return parse_document(text, self.path, self.digest, problems, given, inside=self.inside if self.mapped else "")


def parse_document(
    text: str,
    path: str,
    digest: str,
    problems: list[Problem],
    given: Mapping[str, JsonValue] = MappingProxyType({}),
    *,
    inside: str = "",
) -> Document | None:
    """Parse the text of an article by the suffix of `path`; what is wrong with it goes to `problems`.

    `given` is what a mapping says of it. Then `inside` is its path within the source, from which it gets an id if it
    has none of its own; and its title may be its first heading.
    """
    before = len(problems)
    parts = take_apart(text, path, problems)
    if parts is None:
        return None
    body, own, title = parts.body, parts.own, ""
    lines: Sequence[int] = range(parts.body_line, parts.body_line + body.count("\n") + 1)
    if _suffix(path) in HTML:
        page = _page(parts, problems)
        body, lines, own, title = page.body, page.lines, page.own, page.title
    elif _suffix(path) in TEXT:
        body = escaped(body)
    if not own.content and not inside:
        problems.append(_nothing_said(path))
    if len(problems) > before:
        return None
    derived = {"title": title} if title else {}
    if inside:
        derived = {"id": _id(inside), "title": title or _first_heading(body) or PurePosixPath(inside).stem}
    card = card_of(own, {**derived, **given}, digest, problems)
    if card is None:
        return None
    if not visible(body).strip():
        problems.append(Problem(path, parts.body_line, "the article has no text"))
        return None
    return Document(card, body, lines)


def _page(parts: Parts, problems: list[Problem]) -> _Page:
    page = to_markdown(parts.body, parts.body_line)
    content: dict[str, JsonValue] = {}
    lines: dict[PathKey, int] = {}
    for meta in page.metas:
        wrong = _wrong(meta, content)
        if wrong:
            problems.append(Problem(parts.own.file, meta.line, wrong))
        words = [word.strip() for word in meta.content.split(",")]
        content[meta.name] = [word for word in words if word] if meta.name in LISTS else meta.content.strip()
        lines[(meta.name,)] = meta.line
    own = Metadata(parts.own.file, {**content, **parts.own.content}, {**lines, **parts.own.lines})
    return _Page(page.body, page.lines, own, page.title)


def _wrong(meta: Meta, content: Mapping[str, JsonValue]) -> str:
    if not meta.in_head:
        return f"the <meta> tag for {meta.name!r} stands after the beginning of the text; move it to the head"
    return f"a second <meta> tag for {meta.name!r}; remove one" if meta.name in content else ""


def _nothing_said(path: str) -> Problem:
    way = "begin the file with a line `---`, the metadata, and a line `---`"
    if _suffix(path) in HTML:
        way = 'add <meta name="handrail:roles" content="..."> and so on to the head'
    return Problem(path, 1, f"no front matter: {way}, or give the metadata in a mapping file (--mapping)")


def _first_heading(body: str) -> str:
    for line in lines_of(body):
        found = None if line.in_code else heading(line.text)
        if found is not None and found.title:
            return found.title
    return ""


def _id(inside: str) -> str:
    """An id from the path, so that it stays as long as the file stays where it is."""
    stem = inside.rpartition(".")[0]
    plain = _NOT_IN_ID.sub("-", stem.lower()).strip("-._")
    if plain and stem.isascii() and len(plain) <= MAX_ID:
        return plain
    digest = hashlib.sha256(stem.encode()).hexdigest()[:8]  # letters were lost, and other names may look the same now
    return f"{plain[: MAX_ID - 9]}-{digest}" if plain else digest


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}"


def _decoded(raw: bytes, path: str, suffix: str, problems: list[Problem]) -> str | None:
    """The text of a file: by its byte order mark, by the charset that a page declares, else UTF-8."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return _as(raw[len(mark) :], encoding, path, problems)
    declared = _CHARSET.search(raw[:_CHARSET_WITHIN]) if suffix in HTML else None
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if not _TEXT_ENCODING.fullmatch(name):
        problems.append(Problem(path, 1, f"the charset {name!r} is not known; save the page as UTF-8"))
        return None
    if _LATIN_1.fullmatch(name):
        # Five bytes are no letters there. A page with one of them is read all the same, as browsers read it.
        return sound(raw.decode("cp1252", "replace"))
    return _as(raw, name, path, problems)


def _as(raw: bytes, encoding: str, path: str, problems: list[Problem]) -> str | None:
    try:
        return sound(raw.decode(encoding))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem(path, line, f"the file is not {encoding.upper()} here; save it as UTF-8"))
    except LookupError:
        problems.append(Problem(path, 1, f"the charset {encoding!r} is not known; save the page as UTF-8"))
    return None
