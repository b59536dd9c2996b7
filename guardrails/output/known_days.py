"""Days that a reply may count from: those it names, those of its sources, the coming days of weekdays."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from handrail.guardrails.output.dates import nearest_day
from handrail.guardrails.output.nearby import Nearby
from handrail.guardrails.output.values import Kind, Value

_DAYS_BACK = (
    (re.compile(r"(?<!\w)(?:yesterday|gestern|last night)(?!\w)"), -1),
    (re.compile(r"(?<!\w)(?:day before yesterday|vorgestern)(?!\w)"), -2),
    (re.compile(r"(?<!\w)(?:ab morgen|bis morgen|für morgen|morgen früh|morgen abend)(?!\w)"), 1),
)
YEARS = range(1900, 2200)
"""Years in which days are counted."""

_MOST_DAYS = 24
_FEW_DAYS = 6
DAYS_AHEAD = {"tonight": 0, "tomorrow": 1, "day after tomorrow": 2, "übermorgen": 2}
_LAST = re.compile(r"(?<!\w)(?:last|past|letzte[rnms]?|vergangene[rnms]?|vorige[rnms]?)(?!\w)")
_PAST = re.compile(
    r"(?<!\w)(?:left|lost|got|came|bought|ordered|sent|paid|happened|arrived|missed|forgot|since|hatte|habe)(?!\w)"
)
_BEFORE = re.compile(r"(?<!\w)(?:before|prior|earlier|ahead|in advance|ago|vor|vorher|zuvor)(?!\w)")
_AHEAD = re.compile(
    r"(?<!\w)(?:after|later|within|from|valid|until|till|for|takes?|expires?|lasts?|since|nach|innerhalb|binnen|ab|bis|"
    r"gültig|danach|dauert|seit)(?!\w)"
)
BACK = re.compile(
    r"(?<!\w)(?:before|prior|ahead|earlier|advance|notice|ago|last|previous|latest|vor|vorher|vorab|zuvor|voraus|frist|"
    r"kündigung|spätestens|rückwirkend|seit|since|back|oldest|kept)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Days:
    """Days that are known: `said` in the reply nearby, `others` by the sources, today among them.

    `coming` are the next days of weekdays that the reply or the customer names.
    """

    said: tuple[date, ...]
    others: tuple[date, ...]
    coming: tuple[date, ...]


def known_days(near: Nearby) -> Days:
    """The days from which a reply may count."""
    now = near.topic.view.sources.evidence.now
    sources = near.topic.view.sources
    said = _days((value for value in near.said if value.kind is Kind.DATE), now)
    others = (
        *_days(sources.customer.stated, now),
        *_spoken_days(sources.customer_text.lower(), now),
        *_days(sources.tools.stated, now),
        *_days(sources.own.stated, now),
    )
    past = _PAST.search(sources.asked_text) is not None or _LAST.search(near.topic.words) is not None
    named = [*_weekdays(near.said), *_weekdays(sources.customer.stated)]
    return Days(said, (now, *others[:_MOST_DAYS]), tuple(_coming(named, now, past)))


def said_before(near: Nearby) -> tuple[date, ...]:
    """The days that the reply has named anywhere before."""
    view = near.topic.view
    return _days((value for line in view.earlier for value in line.values), view.sources.evidence.now)


def days_of_passages(near: Nearby) -> tuple[date, ...]:
    """The days that the closest passages name, the first of them."""
    stated = (value for passage in near.topic.passages for value in passage.index.stated if value.kind is Kind.DATE)
    return _days(stated, near.topic.view.sources.evidence.now)[:_FEW_DAYS]


def _weekdays(values: Iterable[Value]) -> Iterator[int]:
    for value in values:
        if value.kind is Kind.DATE and value.keys[0].startswith("weekday:"):
            yield int(value.keys[0][8:])


def _coming(weekdays: Iterable[int], now: date, past: bool) -> Iterator[date]:
    """The next two days of each weekday that is named, and the last one where the words look back."""
    for weekday in dict.fromkeys(weekdays):
        first = now + timedelta(days=(weekday - now.weekday() - 1) % 7 + 1)
        if past:
            yield first - timedelta(days=7)
        yield from (first, first + timedelta(days=7))


def _spoken_days(text: str, now: date) -> Iterator[date]:
    for words, days in _DAYS_BACK:
        if words.search(text):
            yield now + timedelta(days=days)


def signs(words: str) -> tuple[int, ...]:
    """Whether words speak of a length of time onwards (1), backwards (-1), or both."""
    if BACK.search(words) is None:
        return (1,)
    return (-1,) if _BEFORE.search(words) and not _AHEAD.search(words) else (1, -1)


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last one where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_workdays(day: date, count: int) -> date:
    """The day `count` working days (Monday to Friday) later, or earlier."""
    step = timedelta(days=1 if count >= 0 else -1)
    left = min(abs(count), 400)
    while left:
        day += step
        left -= day.weekday() < 5
    return day


def _days(values: Iterable[Value], now: date) -> tuple[date, ...]:
    found: dict[date, None] = {}
    for value in values:
        for key in value.keys:
            day = _day(key, now)
            if day is not None and day.year in YEARS:
                found[day] = None
    return tuple(found)


def _day(key: str, now: date) -> date | None:
    """The day of a key; a month stands for its first day, tomorrow for the day after today."""
    if key.startswith("word:"):
        ahead = DAYS_AHEAD.get(key[5:])
        return None if ahead is None else now + timedelta(days=ahead)
    if len(key) == 7 and key[0] != "-":
        return nearest_day(f"{key}-01", now)
    if len(key) == 4 and key.startswith("--"):
        return nearest_day(f"{key}-01", now)
    return nearest_day(key, now)
