"""Masking: personal data replaced by labels, before anything is written down."""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue, TypeAdapter, ValidationError

from handrail.guardrails.detect.labels import ALL_KINDS, LABEL, LABELS
from handrail.guardrails.detect.personal import TOPS, find_personal_data

MAX_PASSES = 8
WITHHELD = "[withheld]"
"""Stands for a whole text in which every replacement laid bare something new: nobody writes so by accident."""

_SECRET_KEY = re.compile(
    r"(?:pass(?:word|wd|phrase)|secret|(?:^|_)token$|api_?key|authorization|private_?key|access_?key|credentials?$|"
    r"(?:^|_)(?:otp|pin|cvv2?|cvc2?|cookie)$)",
    re.IGNORECASE,
)
_LABEL_BY_KEY: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:[a-z]{0,12})?e?mail(?:address)?s?"), "PII_EMAIL"),
    (re.compile(r"(?:[a-z]{0,12})?(?:phone|mobile|telephone|fax|msisdn|cellphone)(?:no|number)?s?"), "PII_PHONE"),
    (re.compile(r"(?:[a-z]{0,12})?iban"), "PII_IBAN"),
    (re.compile(r"(?:[a-z]{0,8})?cardnumber|ccnumber"), "PII_CARD"),
    (re.compile(r"ssn|socialsecuritynumber|nationalid|passport(?:no|number)?|taxid|nino"), "PII_NATIONAL_ID"),
    (re.compile(r"(?:first|last|full|given|family|middle|maiden|sur|customer|cardholder)name|cardholder"), "PII_NAME"),
    (re.compile(r"street(?:address)?|address(?:line)?[0-9]?|(?:shipping|billing|home)address|zip(?:code)?|post(?:al)?code"),
     "PII_ADDRESS"),
)  # fmt: skip
"""What stands under a key that names it, however it is written; keys in small letters, without signs."""

_TOLD = {
    "PII_EMAIL": re.compile(r"@"),
    "PII_PHONE": re.compile(r"(?:[0-9][^0-9]{0,4}){5}"),
    "PII_IBAN": re.compile(r"[0-9]{2}"),
    "PII_CARD": re.compile(r"[0-9]{4}"),
    "PII_NATIONAL_ID": re.compile(r"[0-9]{2}"),
    "PII_NAME": re.compile(r"[^\W\d_]"),
    "PII_ADDRESS": re.compile(r"[0-9]"),
}
"""What a value under such a key must hold to be one: `"phone": "unknown"` says what is missing and stays."""

MAX_DEPTH = 60

_BARE_NAME = re.compile(r"[A-Za-z_.]{0,100}")
_LONG_RUN = re.compile(r"[A-Za-z]{21}")
"""Names of fields, rules and reason codes: letters in short runs, no digit, no space. Most strings of an audit payload
are such names, and but for hosts (`www.acme.example`) no kind of personal data that is looked for has this shape.
"""

SMALL = 100_000
"""Numbers below are no card number, phone number or national id."""

Nested: TypeAlias = dict[str, JsonValue] | list[JsonValue]
_NESTED = TypeAdapter[Nested](Nested)


def mask(text: str, kinds: Container[str] = ALL_KINDS) -> str:
    """`text` with every piece of personal data of `kinds`, reason codes, replaced by a label such as `[email]`.

    Masking masked text changes nothing: what a replacement lays bare is replaced in the same call.
    """
    if _is_bare_name(text):
        return text
    for _ in range(MAX_PASSES):
        masked = _mask_once(text, kinds)
        if masked == text:
            return masked
        text = masked
    # INVARIANT: what is returned has nothing left to find, or masking twice would say more than masking once.
    return WITHHELD if find_personal_data(text, kinds) else text


def _is_bare_name(text: str) -> bool:
    if not _BARE_NAME.fullmatch(text) or _LONG_RUN.search(text):
        return False
    return "." not in text or TOPS.isdisjoint(text.lower().split("."))


def _mask_once(text: str, kinds: Container[str]) -> str:
    parts: list[str] = []
    last = 0
    for signal in find_personal_data(text, kinds):
        if signal.span is not None:
            parts += [text[last : signal.span.start], LABELS[signal.code]]
            last = signal.span.end
    return "".join([*parts, text[last:]])


def mask_json(content: JsonValue, kinds: Container[str] = ALL_KINDS) -> JsonValue:
    """A copy of `content` with every string masked, keys included, and what stands under a key such as `password`.

    A string that holds JSON is masked as what it holds. A number that is a card number, or stands under a key such as
    `phone`, becomes its label. Keys that become equal are numbered. What is nested deeper than 60 levels is left out.
    """
    return _Mask(kinds).json(content, 0, None)


@dataclass(frozen=True, slots=True)
class _Mask:
    """Masks structures; `kinds` are the codes of what is looked for."""

    kinds: Container[str]

    def json(self, content: JsonValue, depth: int, code: str | None) -> JsonValue:
        """`content` masked; `code` is the kind that its key names."""
        if depth > MAX_DEPTH:
            return "[too deep]"
        if isinstance(content, list):
            return [self.json(item, depth + 1, code) for item in content]
        if isinstance(content, dict):
            return self._object(content, depth)
        if isinstance(content, bool) or content is None:
            return content
        if code is not None and _is_told(code, str(content)):
            return LABELS[code]
        if isinstance(content, str):
            return self._string(content, depth)
        if abs(content) >= SMALL:
            written = str(int(content)) if isinstance(content, float) and content.is_integer() else str(content)
            masked = mask(written, self.kinds)
            return content if masked == written else masked
        return content

    def _object(self, content: dict[str, JsonValue], depth: int) -> dict[str, JsonValue]:
        masked: dict[str, JsonValue] = {}
        for key, value in content.items():
            name = written = mask(key, self.kinds)
            count = 1
            while name in masked:
                count += 1
                name = f"{written} ({count})"
            # A label in a key names what was there, not what stands under it: `[secret]` is no key of a secret.
            code = _code_of(LABEL.sub("", written), self.kinds)
            masked[name] = self.json(value, depth + 1, code)
        return masked

    def _string(self, text: str, depth: int) -> str:
        """`text` masked; when it holds a JSON object or list, also behind the escapes of JSON."""
        if text[:1] in {"{", "["} and text[-1:] in {"}", "]"}:
            try:
                held = _NESTED.validate_json(text)
            except (ValidationError, ValueError, RecursionError):
                return mask(text, self.kinds)
            masked = self.json(held, depth + 1, None)
            if masked != held:
                text = json.dumps(masked, ensure_ascii=False)
        return mask(text, self.kinds)


def _code_of(key: str, kinds: Container[str]) -> str | None:
    if _SECRET_KEY.search(key):
        return "PII_SECRET" if "PII_SECRET" in kinds else None
    plain = re.sub(r"[^a-z0-9]", "", key.lower()) if len(key) <= 40 else ""
    return next((code for pattern, code in _LABEL_BY_KEY if code in kinds and pattern.fullmatch(plain)), None)


def _is_told(code: str, written: str) -> bool:
    if written == LABELS[code]:
        return True
    told = _TOLD.get(code)
    return told is None or told.search(written) is not None
