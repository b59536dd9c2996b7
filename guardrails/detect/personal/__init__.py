"""Personal data and secrets in a text, found by form, check digits and the words around them.

No model and no list of names: what is found can be explained by pointing at the pattern. Texts are searched in plain
form (`plain`), so that full width digits and invisible characters hide nothing; spans are offsets in the original.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from handrail.guardrails.detect.labels import ALL_KINDS, LABELS
from handrail.guardrails.detect.personal.accounts import cards, ibans
from handrail.guardrails.detect.personal.addresses import addresses
from handrail.guardrails.detect.personal.credentials import secrets
from handrail.guardrails.detect.personal.emails import emails
from handrail.guardrails.detect.personal.internet import TOPS, links, machines
from handrail.guardrails.detect.personal.kind import Kind
from handrail.guardrails.detect.personal.names import names
from handrail.guardrails.detect.personal.national_ids import national_ids
from handrail.guardrails.detect.personal.phones import phones
from handrail.guardrails.detect.personal.plain import plain
from handrail.guardrails.vocabulary import Signal, Span

__all__ = ["KINDS", "NAME", "TOPS", "Kind", "find_personal_data"]

NAME = "personal_data"
_DIGIT = re.compile(r"[0-9]")

# Where two kinds claim the same characters, the earlier one has them.
KINDS: tuple[Kind, ...] = (
    Kind("PII_SECRET", LABELS["PII_SECRET"], secrets),
    Kind("PII_EMAIL", LABELS["PII_EMAIL"], emails),
    Kind("PII_URL", LABELS["PII_URL"], links, shares=True),
    Kind("PII_IBAN", LABELS["PII_IBAN"], ibans),
    Kind("PII_CARD", LABELS["PII_CARD"], cards),
    Kind("PII_NATIONAL_ID", LABELS["PII_NATIONAL_ID"], national_ids),
    Kind("PII_IP", LABELS["PII_IP"], machines),
    Kind("PII_PHONE", LABELS["PII_PHONE"], phones, shares=True),
    Kind("PII_ADDRESS", LABELS["PII_ADDRESS"], addresses, shares=True),
    Kind("PII_NAME", LABELS["PII_NAME"], names, shares=True),
)
_WITHOUT_DIGITS = frozenset({"PII_SECRET", "PII_URL", "PII_EMAIL", "PII_NAME", "PII_IP"})


def find_personal_data(text: str, kinds: Container[str] = ALL_KINDS) -> tuple[Signal, ...]:
    """Every piece of personal data in `text`, in its order, without overlaps; spans are offsets in `text`.

    With `kinds`, codes, other kinds are not looked for, and take nothing from those that are.
    """
    read = plain(text)
    searched = read.text
    figures = _DIGIT.search(searched) is not None
    taken = bytearray(len(searched))
    found: list[Signal] = []
    for kind in KINDS:
        if kind.code not in kinds or (not figures and kind.code not in _WITHOUT_DIGITS):
            continue
        for span in kind.find(searched):
            for part in _free(span, taken, searched, shares=kind.shares):
                taken[part.start : part.end] = b"\x01" * (part.end - part.start)
                found.append(Signal(code=kind.code, detector=NAME, score=1.0, span=read.original(part.start, part.end)))
    return tuple(sorted(found, key=lambda signal: signal.span.start if signal.span else 0))


def _free(span: Span, taken: bytearray, text: str, *, shares: bool) -> Iterator[Span]:
    """What of `span` no earlier kind has: all or nothing, or with `shares` the parts that hold a letter or digit."""
    if 1 not in taken[span.start : span.end]:
        yield span
        return
    start = span.start
    while shares and start < span.end:
        if taken[start]:
            start += 1
            continue
        border = taken.find(1, start, span.end)
        end = span.end if border < 0 else border
        if any(character.isalnum() for character in text[start:end]):
            yield Span(start=start, end=end)
        start = end
