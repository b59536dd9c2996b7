"""Does a value of a reply stand in a source of the turn, in whatever words, or does it state nothing?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from handrail.guardrails.output.clock import hour_keys
from handrail.guardrails.output.counting import only_counts
from handrail.guardrails.output.dates import full_date
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import has_token
from handrail.guardrails.output.values import Form, Kind, Value

SMALL = 10
"""Spelled-out numbers and ordinals up to this count things in the reply itself and need no source."""

_PAIR = 2
"""`One` and `two` in words mostly point at what was named before."""

_LEADS = re.compile(
    r"(?<!\w)(?:go to|visit|open|click|tap|follow|see|log ?in|sign in|download|call|dial|ring|phone|write|mail|e-mail|"
    r"send|reach|contact|via|through|pay|enter|use|settle|fill|find|found|under|form is|rufen|wählen|anrufen|öffnen|"
    r"besuchen|klicken|schreiben|unter|zahlen|überweisen|eingeben)(?!\w)"
)
_VOUCHES = re.compile(
    r"(?<!\w)(?:is|are|ist|sind)(?: really| indeed)? (?:our|ours|official|genuine|legit\w*|safe|the right|real|trusted|"
    r"unser\w*|echt|sicher)(?!\w)"
)
_REFUSES = re.compile(
    r"(?<!\w)(?:not|never|cannot|can't|isn't|aren't|doesn't|don't(?! (?:hesitate|worry|forget))|nicht|nie|kein\w*|"
    r"keinesfalls)(?!\w)[^,;:]*$"
)
_DISOWNS = re.compile(r"[\s\"')]{0,3}(?:is|are|was|does|ist|sind)(?: not|n't| nicht| kein)")
_SINGLE = re.compile(
    r"(?:one|a|an|a full|a single|einem?|einer?) (?P<unit>minute|hour|day|night|week|month|year|tag|monat|jahr)$"
)
_STEPS = 20
_YEAR = 366
_DATED = re.compile(r"(?:on|by|until|till|before|after|since|from|due) (?:the )?$", re.IGNORECASE)
_BESIDE = re.compile(r"(?:after|before|past|around|shortly|nach|vor|gegen)\s$")
_MONTHLY = re.compile(r"(?<!\w)(?:months?|monthly|years?|yearly|annual\w*|instal?ments|monat\w*|jahr\w*|raten)(?!\w)")
"""A year has twelve of them, whatever the sources say."""

_ADULT = re.compile(r"(?<!\w)(?:adults?|of age|minors?|volljährig|erwachsene\w*)(?!\w)")
_DOTTED = re.compile(r"(?P<hour>[01]?\d|2[0-3])\.(?P<minute>[0-5]\d)")
_MAY = 3
"""Letters of a word that is no name of a month alone."""

_AGAIN = re.compile(
    r"(?<!\w)(?:as i (?:said|wrote|mentioned)|as mentioned|mentioned (?:earlier|before)|"
    r"i (?:already )?(?:said|wrote|gave|told|quoted|mentioned)|(?:my|the) (?:earlier|last|previous)|"
    r"wie (?:gesagt|geschrieben))(?!\w)"
)
"""Words with which a reply says that it repeats an earlier one."""

_FACTOR = 31
"""A bare number up to this, in an equation that is right, says how often something is taken."""

_STEP = re.compile(r"(?:step|option|point|question)s? $", re.IGNORECASE)
_FOLLOWING = re.compile(r"\W{0,3}([A-Za-z]+)")


def is_stated(view: View, value: Value) -> bool:
    """Whether `value` states nothing, or what a source of the turn says."""
    if _is_harmless(view, value) or view.sources.hold(value):
        return True
    if not value.unit and value.form is Form.DIGITS and view.sources.was_looked_up(view.line.folded, value):
        return True
    if value.kind not in _LED and _AGAIN.search(view.line.plain) and view.sources.said_earlier.holds(value):
        return True
    by_kind = _BY_KIND.get(value.kind)
    return by_kind is not None and by_kind(view, value)


def _is_known_day(view: View, value: Value) -> bool:
    return _is_in_year(view, value) or _is_count(view, value) or _is_named_so(view, value)


def _is_known_number(view: View, value: Value) -> bool:
    """Whether a bare number is a time of day, a count, a part of a longer name, or known to everybody."""
    time = dotted_time(view, value)
    if time is not None and view.sources.hold(time):
        return True
    if value.form is Form.ORDINAL:
        return is_day_of_month(view, value) and any(
            f"day:{value.keys[0]}" in index.dates for index in view.sources.all_indexes
        )
    if value.unit or value.form not in {Form.DIGITS, Form.WORDS}:
        return False
    return (
        _is_known_to_all(view, value)
        or value.keys[0] in view.sources.counts
        or _is_part(view, value)
        or only_counts(view, value)
    )


def _is_known_to_all(view: View, value: Value) -> bool:
    """Whether the number is that of the months in a year, or the age at which people are of age."""
    if value.keys == ("12",):
        return _MONTHLY.search(view.line.plain) is not None
    return value.keys == ("18",) and _ADULT.search(view.sources.told) is not None


def _is_written(view: View, value: Value) -> bool:
    """Whether a source has a name as it is written, or its words (the up-to-10-kg step)."""
    shown = view.line.sentence.text[value.start : value.end]
    return view.sources.mention(shown) or ("-" in shown and view.sources.mention(shown.replace("-", " ")))


def _is_the_customers(view: View, value: Value) -> bool:
    """Whether the customer wrote a bare host or number, and the sentence sends nobody there and vouches for nothing."""
    if not view.sources.customer.holds(value) or any("/" in key for key in value.keys):
        return False
    words = view.line.plain
    refused = _REFUSES.search(words[: value.start]) is not None or _DISOWNS.match(words, value.end) is not None
    return refused or not (_LEADS.search(words) or _VOUCHES.search(words))


def _is_rate(view: View, value: Value) -> bool:
    """Whether `one day` is the unit of a rate that a source has (5,000 euros per day)."""
    if value.form is not Form.WORDS or value.keys != ("1",):
        return False
    if not any(other.kind is Kind.MONEY for other in view.line.values):
        return False
    single = _SINGLE.search(view.line.folded[: value.end].lower())
    if single is None:
        return False
    rate = re.compile(rf"(?:per|a|each|every|in any|/|pro|je)\s?{single['unit']}(?!\w)")
    return any(rate.search(passage.text.lower()) for passage, _ in view.sources.passages)


def _is_count(view: View, value: Value) -> bool:
    """Whether the number beside a date is a count that a source states (`June 9 and 24 children`)."""
    shown = view.line.folded[value.start : value.end]
    return shown.isdigit() and view.sources.hold(Value(Kind.NUMBER, value.start, value.end, (shown.lstrip("0"),)))


def _is_named_so(view: View, value: Value) -> bool:
    """Whether a tool (june_kwh) or the customer has the name of the month or weekday, on its own perhaps."""
    shown = view.line.sentence.text[value.start : value.end].strip(" .,")
    texts = (view.sources.tool_text, view.sources.customer_text)
    if not shown.isalpha() or len(shown) <= _MAY:
        return False
    short = re.search(rf"(?<!\w){shown[:3].upper()}(?!\w)", view.sources.tool_text)
    return short is not None or any(has_token(text, shown) for text in texts)


def _is_around(view: View, value: Value) -> bool:
    """Whether a source has a time shortly before or after the midnight or noon of which a moment is said to lie."""
    if value.keys not in {("00:00",), ("12:00",)} or value.form is not Form.WORDS:
        return False
    if _BESIDE.search(view.line.folded[: value.start].lower()) is None:
        return False
    hours = {int(key[:2]) for index in view.sources.all_indexes for key in index.words.get(Kind.TIME, ())}
    noon = int(value.keys[0][:2])
    return any((hour - noon) % 24 in {0, 1, 22, 23} for hour in hours)


def dotted_time(view: View, value: Value) -> Value | None:
    """A number such as 7.40 as a time of day; None where it cannot be one."""
    shown = _DOTTED.fullmatch(view.line.folded[value.start : value.end])
    if shown is None or value.kind is not Kind.NUMBER or value.unit:
        return None
    hour, minute = int(shown["hour"]), shown["minute"]
    return value._replace(kind=Kind.TIME, keys=tuple(f"{key[:2]}:{minute}" for key in hour_keys(hour)), unit="")


def _is_part(view: View, value: Value) -> bool:
    """Whether a source has the number with a letter beside it (row 14 of seat 14a, week 35 of 2026-W35)."""
    number = re.escape(value.keys[0])
    pattern = re.compile(rf"(?<!\w)(?:{number}[a-z]|w{number})(?!\w)", re.IGNORECASE)
    return any(pattern.search(text) for text in (view.sources.customer_text, view.sources.tool_text))


def _is_harmless(view: View, value: Value) -> bool:
    """Numbers that only count or order the reply's own words: list items in sequence, `two things`, `step 3`."""
    if value.kind is not Kind.NUMBER or value.unit or not value.keys[0].isdigit():
        return False
    number = int(value.keys[0]) if len(value.keys[0]) < 4 else _STEPS + 1
    text = view.line.sentence.text
    if value.form is Form.MARKER:
        return number == 1 or any(number - 1 in line.markers() for line in view.earlier)
    if number <= _STEPS and text[: value.start].strip() == "|":
        return True
    if value.form is Form.WORDS and number <= _PAIR:
        return True
    if value.form is Form.ORDINAL:
        return number <= SMALL and not is_day_of_month(view, value)
    if number <= _FACTOR and any(one.is_right and one.start <= value.start < one.result[0] for one in view.equations):
        return True
    if number <= _STEPS and _STEP.search(text[max(0, value.start - 10) : value.start]):
        return True
    following = _FOLLOWING.match(text, value.end)
    return number <= SMALL and following is not None and following[1].lower() in view.wording.form.list_nouns


