"""Dates in a text, English or German, in normal form, with the parts that are not stated left open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from handrail.guardrails.output.values import Kind, Value

_MONTHS = {
    "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
    "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9, "october": 10, "oct": 10,
    "november": 11, "nov": 11, "december": 12, "dec": 12, "januar": 1, "jänner": 1, "februar": 2, "märz": 3, "mär": 3,
    "mrz": 3, "mai": 5, "juni": 6, "juli": 7, "oktober": 10, "okt": 10, "dezember": 12, "dez": 12,
}  # fmt: skip
_WEEKDAYS = {
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "montag": 0, "dienstag": 1, "mittwoch": 2, "donnerstag": 3, "freitag": 4, "samstag": 5, "sonnabend": 5,
    "sonntag": 6, "mon": 0, "mo": 0, "tue": 1, "tues": 1, "di": 1, "wed": 2, "mi": 2, "thu": 3, "thurs": 3, "do": 3,
    "fri": 4, "fr": 4, "sat": 5, "sa": 5, "sun": 6, "so": 6,
}  # fmt: skip
_MONTH = (
    "(?:jan(?:uary?)?|jänner|feb(?:ruary?)?|mar(?:ch)?|mär(?:z)?|mrz|apr(?:il)?|may|mai|jun[ei]?|jul[yi]?|aug(?:ust)?|"
    "sep(?:t(?:ember)?)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)(?![a-zäöü])"
)
_MONTH_HINT = re.compile(r"[jfmasond](?<![a-z].)(?:an|eb|ar|pr|ay|u[nl]|ug|ep|[ck]t|ov|e[cz]|ai|är|än|rz)")
_NUMERIC = re.compile(
    r"[0-9](?<![\w.,/-].)(?:"
    r"(?:(?<=(?P<y>\d))(?P<ear>\d{3})[-/](?P<m1>\d{1,2})[-/](?P<d1>\d{1,2})(?=t\d|\D|$))"
    r"|(?P<a2>\d?)(?P<s2>[./-])(?P<b2>\d{1,2})(?P=s2)(?P<y2>\d{4}|\d{2})(?![\d.]\d|\d))"
)
_ISO_MONTH = re.compile(r"2(?<![\w.,/-].)0\d\d-(?:0[1-9]|1[0-2])(?![\w/-]|\.\d)")
_DAY_FIRST = re.compile(
    rf"[0-9](?<![\w.,/-].)\d?(?:st|nd|rd|th)?\.?[ -](?:of )?(?P<month>{_MONTH})"
    r"(?![a-z]| (?:not|be|have|only|enter|also|use|get|join|need|take|ride|go)\b)"
    r"\.?(?:,?[ -](?P<year>\d{4})(?!\d))?"
)
_MONTH_FIRST = re.compile(
    rf"(?P<month>{_MONTH})\.?(?: (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:.]\d|\d)(?:,? (?P<year>\d{{4}})(?!\d))?"
    r"|,? (?P<only_year>\d{4})(?!\d))"
)
_WEEKDAY = re.compile(
    r"(?P<day>[mtwfsd](?<!\w.)(?:(?:on|ues|ednes|hurs|ri|atur|un)day"
    r"|(?:on|iens|onners|rei|ams|onn)tag|ittwoch|onnabend))s?(?!\w)"
)
_SHORT = "mon?|tues?|di|wed|mi|thu(?:rs)?|do|fri?|sat?|sun|so"
_WEEKDAY_RANGE = re.compile(rf"(?<!\w)(?P<first>{_SHORT})\.?\s?(?:-|to|through|bis)\s?(?P<last>{_SHORT})\.?(?!\w)")
_JOINED_DAYS = re.compile(r"[nseiuhroat]\.?\s?(?:-|to|through|bis)\s?[stwfdm][uaoehri]")
_RELATIVE_HINTS = (
    "tomorrow", "tonight", "next ", "coming ", "end of", "close of", "eod", "cob", "übermorgen", "nächste", "kommende",
)  # fmt: skip
_RELATIVE = re.compile(
    r"(?:day after tomorrow|tomorrow|tonight|next (?:week|month|year|quarter|weekend)|this coming (?:week|"
    r"month|year|quarter|weekend)|"
    r"the coming (?:week|month|year|quarter|weekend)|end of (?:the |this )?(?:day|week|month|year)|"
    r"the new year|close of business|eod|cob|"
    r"übermorgen|(?:nächste[rnms]?|kommende[rnms]?) (?:woche|monats?|jahr(?:es)?|wochenende))"
    r"(?!\w)"
)
_BEFORE_MONTH = re.compile(
    r"(?:in|by|until|till|since|from|before|after|of|during|mid|early|late|next|im|ab|bis|seit|vor|nach|"
    r"ende|anfang|mitte|your|the|this|last|for|my|our)[ -]$"
)
_LONE_MONTH = re.compile(rf"(?P<month>{_MONTH})(?![\w-]|\.?,? ?\d)")
_LEADING_DIGITS = re.compile(r"\d+")


_WORD_SIGN = re.compile(
    rf"tomorrow|tonight|(?:next|coming|end|close|new)$|eod|cob|übermorgen|nächste|kommende|"
    rf"(?<!\w)(?:{_SHORT})\.?(?:-|to|through|bis)"
)
_SHORT_SIGN = re.compile(rf"(?<!\w)(?:{_SHORT})\.?$")
_JOIN_SIGN = re.compile(r"^(?:-|to|through|bis)")
_MONTH_SIGN = re.compile(rf"(?<![a-z]){_MONTH}")
_NUMERIC_SIGN = re.compile(r"[0-9][./-][0-9]")


def has_date_sign(piece: str) -> bool:
    """Whether a piece of a text may belong to a date that `dates` reads. INVARIANT: true of one of each date's."""
    return _MONTH_SIGN.search(piece) is not None or _NUMERIC_SIGN.search(piece) is not None


