"""Numbers, money and durations in a text, whatever their notation: 1,000.00 is 1.000,00 is 1000; €49 is 49 EUR."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from handrail.guardrails.output.numerals import spelled
from handrail.guardrails.output.signs import DIGIT, GERMAN, NUMERAL, may_spell, signs_of
from handrail.guardrails.output.units import CURRENCIES, TIME_UNITS, UNITS, alternatives, is_workday, unit_of
from handrail.guardrails.output.values import Form, Kind, Value, normal

_SCALE = {
    "k": 1_000, "m": 1_000_000, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "tausend": 1_000,
    "mio": 1_000_000, "millionen": 1_000_000,
}  # fmt: skip

_SIGNS = "€|us\\$|\\$|£|¥|₹"
_CODES = "eur|usd|gbp|chf|jpy|inr|cad|aud|sek|nok|dkk|pln|czk"
_LETTER = "[a-zäöüß²³]"
_CURRENCY_WORDS = {word: unit for word, unit in CURRENCIES.items() if word.isalpha()}
_NUMBER = re.compile(
    r"[0-9](?:(?<![\w.,].)|(?<=\d[x×].))"
    r"(?:\d{0,2}(?:[,.' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d{0,40}(?:[.,]\d{1,10})?(?!\d))"
    rf"(?P<scale>\s?(?:k|m|thousand|million|billion|tausend|mio|millionen)(?!{_LETTER}))?"
    rf"(?:\s?(?P<after>{_SIGNS}|(?:{alternatives(_CURRENCY_WORDS)})(?!{_LETTER}))"
    r"|[ -]?(?P<sort>(?:business|working|banking|calendar|consecutive|full|more|further|additional|"
    r"weitere[nr]?|volle[nr]?"
    r")[ -])?"
    rf"(?P<unit>%|(?:{alternatives(UNITS)})(?!{_LETTER})))?"
    rf"(?P<ordinal>(?:st|nd|rd|th)(?!{_LETTER}))?"
    rf"(?!(?!x\d){_LETTER}|\d)"
)
_HOURS = re.compile(r"(?<![\w.,])(?P<hours>\d{1,2})\s?h\s?(?P<minutes>[0-5]\d)(?:\s?m(?:in)?)?(?![\w.,]*\d|[a-z])")
"""Hours and minutes in one: 1h50."""

_NUMERAL = re.compile(r"\d{1,3}(?:[,.' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d{1,41}(?:[.,]\d{1,10})?(?!\d)")
_CURRENCY_BEFORE = re.compile(rf"(?:(?P<sign>{_SIGNS})|(?<![a-z])(?P<code>{_CODES}))\s?$")
_CURRENCY_ENDS = frozenset(code[-1] for code in _CODES.split("|")) | frozenset("€$£¥₹")
RANGE = re.compile(r"\.?\s?(?:-|/|\+|to|or|and|through|bis|und|oder)\s?(?:the\s)?$")
_MARKER = re.compile(r"(?:^|\n)[ \t>*_]*$")


def numbers(text: str, signs: int | None = None) -> Iterator[Value]:
    """Every number of `text` (folded, lower case), money and durations included, from left to right.

    `signs` are those of the text, where they are known. The numbers of a list with one unit at its end (40, 25 and 60
    euros) all have that unit.
    """
    if signs is None:
        signs = signs_of(text)
    found = [*_digits(text)] if signs & DIGIT else []
    if may_spell(signs):
        found += spelled(text, english=signs & NUMERAL != 0, german=signs & GERMAN != 0)
    found.sort(key=lambda value: value.start)
    in_list = False
    for index in range(len(found) - 2, -1, -1):
        value, after = found[index], found[index + 1]
        found[index] = _with_range_unit(text, value, after)
        if in_list and found[index] == value and after.unit and text[value.end : after.start] == ", ":
            found[index] = _in_unit_of(after, value)
        in_list = found[index] != value
    yield from found


def readings(written: str) -> tuple[str, ...]:
    """Normal forms of a numeral: both when a single separator may be a decimal or a thousands sign."""
    if written.isdecimal() and written.isascii():
        return (written.lstrip("0") or "0",)
    plain = written.replace(" ", "").replace("'", "")
    signs = [char for char in plain if char in ".,"]
    if not signs:
        return (normal(Decimal(plain)),)
    decimal_sign = signs[-1]
    whole, _, fraction = plain.rpartition(decimal_sign)
    as_decimal = normal(Decimal(f"{whole.replace(',', '').replace('.', '')}.{fraction}"))
    grouped = normal(Decimal(plain.replace(",", "").replace(".", "")))
    if len(signs) == 1 and len(fraction) == 3 and 1 <= len(whole) <= 3 and whole != "0":
        # English writes 1,000 for a thousand; 1.000 may be a German thousand or an English one with three decimals.
        return (grouped,) if decimal_sign == "," else (as_decimal, grouped)
    return (grouped,) if len(signs) > 1 and len(set(signs)) == 1 else (as_decimal,)


def _digits(text: str) -> Iterator[Value]:
    joined = list(_HOURS.finditer(text)) if "h" in text else []
    for match in joined:
        minutes = int(match["hours"]) * 60 + int(match["minutes"])
        yield Value(Kind.DURATION, *match.span(), (normal(Decimal(minutes)),), "minute")
    for match in _NUMBER.finditer(text):
        numeral = _NUMERAL.match(text, match.start())
        if numeral is None or any(one.start() <= match.start() < one.end() for one in joined):
            continue
        keys = _scaled(readings(numeral.group()), (match["scale"] or "").strip())
        start, end = match.span()
        tail = text[max(0, start - 5) : start]
        before = _CURRENCY_BEFORE.search(tail) if tail.rstrip()[-1:] in _CURRENCY_ENDS else None
        sign = before.group().strip() if before else match["after"]
        if sign:
            currency = CURRENCIES.get(sign) or CURRENCIES[sign.removesuffix("s")]
            yield Value(Kind.MONEY, start - (len(before.group()) if before else 0), end, keys, currency)
            continue
        unit = unit_of(match["unit"] or "")
        kind = Kind.DURATION if unit in TIME_UNITS else Kind.NUMBER
        working = kind is Kind.DURATION and is_workday(f"{match['sort'] or ''}{match['unit']}")
        yield Value(kind, start, end, keys, unit, _form(text, match, numeral.end()), working)


def _scaled(keys: tuple[str, ...], scale: str) -> tuple[str, ...]:
    scaled = tuple(normal(Decimal(key) * _SCALE[scale]) for key in keys) if scale else keys
    # 5 m is five million or five metres.
    return (*scaled, *keys) if scale == "m" else scaled


def _form(text: str, match: re.Match[str], end: int) -> Form:
    if match["ordinal"]:
        return Form.ORDINAL
    if text[end : end + 1] in {".", ")"} and text[end + 1 : end + 2] in {" ", "\t", "\n"}:
        line_start = text.rfind("\n", 0, match.start()) + 1
        if _MARKER.search(text[line_start : match.start()]):
            return Form.MARKER
    return Form.DIGITS


def _with_range_unit(text: str, value: Value, after: Value | None) -> Value:
    """In `5-10 days` and `40, 25 and 60 euros` the numbers before the last take its unit."""
    if value.unit or after is None or not after.unit or after.start - value.end > 5 or value.form is Form.MARKER:
        return value
    if RANGE.match(text[value.end : after.start]) is None:
        return value
    return _in_unit_of(after, value)


def _in_unit_of(after: Value, value: Value) -> Value:
    return value if value.unit else value._replace(kind=after.kind, unit=after.unit, workdays=after.workdays)
