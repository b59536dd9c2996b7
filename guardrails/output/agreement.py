"""Values of a reply that contradict each other: a weekday that the date does not have, a sum that does not add up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from handrail.guardrails.output.dates import nearest_day
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.values import Kind, Value

_BESIDE = re.compile(r"[\s,(*_]{0,4}(?:(?:the|den|dem|der|am|on) )?$")
_AHEAD = {"tomorrow": 1, "tonight": 0, "übermorgen": 2, "day after tomorrow": 2}


def contradicted(view: View) -> Iterator[Value]:
    """The values of the sentence that another one, right beside them, makes wrong."""
    now = view.sources.evidence.now
    text = view.line.folded
    for left, right in pairwise(view.line.values):
        if left.kind is Kind.DATE and right.kind is Kind.DATE and _BESIDE.match(text[left.end : right.start]):
            days = [day for day in (nearest_day(key, now) for key in right.keys) if day is not None]
            if days and not any(_fits(left.keys[0], day, now) for day in days):
                yield right
    for equation in view.line.equations:
        if not equation.is_right:
            yield Value(Kind.NUMBER, *equation.result, (text[slice(*equation.result)],))


def _fits(key: str, day: date, now: date) -> bool:
    """Whether `Tuesday` or `tomorrow` can be said of the day."""
    name, _, rest = key.partition(":")
    if name == "weekday":
        return day.weekday() == int(rest)
    return name != "word" or rest not in _AHEAD or (day - now).days == _AHEAD[rest]
