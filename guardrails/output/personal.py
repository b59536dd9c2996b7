"""OUT_FOREIGN_PERSONAL_DATA: another person's name, address or account, wherever the model has it from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import JsonValue

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import has_token
from handrail.guardrails.output.values import Kind, Value

CODE = "OUT_FOREIGN_PERSONAL_DATA"

_PERSONAL_KINDS = frozenset({Kind.EMAIL, Kind.PHONE, Kind.IBAN, Kind.IP})
_NAME = r"[A-Z][a-zà-öø-ÿ]+(?:[-' ][A-Z]\.?(?:[a-zà-öø-ÿ]+)?){0,3}"
_TITLED = re.compile(rf"(?<!\w)(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? (?P<name>{_NAME})")
_POSSESSED = re.compile(
    r"(?:belong(?:s|ed|ing)? to|registered (?:to|for|under)|in the name of|account of|owned by|held by|lives? (?:at|in)|"
    r"(?:customer|user|member|owner|holder|colleague|contact|person|patient)(?: is| was|'s name is|:)?|named|called|"
    rf"(?:made|placed|paid|requested|opened|signed|cancelled|changed) by) (?P<name>{_NAME} {_NAME})"
)
_STREET = re.compile(
    r"(?<!\w)\d{1,5}[a-z]? (?:[A-Z][\w'.-]{1,30} ){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|"
    r"Court|Ct|Place|Pl|Square|Sq|Terrace|Highway|Hwy)(?!\w)|(?<!\w)[A-Z][a-zà-öø-ÿß]{2,30}(?:straße|strasse|str\.|weg|platz|"
    r"gasse|allee) \d{1,4}[a-z]?(?!\w)"
)
_SSN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_BORN = re.compile(r"(?i:date of birth|born on|birthday|\bdob\b)\W+(?i:is |was |: ?)?(?P<name>[\w ,./-]{6,20})")
_SHAPES = (_STREET, _SSN)
_NAMED = (_TITLED, _POSSESSED, _BORN)


def check(view: View) -> Iterator[Finding]:
    """Personal data that is neither the customer's own nor in a passage."""
    line = view.line
    for value in line.values:
        if value.kind in _PERSONAL_KINDS and _is_foreign_value(view, value):
            yield line.finding(CODE, value.start, value.end, value.kind.value)
    text = fold(line.sentence.text)
    for start, end in _foreign_words(view, text):
        yield line.finding(CODE, start, end, "name or address")


def _is_foreign_value(view: View, value: Value) -> bool:
    sources = view.sources
    if sources.customer.holds(value) or sources.own.holds(value) or any(index.holds(value) for index in sources.public()):
        return False
    if value.kind is Kind.EMAIL:
        mailbox, _, host = value.keys[0].partition("@")
        company = any(host in index.hosts for index in sources.public())
        return not (company and mailbox in view.wording.disclosure.role_mailboxes)
    return True


def _foreign_words(view: View, text: str) -> Iterator[tuple[int, int]]:
    for shape in _SHAPES:
        for match in shape.finditer(text):
            if not _is_known(view, match.group()):
                yield match.span()
    for shape in _NAMED:
        for match in shape.finditer(text):
            if not _is_known(view, match["name"].strip()):
                yield match.span("name")
    for name in foreign_names(view):
        at = text.lower().find(name.lower())
        if at >= 0 and has_token(text, name):
            yield at, at + len(name)


def _is_known(view: View, shown: str) -> bool:
    """Whether the words are the customer's own, or public."""
    evidence = view.sources.evidence
    return (
        has_token(view.sources.customer_text, shown)
        or any(has_token(own, shown) or has_token(shown, own) for own in evidence.own)
        or any(has_token(passage.text, shown) for passage, _ in view.sources.passages)
        or any(has_token(text, shown) for text in evidence.fixed_texts)
    )


def foreign_names(view: View) -> tuple[str, ...]:
    """Names of people in tool results that are not the customer's."""
    keys = view.wording.disclosure.person_keys
    names = {name for result in view.sources.evidence.tool_results for name in _names(result.content, keys, 0)}
    return tuple(sorted(name for name in names if len(name) >= 3 and not _is_known(view, name)))


def _names(content: JsonValue, keys: tuple[str, ...], depth: int) -> Iterator[str]:
    if depth > 8:
        return
    if isinstance(content, list):
        for part in content:
            yield from _names(part, keys, depth + 1)
    elif isinstance(content, dict):
        for key, part in content.items():
            if key.lower() in keys and isinstance(part, str):
                yield part.strip()[:120]
            else:
                yield from _names(part, keys, depth + 1)
