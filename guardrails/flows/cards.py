"""Whole card numbers: a flow never keeps one and says so to the customer."""

from __future__ import annotations

import re

CARD_MASK = "[card number removed]"

_GROUPED = re.compile(
    r"(?<![\w.])(?:\d{4}([ .\-–])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ .\-–])\d{6}\2\d{4,5}|\d{13,19})(?![\w])"
)
_ANY = re.compile(r"(?<![\w.])[3-6](?:[ .\-–]?\d){12,18}(?![\w])")


def holds_card_number(text: str) -> bool:
    """Whether `text` holds what looks like a whole card number."""
    return masked(text) != text


def masked(text: str) -> str:
    """`text` with every whole card number replaced.

    The usual groupings and unbroken runs of 13 to 19 digits count without a check digit, because a mistyped card number
    is still nearly one. Other groupings count when the check digit fits (Luhn, ISO/IEC 7812-1), so that a list of
    dates and invoice numbers stays.
    """
    text = _GROUPED.sub(CARD_MASK, text)
    return _ANY.sub(lambda match: CARD_MASK if _luhn(match[0]) else match[0], text)


def _luhn(text: str) -> bool:
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
