"""The units numbers are written with, in English and German, and how units of one quantity convert."""

from __future__ import annotations

import re
from decimal import Decimal

CENT = "cent"

CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD", "us$": "USD", "dollar": "USD",
    "dollars": "USD", "bucks": "USD", "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
    "chf": "CHF", "franken": "CHF", "francs": "CHF", "¥": "JPY", "jpy": "JPY", "₹": "INR", "inr": "INR",
    "rupees": "INR", "cad": "CAD", "aud": "AUD", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "pln": "PLN", "czk": "CZK",
    "cent": CENT, "cents": CENT, "pence": CENT, "p": CENT,
}  # fmt: skip
MONEY = frozenset(CURRENCIES.values()) - {CENT}
"""The currencies."""

UNITS = {
    "second": "second", "sec": "second", "sekunde": "second", "sekunden": "second",
    "minute": "minute", "min": "minute", "minuten": "minute",
    "hour": "hour", "hr": "hour", "h": "hour", "stunde": "hour", "stunden": "hour", "std": "hour", "s": "second",
    "day": "day", "night": "day", "tag": "day", "tage": "day", "tagen": "day", "tages": "day", "nacht": "day",
    "nächte": "day", "nächten": "day", "werktag": "day", "werktage": "day", "werktagen": "day", "werktages": "day",
    "arbeitstag": "day", "arbeitstage": "day", "arbeitstagen": "day", "arbeitstages": "day", "bankarbeitstage": "day",
    "bankarbeitstagen": "day", "banktage": "day", "kalendertage": "day", "kalendertagen": "day",
    "week": "week", "fortnight": "fortnight", "woche": "week", "wochen": "week",
    "month": "month", "monat": "month", "monate": "month", "monaten": "month", "monats": "month",
    "year": "year", "yr": "year", "jahr": "year", "jahre": "year", "jahren": "year", "jahres": "year",
    "%": "%", "percent": "%", "per cent": "%", "pct": "%", "prozent": "%",
    "kb": "kb", "mb": "mb", "gb": "gb", "tb": "tb",
    "km": "km", "kilometre": "km", "kilometer": "km", "metre": "metre", "meter": "metre", "metern": "metre",
    "cm": "cm", "centimetre": "cm", "centimeter": "cm", "zentimeter": "cm", "mm": "mm",
    "kg": "kg", "kilo": "kg", "kilogram": "kg", "kilogramm": "kg", "gram": "gram", "gramm": "gram",
    "litre": "litre", "liter": "litre", "litern": "litre", "kwh": "kwh", "kw": "kw", "mbit": "mbit",
}  # fmt: skip
_NO_PLURAL = frozenset(
    {"s", "h", "pct", "percent", "tag", "nacht", "std", "tages", "tage", "eur", "usd", "chf", "gbp", "kg", "cm", "mm"}
)

_WORKDAY = re.compile("business|working|bank|werk|arbeit")
TIME_UNITS = frozenset({"second", "minute", "hour", "day", "week", "fortnight", "month", "year"})
_IN_BASE = {
    "second": ("minute", Decimal(1) / 60), "minute": ("minute", Decimal(1)), "hour": ("minute", Decimal(60)),
    "day": ("day", Decimal(1)), "week": ("day", Decimal(7)), "fortnight": ("day", Decimal(14)),
    "month": ("month", Decimal(1)),
    "year": ("month", Decimal(12)), "kb": ("mb", Decimal("0.001")), "mb": ("mb", Decimal(1)),
    "gb": ("mb", Decimal(1000)), "tb": ("mb", Decimal(1_000_000)), "km": ("metre", Decimal(1000)),
    "metre": ("metre", Decimal(1)), "cm": ("metre", Decimal("0.01")), "mm": ("metre", Decimal("0.001")),
    "kg": ("gram", Decimal(1000)), "gram": ("gram", Decimal(1)),
}  # fmt: skip


def unit_of(word: str) -> str:
    """The unit a word (lower case, singular or plural) stands for, or the empty string."""
    return UNITS.get(word) or UNITS.get(word.removesuffix("s"), "")


def is_workday(words: str) -> bool:
    """Whether a length of time (`business days`, `Werktage`) counts working days only."""
    return _WORKDAY.search(words) is not None


def in_base(amount: Decimal, unit: str) -> tuple[Decimal, str]:
    """An amount in the smallest unit that always converts: hours in minutes, weeks in days, years in months.

    Days and hours are not exchanged (working days exist), nor months and days.
    """
    base, factor = _IN_BASE.get(unit, (unit, Decimal(1)))
    return amount * factor, base


def alternatives(words: dict[str, str]) -> str:
    """`words` as the alternatives of a regular expression, the longest first, with an English plural."""
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(f"{word}s?" if word.isalpha() and word not in _NO_PLURAL else re.escape(word) for word in ordered)
