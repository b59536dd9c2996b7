"""Masking: personal data replaced by labels, before anything is written down."""

from __future__ import annotations

import re

from pydantic import JsonValue

from handrail.guardrails.detect.personal import KINDS, find_personal_data

MAX_PASSES = 8
LABELS = {kind.code: kind.label for kind in KINDS}
SECRET_LABEL = LABELS["PII_SECRET"]
_SECRET_KEY = re.compile(
    r"(?:pass(?:word|wd|phrase)|secret|(?:^|_)token$|api_?key|authorization|private_?key)", re.IGNORECASE
)
MAX_DEPTH = 60

_BARE_NAME = re.compile(r"[A-Za-z_.:]{0,100}")
_LONG_RUN = re.compile(r"[A-Za-z]{21}")
"""Names of fields, rules and reason codes: letters in short runs, no digit, no space. Most strings of an audit payload
are such names, and no kind of personal data that is looked for has this shape.
"""

SMALL = 100_000
"""Numbers below are no card number, phone number or national id."""


def mask(text: str) -> str:
    """`text` with every piece of personal data replaced by a label such as `[email]`.

    Masking masked text changes nothing: what a replacement lays bare is replaced in the same call.
    """
    if _BARE_NAME.fullmatch(text) and not _LONG_RUN.search(text):
        return text
    for _ in range(MAX_PASSES):
        masked = _mask_once(text)
        if masked == text:
            return masked
        text = masked
    return text


def _mask_once(text: str) -> str:
    parts: list[str] = []
    last = 0
    for signal in find_personal_data(text):
        if signal.span is not None:
            parts += [text[last : signal.span.start], LABELS[signal.code]]
            last = signal.span.end
    return "".join([*parts, text[last:]])


def mask_json(content: JsonValue) -> JsonValue:
    """A copy of `content` with every string masked, keys included, and what stands under a key such as `password`.

    A number that is a card number becomes its label. What is nested deeper than 60 levels is left out.
    """
    return _mask_json(content, 0)


def _mask_json(content: JsonValue, depth: int) -> JsonValue:
    if depth > MAX_DEPTH:
        return "[too deep]"
    if isinstance(content, str):
        return mask(content)
    if isinstance(content, list):
        return [_mask_json(item, depth + 1) for item in content]
    if isinstance(content, dict):
        return {
            mask(key): SECRET_LABEL if _hides_secret(key, value) else _mask_json(value, depth + 1)
            for key, value in content.items()
        }
    if isinstance(content, int) and not isinstance(content, bool) and abs(content) >= SMALL:
        masked = mask(str(content))
        return content if masked == str(content) else masked
    return content


def _hides_secret(key: str, value: JsonValue) -> bool:
    return bool(_SECRET_KEY.search(key)) and isinstance(value, str | int) and not isinstance(value, bool)
