"""What a reply can state that somebody could check: numbers, dates, addresses, identifiers, each in normal form."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What sort of thing a value is."""

    NUMBER = "number"
    MONEY = "money"
    DURATION = "duration"
    DATE = "date"
    TIME = "time"
    URL = "url"
    EMAIL = "email"
    PHONE = "phone"
    IDENTIFIER = "identifier"
    CARD = "card"
    IBAN = "iban"
    IP = "ip"


class Form(StrEnum):
    """How a number was written; it decides whether the number can be harmless."""

    DIGITS = "digits"
    WORDS = "words"
    ORDINAL = "ordinal"
    MARKER = "marker"


class Value(NamedTuple):
    """One value of a text, with offsets (end exclusive).

    `keys` are its normal forms; more than one when the writing is ambiguous (1.000, 03/04/2026). `unit` is a
    currency code, a time unit, `%`, another unit of measure, or empty; `workdays` says that only working days count.
    """

    kind: Kind
    start: int
    end: int
    keys: tuple[str, ...]
    unit: str = ""
    form: Form = Form.DIGITS
    workdays: bool = False


def normal(number: Decimal) -> str:
    """A number without superfluous zeros, as `keys` have it."""
    shown = f"{number:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
