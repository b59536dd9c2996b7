"""OUT_SECRET: keys, tokens, passwords, one-time codes and full card numbers, even when a tool returned them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import log2

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.pieces import Pieces
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import has_token
from handrail.guardrails.output.values import Kind

CODE = "OUT_SECRET"

_LONG_TOKEN = re.compile(r"[A-Za-z0-9](?<![\w+/=.@-].)[\w+/=-]{23,400}")
_FILE = re.compile(r"\.(?:csv|pdf|zip|xlsx?|docx?|txt|json|xml|png|jpe?g|ics|ods|odt|gpx|mp[34])(?!\w)")
"""The end of a file's name; a tool made the file for the customer."""

_POSSIBLE = re.compile(
    r"[0-9]|-----|://|(?i:pass|word|wort|secret |hidden |internal |remark|note|comment|memo|notiz|vermerk)"
)
_SIGNED = re.compile(f"{_POSSIBLE.pattern}|(?i:secret|hidden|internal)$")
_PIECES = Pieces(lambda piece: _SIGNED.search(piece) is not None)
"""Whether a piece of a sentence may have a part of what `_POSSIBLE` looks for."""

_LONG = 24
_ENTROPY = 3.6
"""Bits per character above which a long token is random rather than a word (English words reach about 3)."""


def check(view: View) -> Iterator[Finding]:
    """Credentials by shape, full card numbers, and long random tokens that no passage shows."""
    line = view.line
    text = line.folded
    for value in line.values:
        if value.kind is Kind.CARD:
            yield line.finding(CODE, value.start, value.end, "card number")
    for start, end in _kept_inside(view, text):
        yield line.finding(CODE, start, end, "kept inside")
    if not line.has_digit and not (any(map(_PIECES.__getitem__, line.pieces)) and _POSSIBLE.search(text)):
        return
    found: set[int] = set()
    for start, end, name in (*_shaped(view, text), *_random(view, text)):
        if start not in found:
            found.add(start)
            yield line.finding(CODE, start, end, name)


def _kept_inside(view: View, text: str) -> Iterator[tuple[int, int]]:
    """Codes that a tool returned, and words of notes that are for the staff only."""
    records = view.sources.records
    for code in records.codes:
        if has_token(text, code) and not _is_shown(view, code) and not has_token(view.sources.customer_text, code):
            at = text.lower().find(code.lower())
            yield at, at + len(code)
    if records.notes:
        said = view.line.squashed
        for phrase in view.sources.note_phrases:
            if phrase in said and not any(
                phrase in known for known in (view.sources.customer_squashed, *view.sources.public_squashed)
            ):
                yield 0, len(text)
                return


def _shaped(view: View, text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and name of everything that has the shape of a credential and is no public example."""
    lowered = text.lower()
    shapes = view.wording.secret_shapes(view.line.pieces if lowered == view.line.plain else lowered.split())
    for place, shape in enumerate(view.wording.disclosure.secrets) if shapes else ():
        if not shapes >> place & 1:
            continue
        expression = view.wording.secrets[place]
        for match in expression.finditer(text) if any(hint in lowered for hint in shape.hints) else ():
            start, end = match.span("secret" if "secret" in expression.groupindex else 0)
            if not _is_public(view, text[start:end]):
                yield start, end, shape.id


def _random(view: View, text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and name of long tokens that look drawn at random and that neither passages nor the customer show."""
    if len(text) < _LONG or max(map(len, view.line.pieces)) < _LONG:
        return
    for match in _LONG_TOKEN.finditer(text):
        is_file = _FILE.match(text, match.end()) and has_token(view.sources.records.neutral, match.group())
        if _is_random(match.group()) and not is_file and not _is_shown(view, match.group()):
            yield match.start(), match.end(), "random token"


def _is_public(view: View, token: str) -> bool:
    """Whether a passage or a text of the bundle shows it as an example."""
    return any(has_token(passage.text, token) for passage, _ in view.sources.passages) or any(
        has_token(text, token) for text in view.sources.evidence.fixed_texts
    )


def _is_shown(view: View, token: str) -> bool:
    return _is_public(view, token) or any(has_token(own, token) for own in view.sources.evidence.own)


def _is_random(token: str) -> bool:
    classes = sum(1 for test in (str.islower, str.isupper, str.isdigit) if any(map(test, token)))
    return classes >= 2 and any(map(str.isdigit, token)) and _entropy(token) >= _ENTROPY


def _entropy(token: str) -> float:
    """Shannon entropy of the characters, in bits per character."""
    counts = (token.count(char) / len(token) for char in set(token))
    return -sum(share * log2(share) for share in counts)