def has_loose_sign(piece: str) -> bool:
    """The same for `loose_dates`, but for two short weekdays with a word between them (mo bis fr)."""
    return any(sign.search(piece) for sign in (_WEEKDAY, _MONTH_SIGN, _WORD_SIGN))


def is_short_day(piece: str) -> bool:
    """Whether a piece may be the first of two short weekdays."""
    return _SHORT_SIGN.search(piece) is not None


def joins_days(piece: str) -> bool:
    """Whether a piece may stand between two short weekdays, or begin with what does."""
    return _JOIN_SIGN.search(piece) is not None


def dates(text: str) -> Iterator[Value]:
    """Full and partial dates of `text` (folded, lower case). Keys: 2026-03-12, --03-12, 2026-03."""
    for match in _NUMERIC.finditer(text):
        yield from _value(match.start(), match.end(), _numeric_keys(match))
    for match in _ISO_MONTH.finditer(text):
        yield from _value(match.start(), match.end(), (match.group(),))
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
    if "day" in text or "tag" in text or "mittwoch" in text or "sonnabend" in text:
        for match in _WEEKDAY.finditer(text):
            number = _WEEKDAYS.get(match["day"])
            if number is not None:
                yield Value(Kind.DATE, match.start("day"), match.end("day"), (f"weekday:{number}",))
    for match in _WEEKDAY_RANGE.finditer(text) if _JOINED_DAYS.search(text) else ():
        for name in ("first", "last"):
            yield Value(Kind.DATE, *match.span(name), (f"weekday:{_WEEKDAYS[match[name]]}",))
    yield from _relative(text)
    for hint in _MONTH_HINT.finditer(text):
        lone = _LONE_MONTH.match(text, hint.start())
        if lone is None or lone["month"] == "may":
            continue
        if _BEFORE_MONTH.search(text[max(0, lone.start() - 8) : lone.start()]):
            yield Value(Kind.DATE, lone.start(), lone.end(), (f"--{_MONTHS[lone['month']]:02d}",))


def weekday_of(name: str) -> int | None:
    """The number of a weekday by its full name; Monday is 0."""
    return _WEEKDAYS.get(name)


def full_date(key: str) -> date | None:
    """The day a key names, or None when parts are open."""
    try:
        return date.fromisoformat(key) if len(key) == 10 and key[0] != "-" else None
    except ValueError:
        return None


def _relative(text: str) -> Iterator[Value]:
    if any(hint in text for hint in _RELATIVE_HINTS):
        for match in _RELATIVE.finditer(text):
            if not text[match.start() - 1 : match.start()].isalnum():
                yield Value(Kind.DATE, match.start(), match.end(), (f"word:{match.group()}",))


def same_month(keys: tuple[str, ...], day: str) -> tuple[str, ...]:
    """The day number `day` in the month of each key that states a day."""
    moved = (f"{key[:-2]}{int(day):02d}" for key in keys if key[-3:-2] == "-" and len(key) in {7, 10} and day.isdigit())
    return tuple(key for key in moved if _is_day(key))


def _is_day(key: str) -> bool:
    return bool(_key(None if key[0] == "-" else key[:4], int(key[-5:-3]), int(key[-2:])))


def nearest_day(key: str, now: date) -> date | None:
    """The day a key names; without a year, the one nearest to `now`."""
    if key[:2] != "--" or len(key) != 7:
        return full_date(key)
    days = (full_date(f"{year:04d}{key[1:]}") for year in (now.year - 1, now.year, now.year + 1))
    return min((day for day in days if day is not None), key=lambda day: abs((day - now).days), default=None)


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
