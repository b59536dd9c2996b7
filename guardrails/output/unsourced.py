"""OUT_UNSOURCED_*: numbers, dates, links, addresses and identifiers that stand in no source of the turn."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output import days, reckoning
from handrail.guardrails.output.agreement import contradicted
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.index import RECKONED
from handrail.guardrails.output.known_days import YEARS
from handrail.guardrails.output.nearby import Nearby, Topic
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.stated import dotted_time, is_day_of_month, is_stated
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


def check(view: View) -> Iterator[Finding]:
    """One finding per value that no source states and that follows from none."""
    doubtful = [value for value in view.line.values if not is_stated(view, value)]
    wrong = _left_over(view, doubtful) if doubtful else []
    for value in (*wrong, *contradicted(view)):
        code = "OUT_UNSOURCED_DATE" if is_day_of_month(view, value) else CODES[value.kind]
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


def _is_result(view: View, value: Value) -> bool:
    """Whether `value` is what an equation of the sentence makes; the numbers of its left side are judged themselves."""
    return any(one.is_right and value.start <= one.result[0] and one.result[1] <= value.end for one in view.equations)


def _is_worked_out(near: Nearby, value: Value) -> bool:
    if value.kind not in RECKONED or value.form is Form.MARKER:
        return False
    if value.kind is not Kind.DATE and _is_result(near.topic.view, value):
        return True
    if near.topic.view.sources.evidence.now.year not in YEARS:
        # At the ends of the calendar there is nothing to count from.
        return False
    if value.kind in {Kind.DATE, Kind.TIME}:
        return days.is_worked_out(near, value)
    time = dotted_time(near.topic.view, value)
    if time is not None and days.is_worked_out(near, time):
        return True
    return reckoning.is_worked_out(near, value)
