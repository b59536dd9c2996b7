"""OUT_SECRET: what fields of tool results keep from the customer, and talk of passwords and internal notes."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.policy import RecordsFile
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.records import is_named
from handrail.guardrails.output.sources import content_stems, has_token
from handrail.guardrails.vocabulary import ToolResult

CODE = "OUT_SECRET"

_DEPTH = 8
_SHORTEST = 3
"""Characters that a value must have to be a secret worth looking for."""

_NOTE = 4
"""Words with which a note is more than a state (`battery replaced`)."""

_TOLD = 0.4
"""Share of the words of an internal note in a sentence that tells it."""


def check(view: View) -> Iterator[Finding]:
    """At most one finding of each sort: a value of a secret field, an internal note, words that announce either."""
    line = view.line
    results = view.sources.evidence.tool_results
    if results and not view.sources.is_fixed(line.squashed):
        yield from _kept_back(view, [one for result in results for one in _fields_of(result)])
    for pattern in view.wording.confiding(line.marks):
        for place in claims(view, pattern):
            if not view.sources.is_fixed(line.squashed):
                yield line.finding_at(CODE, place, pattern.id)
                return


def _kept_back(view: View, fields: list[tuple[str, str]]) -> Iterator[Finding]:
    records, line = view.wording.records, view.line
    for key, content in fields:
        if is_named(key, records.secret_keys):
            if len(content) >= _SHORTEST and has_token(line.folded, fold(content)):
                start = line.folded.lower().find(fold(content).lower())
                yield line.finding(CODE, start, start + len(content), "value of a secret field")
                return
        elif _is_internal(key, content, records):
            stems = content_stems(content)
            known = content_stems(view.sources.customer_text) if stems else stems
            told = len(stems) > 1 and len((stems - known) & line.stems) >= max(2, _TOLD * len(stems))
            if told or (has_token(line.folded, content) and content_stems(key.replace("_", " ")) & line.stems):
                yield line.finding(CODE, 0, len(line.sentence.text), "internal note")
                return


def _fields_of(result: ToolResult) -> Iterator[tuple[str, str]]:
    """The fields of a result but for those that the call was asked with: a record's own key is no secret."""
    asked = {str(one) for one in result.call.arguments.values()}
    return ((key, content) for key, content in _fields(result.content, "", 0) if content not in asked)


def _is_internal(key: str, content: str, records: RecordsFile) -> bool:
    """Whether a field is for the staff: by its name, by its first word, or as a note that is more than a state."""
    by_name = is_named(key, records.internal_keys) or is_named(key, records.private_keys)
    if by_name or content.lower().startswith("internal"):
        return True
    return is_named(key, records.note_keys) and len(content_stems(content)) >= _NOTE


def _fields(content: JsonValue, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Name and text of every field; of a list, the name of the field that holds it."""
    if depth > _DEPTH:
        return
    if isinstance(content, dict):
        for name, part in content.items():
            yield from _fields(part, name, depth + 1)
    elif isinstance(content, list):
        for part in content:
            yield from _fields(part, key, depth + 1)
    elif isinstance(content, str | int | float) and not isinstance(content, bool):
        yield key, str(content)
