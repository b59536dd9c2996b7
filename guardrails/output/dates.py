"""Dates and times of day in a text, in normal form, with the parts that are not stated left open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from handrail.guardrails.output.values import Kind, Value

_MONTHS = {
    "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
    "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9, "october": 10, "oct": 10,
    "november": 11, "nov": 11, "december": 12, "dec": 12,
}  # fmt: skip
_WEEKDAYS = {
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
}  # fmt: skip
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MONTH_HINT = re.compile(r"[jfmasond](?<![a-z].)(?:an|eb|ar|pr|ay|u[nl]|ug|ep|ct|ov|ec)")
_NUMERIC = re.compile(
    r"[0-9](?<![\w.,/-].)(?:"
    r"(?:(?<=(?P<y>\d))(?P<ear>\d{3})[-/](?P<m1>\d{1,2})[-/](?P<d1>\d{1,2})(?=t\d|\D|$))"
    r"|(?P<a2>\d?)(?P<s2>[./-])(?P<b2>\d{1,2})(?P=s2)(?P<y2>\d{4}|\d{2})(?![\d.]\d|\d))"
)
_DAY_FIRST = re.compile(
    rf"[0-9](?<![\w.,/-].)\d?(?:st|nd|rd|th)?\.?[ -](?:of )?(?P<month>{_MONTH})(?![a-z])"
    r"\.?(?:,?[ -](?P<year>\d{4})(?!\d))?"
)
_MONTH_FIRST = re.compile(
    rf"(?P<month>{_MONTH})\.?(?: (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:.]\d|\d)(?:,? (?P<year>\d{{4}})(?!\d))?"
    r"|,? (?P<only_year>\d{4})(?!\d))"
)
_WEEKDAY = re.compile(r"(?P<day>[mtwfs](?<!\w.)(?:on|ues|ednes|hurs|ri|atur|un)day)s?(?!\w)")
_RELATIVE_HINTS = ("tomorrow", "tonight", "next ", "coming ", "end of", "close of", "eod", "cob")
_RELATIVE = re.compile(
    r"(?:tomorrow|tonight|next (?:week|month|year|quarter|weekend)|this coming (?:week|month|year|quarter|weekend)|"
    r"the coming (?:week|month|year|quarter|weekend)|end of (?:the )?(?:day|week|month|year)|close of business|eod|cob)"
    r"(?!\w)"
)
_BEFORE_MONTH = re.compile(r"(?:in|by|until|till|since|from|before|after|of|during|mid|early|late|next)[ -]$")
_LONE_MONTH = re.compile(rf"(?P<month>{_MONTH})(?![\w-]|\.?,? ?\d)")
_LEADING_DIGITS = re.compile(r"\d+")
_TIME = re.compile(
    r"(?=[0-9])(?:(?<=\0t)|(?<![\w.:,]))(?:(?P<h1>[01]?\d|2[0-3]):(?P<m1>[0-5]\d)(?::[0-5]\d(?:\.\d{1,9})?(?:z|[+-]\d\d:?\d\d)?)?"
    r"(?:\s?(?P<ap1>[ap])\.?m)?|(?P<h2>1[0-2]|0?[1-9])\s?(?P<ap2>[ap])\.?m)(?![a-z\d])"
)


def dates(text: str) -> Iterator[Value]:
    """Full and partial dates of `text` (folded, lower case). Keys: 2026-03-12, --03-12, 2026-03."""
    for match in _NUMERIC.finditer(text):
        yield from _value(match.start(), match.end(), _numeric_keys(match))
    for hint in _MONTH_HINT.finditer(text):
        first = _MONTH_FIRST.match(text, hint.start())
        if first is not None:
            keys = _month_first_keys(first)
            yield from _value(first.start(), first.end(), keys)
    for match in _DAY_FIRST.finditer(text):
        day = int(_LEADING_DIGITS.findall(match.group())[0])
        yield from _value(match.start(), match.end(), _key(match["year"], _MONTHS[match["month"]], day))


def loose_dates(text: str) -> Iterator[Value]:
    """Weekdays (weekday:4, Monday is 0), months without a day (--03), and words (word:tomorrow)."""
    if "day" in text:
        for match in _WEEKDAY.finditer(text):
            number = _WEEKDAYS.get(match["day"])
            if number is not None:
                yield Value(Kind.DATE, match.start("day"), match.end("day"), (f"weekday:{number}",))
    if any(hint in text for hint in _RELATIVE_HINTS):
        for match in _RELATIVE.finditer(text):
            if not text[match.start() - 1 : match.start()].isalnum():
                yield Value(Kind.DATE, match.start(), match.end(), (f"word:{match.group()}",))
    for hint in _MONTH_HINT.finditer(text):
        lone = _LONE_MONTH.match(text, hint.start())
        if lone is None or lone["month"] == "may":
            continue
        if _BEFORE_MONTH.search(text[max(0, lone.start() - 7) : lone.start()]):
            yield Value(Kind.DATE, lone.start(), lone.end(), (f"--{_MONTHS[lone['month']]:02d}",))


def times(text: str) -> Iterator[Value]:
    """Times of day as HH:MM."""
    for match in _TIME.finditer(text):
        hour = int(match["h1"] or match["h2"])
        half = match["ap1"] or match["ap2"]
        if half == "p" and hour < 12:
            hour += 12
        elif half == "a" and hour == 12:
            hour = 0
        yield Value(Kind.TIME, match.start(), match.end(), (f"{hour:02d}:{match['m1'] or '00'}",))


def full_date(key: str) -> date | None:
    """The day a key names, or None when parts are open."""
    try:
        return date.fromisoformat(key) if len(key) == 10 and key[0] != "-" else None
    except ValueError:
        return None


def partial_keys(key: str) -> tuple[str, ...]:
    """Everything a stated date also states: its month and day, its month, its weekday, its day of the month."""
    whole = full_date(key)
    if whole is not None:
        return (
            key, key[:7], f"-{key[4:]}", f"--{key[5:7]}", f"weekday:{whole.weekday()}", f"day:{whole.day}",
        )  # fmt: skip
    if key.startswith("--") and len(key) == 7:
        return (key, key[:4], f"day:{int(key[5:])}")
    if len(key) == 7:
        return (key, f"--{key[5:]}")
    return (key,)


def _value(start: int, end: int, keys: tuple[str, ...]) -> Iterator[Value]:
    if keys:
        yield Value(Kind.DATE, start, end, keys)


def _month_first_keys(match: re.Match[str]) -> tuple[str, ...]:
    month = _MONTHS[match["month"]]
    if match["only_year"]:
        return (f"{match['only_year']}-{month:02d}",)
    return _key(match["year"], month, int(match["day"]))


def _numeric_keys(match: re.Match[str]) -> tuple[str, ...]:
    """An ISO date, or both readings of 03/04/2026."""
    if match["m1"]:
        return _key(match["y"] + match["ear"], int(match["m1"]), int(match["d1"]))
    year = match["y2"] if len(match["y2"]) == 4 else f"20{match['y2']}"
    first, second = int(match.group()[0] + match["a2"]), int(match["b2"])
    return tuple(dict.fromkeys((*_key(year, second, first), *_key(year, first, second))))


def _key(year: str | None, month: int, day: int) -> tuple[str, ...]:
    try:
        date(int(year or 2024), month, day)
    except ValueError:
        return ()
    return (f"{year}-{month:02d}-{day:02d}",) if year else (f"--{month:02d}-{day:02d}",)
