"""Help-centre exports as records: JSON of the articles APIs of Zendesk and Intercom, page by page or line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import JsonValue

from handrail.guardrails.yamlsource import Problem

SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
MAX_BYTES = 500_000_000
"""A larger file is to be exported in pages."""


class Kind(StrEnum):
    """What a record of an export is."""

    ZENDESK_ARTICLE = "zendesk article"
    ZENDESK_TRANSLATION = "zendesk translation"
    ZENDESK_SECTION = "zendesk section"
    ZENDESK_CATEGORY = "zendesk category"
    INTERCOM_ARTICLE = "intercom article"
    INTERCOM_GROUP = "intercom collection or section"


@dataclass(frozen=True, slots=True)
class Record:
    """One object of an export. `number` counts the records of its file from 1; in JSON lines it is the line."""

    file: str
    inside: str
    number: int
    kind: Kind
    content: dict[str, JsonValue]


_LISTS = {
    "articles": Kind.ZENDESK_ARTICLE,
    "translations": Kind.ZENDESK_TRANSLATION,
    "sections": Kind.ZENDESK_SECTION,
    "categories": Kind.ZENDESK_CATEGORY,
}
_SINGLE = {"article": Kind.ZENDESK_ARTICLE, "section": Kind.ZENDESK_SECTION, "category": Kind.ZENDESK_CATEGORY}


def read_records(path: Path, shown_as: str, inside: str, problems: list[Problem]) -> tuple[Record, ...] | None:
    """The records of an export file; None when it is JSON and no export. What cannot be read goes to `problems`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.append(Problem(shown_as, 1, f"larger than {MAX_BYTES:,} bytes; export it in pages"))
            return ()
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem(shown_as, 1, "the file is not UTF-8; export it again as JSON in UTF-8"))
        return ()
    except OSError as error:
        problems.append(Problem(shown_as, 1, f"cannot read the file: {error.strerror or error}"))
        return ()
    lines = text.split("\n")
    if len(lines) > 1 and isinstance(_json(lines[0]), dict) and any(line.strip() for line in lines[1:]):
        return _of_lines(lines, shown_as, inside, problems)
    try:
        content: JsonValue = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        said = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        problems.append(Problem(shown_as, line, f"not valid JSON: {said}; is the download complete?"))
        return ()
    return _of_page(content, shown_as, inside, problems)


def _json(line: str) -> JsonValue:
    try:
        content: JsonValue = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content


def _of_lines(lines: Sequence[str], file: str, inside: str, problems: list[Problem]) -> tuple[Record, ...] | None:
    records: list[Record] = []
    wrong: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        content = _json(line)
        kind = _kind(content)
        if isinstance(content, dict) and kind is not None:
            records.append(Record(file, inside, number, kind, content))
        else:
            said = "not valid JSON" if content is None else "no article, section, category or collection that is known"
            wrong.append(Problem(file, number, f"{said}; the line is left out"))
    if not records:
        return None
    problems.extend(wrong)
    return tuple(records)


def _of_page(content: JsonValue, file: str, inside: str, problems: list[Problem]) -> tuple[Record, ...] | None:
    found = list(_objects(content))
    if not found:
        return None
    records: list[Record] = []
    for number, one in enumerate(found, start=1):
        kind = one.kind or _kind(one.content)
        if isinstance(one.content, dict) and kind is not None:
            records.append(Record(file, inside, number, kind, one.content))
        else:
            said = "no article, section, category or collection that is known; the record is left out"
            problems.append(Problem(f"{file}#{number}", number, said))
    return tuple(records)


@dataclass(frozen=True, slots=True)
class _Object:
    kind: Kind | None
    content: JsonValue


def _objects(content: JsonValue) -> Iterator[_Object]:
    if isinstance(content, list):
        if any(_kind(one) is not None for one in content):
            yield from (_Object(None, one) for one in content)
        return
    if not isinstance(content, dict):
        return
    listed = content.get("data")
    if content.get("type") == "list" and isinstance(listed, list):
        yield from (_Object(None, one) for one in listed)
        return
    for name, kind in _LISTS.items():
        rows = content.get(name)
        if isinstance(rows, list):
            yield from (_Object(kind, one) for one in rows)
    for name, kind in _SINGLE.items():
        if isinstance(content.get(name), dict):
            yield _Object(kind, content[name])
    if _kind(content) is not None:
        yield _Object(None, content)


def _kind(content: JsonValue) -> Kind | None:
    """What an object is that stands alone."""
    if not isinstance(content, dict):
        return None
    if content.get("type") == "article":
        return Kind.INTERCOM_ARTICLE
    if content.get("type") in {"collection", "section"} and "name" in content:
        return Kind.INTERCOM_GROUP
    if "source_type" in content and "source_id" in content:
        return Kind.ZENDESK_TRANSLATION
    if "section_id" in content or ("title" in content and "body" in content and "locale" in content):
        return Kind.ZENDESK_ARTICLE
    if "category_id" in content and "name" in content:
        return Kind.ZENDESK_SECTION
    if "name" in content and "locale" in content and "html_url" in content:
        return Kind.ZENDESK_CATEGORY
    return None
