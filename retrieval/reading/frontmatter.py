"""Front matter: the metadata between two lines `---` at the top of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import JsonValue

from handrail.guardrails import yamlsource
from handrail.guardrails.yamlsource import PathKey, Problem
from handrail.retrieval.documents import Metadata

FENCE = "---"

# Nine of ten lines of front matter are as plain as these; read so they cost a tenth of a YAML parser. Whatever looks
# different in one line leaves the whole to the parser.
_WORDS = r"[a-z][a-z0-9_]*(?:, ?[a-z][a-z0-9_]*)*"
_SCALAR = r"\d{4}-\d\d-\d\d|[A-Za-z][\w ./()'-]*"
_PLAIN = re.compile(rf"([a-z_]+): +(?:\[({_WORDS})\]|({_SCALAR})) *")
_NO_TEXT = frozenset({"true", "false", "null", "True", "TRUE", "False", "FALSE", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Parts:
    """A file taken apart: its metadata, and the rest, which begins on line `body_line`."""

    own: Metadata
    body: str
    body_line: int


def lines_of_text(text: str) -> list[str]:
    """The lines of a file from any system."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def take_apart(text: str, shown_as: str, problems: list[Problem]) -> Parts | None:
    """Read the front matter of a file; without any, there is no metadata. What is wrong goes to `problems`."""
    lines = lines_of_text(text)
    if lines[0].rstrip() != FENCE:
        return Parts(Metadata(shown_as, {}), "\n".join(lines), 1)
    end = next((index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == FENCE), None)
    if end is None:
        problems.append(Problem(shown_as, 1, "the front matter has no end: close it with a line `---`"))
        return None
    own = _plain(lines[1:end], shown_as) or _parsed(lines[1:end], shown_as, problems)
    return None if own is None else Parts(own, "\n".join(lines[end + 1 :]), end + 2)


def _plain(lines: list[str], shown_as: str) -> Metadata | None:
    content: dict[str, JsonValue] = {}
    places: dict[PathKey, int] = {}
    for number, line in enumerate(lines, start=2):
        found = _PLAIN.fullmatch(line)
        if found is None or found[1] in content:
            return None
        words = found[2].replace(" ", "").split(",") if found[2] else [found[3].rstrip(" ")]
        if not _NO_TEXT.isdisjoint(words):
            return None
        content[found[1]] = list(words) if found[2] else words[0]
        places[(found[1],)] = number
    return Metadata(shown_as, content, places) if content else None


def _parsed(lines: list[str], shown_as: str, problems: list[Problem]) -> Metadata | None:
    # One empty line stands for the opening fence, so that lines of YAML are lines of the file.
    source = yamlsource.parse("\n".join(["", *lines]), shown_as, problems)
    if source is None:
        return None
    if not isinstance(source.content, dict):
        problems.append(Problem(shown_as, 2, "the front matter must be lines of the form `name: content`"))
        return None
    return Metadata(shown_as, source.content, source.lines)