def is_day_of_month(view: View, value: Value) -> bool:
    """`the 15th` after `on`, `by`, `until` is a date, not a rank."""
    text = view.line.sentence.text
    return value.form is Form.ORDINAL and _DATED.search(text[max(0, value.start - 11) : value.start]) is not None


def _is_in_year(view: View, value: Value) -> bool:
    """A full date whose day and month a source states without a year, in the year of the turn or the next time."""
    now = view.sources.evidence.now
    days = (day for day in map(full_date, value.keys) if day is not None)
    keys = {f"-{day.isoformat()[4:]}" for day in days if day.year == now.year or 0 < (day - now).days <= _YEAR}
    return any(keys & index.yearless for index in view.sources.all_indexes)


_LED = frozenset({Kind.URL, Kind.PHONE, Kind.EMAIL})
_BY_KIND: Mapping[Kind, Callable[[View, Value], bool]] = {
    Kind.URL: _is_the_customers,
    Kind.PHONE: _is_the_customers,
    Kind.DURATION: _is_rate,
    Kind.DATE: _is_known_day,
    Kind.TIME: _is_around,
    Kind.NUMBER: _is_known_number,
    Kind.IDENTIFIER: _is_written,
    Kind.IP: _is_written,
}
"""How a value that no source has in its normal form may stand there all the same."""
