"""E-mail addresses, also as they are written to be read by people only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.detect.personal.kind import mentions, span_of
from handrail.guardrails.vocabulary import Span

# INVARIANT: a match begins where no character of a local part stands before, and is bounded, so that reading is linear.
_TOP = r"(?=[\w\-]{0,61}[^\W\d_])[\w\-]{2,63}"
_EMAIL = re.compile(
    r"(?<![\w.%+\-])(?<!\w['&!#$*^{|}~])(?:[\w.%+\-]|(?<=\w)['&!#$*^{|}~](?=\w)){1,256}(?:@|%40)"
    rf"(?:[\w\-]{{1,63}}\.){{1,8}}{_TOP}"
)
_AT = r"(?:\s{0,2}[(\[{<]\s?(?:at|@)\s?[)\]}>]\s{0,2}|\s{0,2}@\s{1,2}|\s{1,2}@|@)"
_DOT = r"(?:\s?\.|\s\.\s|\s{0,2}[(\[{<]\s?(?:dot|\.)\s?[)\]}>]\s{0,2}|\s{1,2}dot\s{1,2})"
_LOCAL = r"(?<![\w.%+\-])[\w%+\-]{1,64}(?:(?:\.|\s{1,2}dot\s{1,2}|\s?[(\[{]\s?dot\s?[)\]}]\s?)[\w%+\-]{1,64}){0,3}"
_VEILED = re.compile(
    rf"{_LOCAL}(?:{_AT}[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,63}}){{0,3}}{_DOT}{_TOP}(?!\w)"
    r"|\s{1,2}at\s{1,2}[\w\-]{1,63}(?:\s{1,2}dot\s{1,2}[\w\-]{2,63}){1,4}(?!\w))",
    re.IGNORECASE,
)


def emails(text: str) -> Iterator[Span]:
    """Addresses such as a@b.example, and "a (at) b (dot) example"."""
    if "@" in text or "%40" in text:
        yield from (span_of(match) for match in _EMAIL.finditer(text))
    if "@" in text or mentions(text, ("dot", "(at)", "[at]", "{at}", "<at>", "( at )", "[ at ]")):
        yield from (span_of(match) for match in _VEILED.finditer(text))
