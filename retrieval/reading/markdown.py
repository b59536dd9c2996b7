"""The Markdown that articles are written in: which lines are code, and what readers of the page see of the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_TITLE = 300
"""Characters of a heading; a longer one is text, because it would stand in every passage below it."""

MAX_TARGETS = 2_000
"""Reference links of a document that get their targets."""

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NO_PARAGRAPH = re.compile(r"[ \t]*(?:$|[-*+>|]|#{1,6}(?:[ \t]|$)|\d{1,9}[.)][ \t]|```|~~~|<!--)| {4}|\t")
_SPAN = r"(?P<code>(?<![`\\])(?P<ticks>`{1,2})[^`\n]+(?P=ticks)(?!`))"
# Left to right, as a renderer reads: a comment inside code is text, and a fence inside a comment is none.
_CODE_OR_COMMENT = re.compile(
    rf"^[ \t]*(?P<fence>`{{3,}}|~{{3,}})(?P<named>[^\n`]*)$|{_SPAN}|(?<!\\)<!--.*?(?:-->|\Z)", re.DOTALL | re.MULTILINE
)
_CODE_OR_OPENING = re.compile(rf"{_SPAN}|(?<!\\)<!--")
_DEFINITION = re.compile(r" {0,3}\[([^\[\]\n]{1,200})\]:[ \t]*<?([^\s>]{1,500}+)>?[ \t]*(?:[\"'(].*)?$")
_REFERENCE = re.compile(r"(?<![\\\]])\[([^\[\]\n]{1,500})\](?:\[([^\[\]\n]{0,200})\]|(?![\[(:]))")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an article: its number, its text, and whether it belongs to a code block (fences included)."""

    number: int
    text: str
    in_code: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its level from 1 and its text."""

    level: int
    title: str


def lines_of(body: str, first_line: int = 1) -> Iterator[Line]:
    """The lines of `body`, numbered from `first_line`; a code block ends with its fence or with the article."""
    fence = ""
    for number, text in enumerate(body.split("\n"), start=first_line):
        marker = _FENCE.match(text)
        if not fence:
            opened = marker is not None and not (marker[1][0] == "`" and "`" in marker[2])
            fence = marker[1] if marker is not None and opened else ""
            yield Line(number, text, bool(fence))
            continue
        yield Line(number, text, in_code=True)
        if marker is not None and marker[1].startswith(fence) and not marker[2].strip():
            fence = ""


def heading(text: str) -> Heading | None:
    """The heading that a line with hashes is; None when it is none."""
    found = _HEADING.match(text)
    if found is None:
        return None
    title = (found[2] or "").strip()
    if len(title) > MAX_TITLE:
        return None
    bare = title.rstrip("#")  # closing hashes are decoration, the last letter of C# is not
    return Heading(len(found[1]), bare.rstrip() if not bare or bare[-1] in " \t" else title)


def underlined(before: str | None, text: str, line: str) -> Heading | None:
    """The heading that `text` is when `line` underlines it, and no paragraph goes on from the line `before` it."""
    found = _UNDERLINE.match(line)
    if (
        found is None
        or len(text) > MAX_TITLE
        or _NO_PARAGRAPH.match(text)
        or (before is not None and not _NO_PARAGRAPH.match(before))
    ):
        return None
    return Heading(1 if found[1][0] == "=" else 2, text.strip())


def visible(body: str) -> str:
    """`body` as readers see it: without comments, and with the targets of reference links where they are used.

    Lines keep their numbers.
    """
    if "<!--" in body:
        body = _without_comments(body)
    return _with_targets(body) if "]:" in body else body


def _without_comments(body: str) -> str:
    kept: list[str] = []
    place = 0
    while (found := _CODE_OR_COMMENT.search(body, place)) is not None:
        start, end = found.span()
        if found["fence"]:
            end = _end_of_code(body, end, found["fence"])
        comment = not found["fence"] and not found["code"]
        kept.append(body[place:start])
        kept.append("\n" * body.count("\n", start, end) if comment else body[start:end])
        place = end
    kept.append(body[place:])
    return "".join(kept)


def _end_of_code(body: str, start: int, fence: str) -> int:
    closing = re.compile(rf"^[ \t]*{re.escape(fence)}{re.escape(fence[0])}*[ \t]*$", re.MULTILINE)
    found = closing.search(body, start)
    return len(body) if found is None else found.end()


def _with_targets(body: str) -> str:
    lines = list(lines_of(body))
    targets: dict[str, str] = {}
    for line in lines:
        found = None if line.in_code else _DEFINITION.match(line.text)
        if found is not None:
            targets.setdefault(_label(found[1]), found[2])
    return "\n".join(_resolved(lines, targets)) if targets else body


def _resolved(lines: Iterable[Line], targets: dict[str, str]) -> Iterator[str]:
    left = MAX_TARGETS

    def inline(found: re.Match[str]) -> str:
        nonlocal left
        target = targets.get(_label(found[2] or found[1])) if left else None
        left -= target is not None
        return found[0] if target is None else f"[{found[1]}]({target})"

    for line in lines:
        if line.in_code or "[" not in line.text:
            yield line.text
        else:
            yield "" if _DEFINITION.match(line.text) else _REFERENCE.sub(inline, line.text)


def _label(text: str) -> str:
    return " ".join(text.casefold().split())


def escaped(text: str) -> str:
    """`text` in which what looks like the beginning of a comment is text, as it is inside code."""
    return text if "<!--" not in text else _CODE_OR_OPENING.sub(lambda found: found["code"] or "\\<!--", text)
