"""Dates and times that a reply works out: a known day and a length of time, ends of months, weekdays, tomorrow."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

from handrail.guardrails.output.amounts import Amount, readings
from handrail.guardrails.output.clock import hour_keys, minute_of_day, time_key
from handrail.guardrails.output.dates import weekday_of
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.known_days import DAYS_AHEAD, Days, add_months, add_workdays, known_days, signs
from handrail.guardrails.output.nearby import Nearby
from handrail.guardrails.output.values import Form, Kind, Value

_FROM = re.compile(r"(?:from|after|as of|starting|starts|begins|ab|nach|vom)\s(?:on\s|dem\s|the\s)?$")
_UNTIL = re.compile(
    r"(?:until|till|through|to|ends?(?: on)?|including|bis(?: zum)?|endet am)\s(?:the\s|[a-z]+day,?\s)?$"
)
"""What runs for a month from the first ends on the last day and not on the first of the next."""

_MONTH_END = re.compile(
    r"(?<!\w)(?:end of (?:the |each |that |this |a |every )?(?:(?:calendar|billing|same|current|"
    r"following) )?month|month-end|"
    r"last day of|monatsende|ende (?:des|eines|jedes) (?:\w+ )?(?:kalender)?monats|letzte[nr]? tag|"
    r"(?:by|until|till|at) the end of (?:january|february|march|april|may|june|july|august|september|october|november|"
    r"december)|pro rata|prorated|anteilig\w*|rest of the month|"
    r"ende (?:januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember))"
)
_YEAR_END = re.compile(
    r"(?<!\w)(?:end of (?:the |each |that |this )?(?:calendar )?year|year-end|jahresende|ende (?:des|"
    r"jedes) (?:\w+ )?(?:kalender)?jahres)"
)
_QUARTER_END = re.compile(
    r"(?<!\w)(?:end of (?:the |each |a )?(?:calendar )?quarter|quartalsende|ende (?:des|eines) (?:kalender)?quartals)"
)
_QUARTER = re.compile(
    r"(?<!\w)(?:per|each|every|a|once a|next|following|pro|je|jedes|nächste[sn]?) quart(?:er|al)(?!\w)"
)
_RANKS = {
    word: rank
    for rank, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        start=1,
    )
} | {"fifteenth": 15, "twentieth": 20}
_RANKED = re.compile(
    rf"(?<!\w)(?:by|on|until|till|before|after|from|since) the (?P<rank>{'|'.join(_RANKS)})"
    r"(?= of (?:the|each|every|that|next)|[.,;]| in the)"
)
_DAY_BEFORE = re.compile(
    r"(?<!\w)(?:(?:day|evening|night|morning) before|previous day|eve of|vortag\w*|(?:tag|abend) (?:zuvor|"
    r"davor|vorher))(?!\w)"
)
_DAY_AFTER = re.compile(
    r"(?<!\w)(?:(?:day|morning) after|next (?:business |working |banking )?day|"
    r"following (?:business |working )?day|folgetag\w*|tag danach|nächsten tag|"
    r"darauffolgenden tag)(?!\w)"
)
_TODAY = re.compile(r"(?<!\w)(?:today|tonight|now|heute|jetzt)(?!\w)")
_NTH = re.compile(
    r"(?<!\w)(?P<nth>first|second|third|fourth|last|1st|2nd|3rd|4th|erste[rnm]?|zweite[rnm]?|dritte[rnm]?|"
    r"vierte[rnm]?|letzte[rnm]?) "
    r"(?P<day>[a-z]+day|[a-z]+tag|mittwoch|sonnabend|working day|business day|day)(?= (?:of|in|im|des|jede)(?!\w))"
)
_LAST_YEAR = re.compile(r"(?<!\w)(?:last|previous|past|letzte[ns]?|vergangene[ns]?|vorige[ns]?) (?:year|jahr)|vorjahr")
_NEXT_YEAR = re.compile(r"(?<!\w)(?:next|coming|following|nächste[ns]?|kommende[ns]?) (?:year|jahr)")
_FIRST_OF_MONTH = re.compile(
    r"(?<!\w)(?:(?:first(?: day)?|1st) of (?:the|each|every|a|that)|(?:ersten|1\.)(?: tag)? (?:des|eines|jedes|jeden)) "
    r"(?:\w+ )?(?:kalender)?(?:month|monats)(?!\w)"
)
_HOUR_BEFORE = re.compile(
    r"(?<!\w)(?:\d{1,2}(?::\d\d)?(?:\s?p\.?m\.?)?|o'clock|six|seven|eight|nine|ten|eleven|twelve|midnight)\s$"
)
_NTHS = {"f": 1, "1": 1, "e": 1, "s": 2, "2": 2, "z": 2, "t": 3, "3": 3, "d": 3, "4": 4, "v": 4, "l": -1}
_HOURS = re.compile(r"(?<![\w.,:-])(\d{1,2})\s?(?:-|to|until|bis)\s?(\d{1,2})(?![\w.,:-]*\d)")
_OFFSET = re.compile(r"(?:UTC|GMT)\s?(?P<hours>[+-]\d{1,2})(?!\d)", re.IGNORECASE)
_AGES = re.compile(r"(?<!\w)(?:aged?|old|born|birth\w*|turn\w*|you're|you are|he's|she's|alt|alter|geboren\w*)(?!\w)")
_CHILD = 3
"""Years that lie between a day of birth and the turn, at least."""

_CLOSED = re.compile(r"(?<!\w)(?:closed|holiday|geschlossen|feiertag)(?!\w)")
_KEPT = re.compile(r"(?<!\w)(?:oldest|go(?:es)? back|kept|keep|älteste\w*|aufbewahrt)(?!\w)")
"""Words of what is kept for a time, which is counted back from today."""

_UNKNOWN = re.compile(r"(?<!\w)(?:information|know|tell|say|see|guess|weiß|sagen|angaben)(?!\w)")
"""Words with which a sentence says that nothing is known of a time."""

_COUNTING = re.compile(
    r"(?<!\w)(?:counting|counted from|beginning with|including the|inclusive|starting with|einschließlich)(?!\w)"
)
"""Words with which the first day of a period counts too."""

_FARTHEST = 4000


def is_worked_out(near: Nearby, value: Value) -> bool:
    """Whether a date or a time of day follows from a known moment and a length of time that is named or in force."""
    if value.kind is Kind.TIME:
        return _is_time(near, value)
    if value.keys[0].startswith("word:"):
        return _is_relative(near, value)
    return any(_fits(value.keys, day) for day in _candidates(near, value))


def _is_relative(near: Nearby, value: Value) -> bool:
    """`Tomorrow`, `next week`, `next month` for a day that is known or worked out."""
    now = near.topic.view.sources.evidence.now
    known = known_days(near)
    word = value.keys[0].partition(":")[2]
    if _is_unknown(near, value):
        return True
    days = (*known.said, *known.others[1:], *known.coming, *_moved(near, value, known))
    if word == "tonight" and _HOUR_BEFORE.search(near.topic.words[max(0, value.start - 12) : value.start]):
        # It only says which half of the day is meant.
        return True
    if word in DAYS_AHEAD:
        return now + timedelta(days=DAYS_AHEAD[word]) in days
    if "month" in word or "monat" in word:
        following = add_months(now, 1)
        return any(
            (day.year, day.month) == (following.year, following.month)
            or (day.month == following.month and day.year < now.year)  # the month in which something comes round
            for day in days
        )
    if "week" in word or "woche" in word:
        following = now + timedelta(days=7)
        return any(day.isocalendar()[:2] == following.isocalendar()[:2] for day in days)
    return False


def _is_unknown(near: Nearby, value: Value) -> bool:
    """Whether the clause of a time says that nothing is known of it."""
    words = near.topic.words
    start = max((words.rfind(sign, 0, value.start) for sign in ",;:"), default=-1) + 1
    ends = [at for sign in ",;:" if (at := words.find(sign, value.end)) >= 0]
    clause = words[start : min(ends, default=len(words))]
    return "negation" in near.topic.view.line.marks and _UNKNOWN.search(clause) is not None


def _candidates(near: Nearby, value: Value) -> Iterator[date]:
    """Every day that could be meant."""
    known = known_days(near)
    now = near.topic.view.sources.evidence.now
    yield from known.said
    if value.keys[0].startswith("weekday"):
        if _TODAY.search(near.topic.words):
            yield now
    else:
        yield from known.others
        yield from known.coming
    yield from _nth_days(near, known)
    yield from numbered_days(near, known)
    yield from _birthdays(near, known)
    reached = list(_moved(near, value, known))
    yield from reached
    for day in (*known.said, *known.others, *reached):
        yield from _ends(near, day)


def _ends(near: Nearby, day: date) -> Iterator[date]:
    """The end of the month, quarter or year of a day, or the next quarter, where the reply or a source tells of one."""
    tells = near.topic.tells
    if tells(_MONTH_END):
        yield day.replace(day=monthrange(day.year, day.month)[1])
    if tells(_QUARTER):
        following = add_months(day.replace(day=1), 3 - (day.month - 1) % 3)
        yield following
    if tells(_QUARTER_END):
        last = (day.month + 2) // 3 * 3
        yield date(day.year, last, monthrange(day.year, last)[1])
    if tells(_YEAR_END):
        yield day.replace(month=12, day=31)


def _nth_days(near: Nearby, known: Days) -> Iterator[date]:
    """`The first Saturday of the month`, for this month, the next ones, and those the reply speaks of."""
    for match in _NTH.finditer(near.topic.told):
        nth = 4 if match["nth"].startswith("fo") else _NTHS[match["nth"][0]]
        for base in (*(add_months(near.topic.view.sources.evidence.now, ahead) for ahead in range(3)), *known.said):
            month = [base.replace(day=number) for number in range(1, monthrange(base.year, base.month)[1] + 1)]
            fitting = [day for day in month if _is_called(day, match["day"])]
            if fitting:
                yield fitting[nth if nth < 0 else nth - 1]


def _birthdays(near: Nearby, known: Days) -> Iterator[date]:
    """The days on which somebody whose day of birth is known reaches an age that the reply or a passage names."""
    born = [day for day in known.others if known.others[0].year - day.year >= _CHILD]
    if born and _AGES.search(near.topic.told):
        stated = [*near.said, *(one for passage in near.topic.passages for one in passage.index.stated)]
        ages = {
            int(one.keys[0])
            for one in stated
            if one.kind is Kind.NUMBER and one.keys[0].isdigit() and len(one.keys[0]) < 3
        }
        for day in born:
            yield from (add_months(day, 12 * age) for age in ages)


def is_age(near: Nearby, value: Value) -> bool:
    """Whether a bare number is how old somebody is whose day of birth is known."""
    known = known_days(near)
    now = known.others[0]
    if _AGES.search(near.topic.words_before) is None:
        return False
    return any(
        str(now.year - day.year - ((now.month, now.day) < (day.month, day.day))) in value.keys
        for day in known.others[1:]
    )


def numbered_days(near: Nearby, known: Days) -> Iterator[date]:
    """`By the 5th` of a source, in this month, the next, and months the reply speaks of."""
    sources = near.topic.view.sources
    stated = [
        *near.said,
        *sources.customer.stated,
        *(one for passage in near.topic.passages for one in passage.index.stated),
    ]
    numbers = {int(one.keys[0]) for one in stated if one.form is Form.ORDINAL and one.keys[0].isdigit()}
    if near.topic.tells(_FIRST_OF_MONTH):
        numbers.add(1)
    numbers |= {_RANKS[match["rank"]] for match in _RANKED.finditer(near.topic.told)}
    for number in numbers:
        for base in (known.others[0], add_months(known.others[0], 1), *known.said):
            if 1 <= number <= monthrange(base.year, base.month)[1]:
                yield base.replace(day=number)


def _is_called(day: date, name: str) -> bool:
    if name in {"working day", "business day", "werktag", "arbeitstag"}:
        return day.weekday() < 5
    return name in {"day", "tag"} or weekday_of(name) == day.weekday()


def is_day_of_month(near: Nearby, value: Value) -> bool:
    """Whether `the 5th` is the day of a month that is known or worked out."""
    return any(str(day.day) in value.keys for day in _candidates(near, value))


def is_year(near: Nearby, value: Value) -> bool:
    """Whether a bare number is the year of a day that is known or worked out."""
    key = value.keys[0]
    if value.unit or len(key) != 4 or not key.isdigit() or key[:2] not in {"19", "20"}:
        return False
    known = known_days(near)
    if _is_unknown(near, value) and abs(int(key) - known.others[0].year) <= 1:
        # Of the year before or after it is only said that nothing is known.
        return True
    days = (*known.said, *known.others[:1], *_moved(near, value, known))
    years = {day.year for day in days}
    asked = near.topic.words_before + near.topic.view.sources.customer_text.lower()
    for words, ahead in ((_LAST_YEAR, -1), (_NEXT_YEAR, 1)):
        if words.search(asked):
            years.add(known.others[0].year + ahead)
    return int(key) in years


def _moved(near: Nearby, value: Value, known: Days) -> Iterator[date]:
    """Known days moved by a length that the reply or a source has."""
    follows = _FROM.search(near.topic.words[max(0, value.start - 14) : value.start]) is not None
    yield from _next_to(near, known)
    bases = (*known.said, *known.others, *known.coming)
    if (known.said or known.others[1:]) and not _speaks_of_today(near) and not _KEPT.search(near.topic.words):
        # INVARIANT: a length of time begins where its source says; with a day to begin from, today is none.
        bases = (*known.said, *known.others[1:], *known.coming)
    counted = near.topic.tells(_COUNTING)
    lasts = _UNTIL.search(near.topic.words[max(0, value.start - 20) : value.start]) is not None
    for length in near.lengths:
        directions = signs(length.words)
        # One day in seven is a Friday: a weekday follows from more than a day and a length only when both are named.
        for base in bases if length.named or not value.keys[0].startswith("weekday") else known.said:
            for day in moved(base, length.value, directions):
                yield day
                if follows:
                    yield day + timedelta(days=1)
                if (lasts and length.value.unit in {"month", "year"}) or counted:
                    yield day - timedelta(days=1)


def _speaks_of_today(near: Nearby) -> bool:
    return (
        _TODAY.search(near.topic.words_before) is not None
        or _TODAY.search(near.topic.view.sources.asked_text) is not None
    )


def _next_to(near: Nearby, known: Days) -> Iterator[date]:
    """The days beside those that are known, where the reply or a source speaks of the day before or after."""
    first = 0 if _speaks_of_today(near) else 1
    for words, days in ((_DAY_BEFORE, -1), (_DAY_AFTER, 1)):
        if near.topic.tells(words):
            yield from (base + timedelta(days=days) for base in (*known.said, *known.others[first:], *known.coming))
    if near.topic.tells(_CLOSED):
        yield from (base + timedelta(days=1) for base in known.said)


def moved(base: date, length: Value, directions: tuple[int, ...]) -> Iterator[date]:
    """`base` moved by a length of time, onwards (1), backwards (-1) or both."""
    for amount in readings(length)[:1]:
        for sign in directions:
            try:
                day = _shifted(base, amount, sign, length.workdays)
            except (OverflowError, ValueError):
                continue
            if day is not None:
                yield day


def _shifted(base: date, amount: Amount, sign: int, workdays: bool) -> date | None:
    """`base` moved by whole days or months; None for a length that is no number of them."""
    if amount.unit == "minute":
        whole, unit = amount.number / 1440, "day"
    else:
        whole, unit = amount.number, amount.unit
    if whole % 1 or not 0 < whole <= _FARTHEST:
        return None
    steps = sign * int(whole)
    if unit == "month":
        return add_months(base, steps)
    if unit != "day":
        return None
    return add_workdays(base, steps) if workdays else base + timedelta(days=steps)


def _is_time(near: Nearby, value: Value) -> bool:
    """A known time of day and a length of minutes or hours, or an end of a range of hours the customer gave (22-06)."""
    if any(key.endswith(":00") and int(key[:2]) in near.topic.view.sources.hours for key in value.keys):
        return True
    for text in near.topic.view.sources.evidence.customer_texts:
        for ends in _HOURS.findall(text):
            if any(key in hour_keys(int(end)) for end in ends for key in value.keys):
                return True
    index = ValueIndex()
    index.add(value for value in near.said if value.kind is Kind.TIME)
    stated = index.words.get(Kind.TIME, set())
    sources = near.topic.view.sources
    told = (passage.index for passage in near.topic.passages)
    others = {key for one in (sources.tools, sources.customer, *told) for key in one.words.get(Kind.TIME, ())}
    if any(_is_offset(value, base, near.topic.view.sources.customer_text) for base in (*stated, *others)):
        return True
    return any(
        key in value.keys
        for length in near.spans
        for base in (*stated, *others)
        for key in _times(base, length.value, signs(length.words))
    )


def _is_offset(value: Value, base: str, text: str) -> bool:
    """Whether `value` is `base` (UTC) in the time zone that the customer names."""
    return any(
        time_key((minute_of_day(base) + int(match["hours"]) * 60) % 1440) in value.keys
        for match in _OFFSET.finditer(text)
    )


def _times(base: str, length: Value, directions: tuple[int, ...]) -> Iterator[str]:
    for amount in readings(length)[:1]:
        if amount.unit == "minute" and amount.number % 1 == 0:
            for sign in directions:
                yield time_key((minute_of_day(base) + sign * int(amount.number)) % 1440)


def _fits(keys: tuple[str, ...], day: date) -> bool:
    """Whether one of the keys can be said of the day."""
    iso = day.isoformat()
    for key in keys:
        if key[:2] == "--":
            if iso[4:].startswith(key[1:]):
                return True
        elif key[:8] == "weekday:":
            if day.weekday() == int(key[8:]):
                return True
        elif iso.startswith(key):
            return True
    return False
