"""OUT_UNSOURCED_*: numbers, dates, links, addresses and identifiers that stand in no source of the turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output import days, reckoning
from handrail.guardrails.output.agreement import contradicted
from handrail.guardrails.output.counting import only_counts
from handrail.guardrails.output.dates import full_date
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.index import RECKONED
from handrail.guardrails.output.known_days import YEARS
from handrail.guardrails.output.nearby import Nearby, Topic
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.values import Form, Kind, Value

CODES = {
    Kind.NUMBER: "OUT_UNSOURCED_NUMBER",
    Kind.MONEY: "OUT_UNSOURCED_NUMBER",
    Kind.DURATION: "OUT_UNSOURCED_NUMBER",
    Kind.DATE: "OUT_UNSOURCED_DATE",
    Kind.TIME: "OUT_UNSOURCED_DATE",
    Kind.URL: "OUT_UNSOURCED_LINK",
    Kind.EMAIL: "OUT_UNSOURCED_ADDRESS",
    Kind.PHONE: "OUT_UNSOURCED_ADDRESS",
    Kind.IP: "OUT_UNSOURCED_ADDRESS",
    Kind.IDENTIFIER: "OUT_UNSOURCED_IDENTIFIER",
    Kind.IBAN: "OUT_UNSOURCED_IDENTIFIER",
    Kind.CARD: "OUT_UNSOURCED_IDENTIFIER",
}
SMALL = 10
"""Spelled-out numbers and ordinals up to this count things in the reply itself and need no source."""

_PAIR = 2
"""`One` and `two` in words mostly point at what was named before."""

_STEPS = 20
_DATED = re.compile(r"(?:on|by|until|till|before|after|since|from|due) (?:the )?$", re.IGNORECASE)
_STEP = re.compile(r"(?:step|option|point|question)s? $", re.IGNORECASE)
_FOLLOWING = re.compile(r"\W{0,3}([A-Za-z]+)")


def check(view: View) -> Iterator[Finding]:
    """One finding per value that no source states and that follows from none."""
    doubtful = [value for value in view.line.values if not _is_stated(view, value)]
    wrong = _left_over(view, doubtful) if doubtful else []
    for value in (*wrong, *contradicted(view)):
        code = "OUT_UNSOURCED_DATE" if _is_day_of_month(view, value) else CODES[value.kind]
        yield view.line.finding(code, value.start, value.end, value.kind.value)


def _left_over(view: View, doubtful: list[Value]) -> list[Value]:
    """The values of `doubtful` that cannot be worked out.

    INVARIANT: a value is worked out only from values that are sure before it, so that two made-up ones cannot vouch
    for each other.
    """
    topic = Topic(view)
    while True:
        sure = tuple(value for value in view.line.values if value not in doubtful and value.form is not Form.MARKER)
        near = Nearby(topic, sure)
        left = [value for value in doubtful if not _is_worked_out(near, value)]
        if len(left) == len(doubtful) or not left:
            return left
        doubtful = left


def _is_worked_out(near: Nearby, value: Value) -> bool:
    if value.kind not in RECKONED or value.form is Form.MARKER:
        return False
    if near.topic.view.sources.evidence.now.year not in YEARS:
        # At the ends of the calendar there is nothing to count from.
        return False
    if value.kind in {Kind.DATE, Kind.TIME}:
        return days.is_worked_out(near, value)
    return reckoning.is_worked_out(near, value)


def _is_stated(view: View, value: Value) -> bool:
    """Whether `value` states nothing, or what a source of the turn says."""
    if _is_harmless(view, value) or view.sources.hold(value):
        return True
    if not value.unit and value.form is Form.DIGITS and view.sources.was_looked_up(view.line.folded, value):
        return True
    if value.kind is Kind.DATE:
        return _is_in_year(view, value) or _is_count(view, value)
    if value.kind is Kind.NUMBER and not value.unit and value.form in {Form.DIGITS, Form.WORDS}:
        return value.keys[0] in view.sources.counts or _is_part(view, value) or only_counts(view, value)
    if value.form is Form.ORDINAL and _is_day_of_month(view, value):
        return any(f"day:{value.keys[0]}" in index.dates for index in view.sources.all_indexes)
    if value.kind in {Kind.IDENTIFIER, Kind.IP}:
        return view.sources.mention(view.line.sentence.text[value.start : value.end])
    return False


def _is_count(view: View, value: Value) -> bool:
    """Whether the number beside a date is a count that a source states (`June 9 and 24 children`)."""
    shown = view.line.folded[value.start : value.end]
    return shown.isdigit() and view.sources.hold(Value(Kind.NUMBER, value.start, value.end, (shown.lstrip("0"),)))


def _is_part(view: View, value: Value) -> bool:
    """Whether a source has the number with a letter behind it (row 14 of seat 14a)."""
    pattern = re.compile(rf"(?<!\w){re.escape(value.keys[0])}[a-z](?!\w)", re.IGNORECASE)
    return any(pattern.search(text) for text in (view.sources.customer_text, view.sources.tool_text))


def _is_harmless(view: View, value: Value) -> bool:
    """Numbers that only count or order the reply's own words: list items in sequence, `two things`, `step 3`."""
    if value.kind is not Kind.NUMBER or value.unit or not value.keys[0].isdigit():
        return False
    number = int(value.keys[0]) if len(value.keys[0]) < 4 else _STEPS + 1
    text = view.line.sentence.text
    if value.form is Form.MARKER:
        return number == 1 or any(number - 1 in line.markers() for line in view.earlier)
    if value.form is Form.WORDS and number <= _PAIR:
        return True
    if value.form is Form.ORDINAL:
        return number <= SMALL and not _is_day_of_month(view, value)
    if number <= _STEPS and _STEP.search(text[max(0, value.start - 10) : value.start]):
        return True
    following = _FOLLOWING.match(text, value.end)
    return number <= SMALL and following is not None and following[1].lower() in view.wording.form.list_nouns


def _is_day_of_month(view: View, value: Value) -> bool:
    """`the 15th` after `on`, `by`, `until` is a date, not a rank."""
    text = view.line.sentence.text
    return value.form is Form.ORDINAL and _DATED.search(text[max(0, value.start - 11) : value.start]) is not None


def _is_in_year(view: View, value: Value) -> bool:
    """A full date whose day and month a source states without a year, in the year of the turn."""
    days = (day for day in map(full_date, value.keys) if day is not None and day.year == view.sources.evidence.now.year)
    keys = {f"-{day.isoformat()[4:]}" for day in days}
    return any(keys & index.yearless for index in view.sources.all_indexes)
