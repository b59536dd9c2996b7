"""All values of a text in one place: each stretch of text is read as one kind only, the most specific first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter

from handrail.guardrails.output import addresses, clock, dates, numbers
from handrail.guardrails.output.fold import fold, lower
from handrail.guardrails.output.signs import (
    ALL,
    AT,
    DATE,
    DIGIT,
    MIXED,
    TIME,
    URL,
    may_date,
    may_state,
    may_tell_time,
    signs_of,
)
from handrail.guardrails.output.values import Form, Kind, Value

_TAKEN = "\0"
_NEAR = 9
"""Characters between the two ends of a range."""

_START = attrgetter("start")


def extract(text: str) -> tuple[Value, ...]:
    """The values of `text`, from left to right, without overlaps. Linear in its length; callers bound the length."""
    return extract_folded(fold(text))


def extract_folded(cased: str) -> tuple[Value, ...]:
    """`extract` of a text that is folded already."""
    plain = lower(cased)
    signs = signs_of(plain)
    return extract_signed(cased, plain, signs) if may_state(signs) else ()


def extract_signed(cased: str, plain: str, signs: int) -> tuple[Value, ...]:
    """`extract` of a text that is folded, also in lower case, and has `signs`; a reader without its sign is spared."""
    found: list[Value] = []
    if signs & AT:
        plain = _take(addresses.emails(plain), plain, found)
    if signs & URL:
        plain = _take(addresses.urls(plain), plain, found)
    if found and signs != ALL:
        signs = signs_of(plain)
    if signs & DIGIT:
        plain = _digits(cased, plain, signs, found)
        if found and signs != ALL:
            signs = signs_of(plain)
    if may_date(signs):
        plain = _take(dates.loose_dates(plain), plain, found)
    if may_tell_time(signs):
        plain = _take(clock.spoken_times(plain), plain, found)
    found += numbers.numbers(plain, signs)
    if len(found) < 2:
        return tuple(found)
    found.sort(key=_START)
    return tuple(_in_ranges(plain, found))


def _digits(cased: str, plain: str, signs: int, found: list[Value]) -> str:
    """Take what has digits and is no mere number."""
    plain = _take(addresses.account_numbers(_blank(cased, found)), plain, found)
    if signs & DATE:
        plain = _take(dates.dates(plain), plain, found)
    if signs & TIME:
        plain = _take(clock.times(plain), plain, found)
    if signs & DATE:
        plain = _take(addresses.machine_numbers(plain), plain, found)
    plain = _take(addresses.phones(plain), plain, found)
    if signs & MIXED:
        plain = _take(addresses.identifiers(_blank(cased, found)), plain, found)
    return plain


def _in_ranges(plain: str, found: list[Value]) -> Iterator[Value]:
    """`found`, where a bare number beside a date or a time of day is one too: 3-5 June, between 12 and 4 pm."""
    for place, value in enumerate(found):
        if value.kind is not Kind.NUMBER or value.unit or value.form is not Form.DIGITS or len(value.keys[0]) > 2:
            yield value
            continue
        after = found[place + 1] if place + 1 < len(found) else None
        before = found[place - 1] if place else None
        yield _like(plain, value, value, after) or _like(plain, value, before, value) or value


def _like(plain: str, value: Value, left: Value | None, right: Value | None) -> Value | None:
    """The number `value` read like its neighbour in a range, when there is one."""
    if left is None or right is None or right.start - left.end > _NEAR:
        return None
    if numbers.RANGE.match(plain, left.end, right.start) is None:
        return None
    other = right if left is value else left
    if other.kind is Kind.TIME and value.keys[0].isdigit():
        keys = clock.hour_keys(int(value.keys[0]))
    elif other.kind is Kind.DATE:
        keys = dates.same_month(other.keys, value.keys[0])
    else:
        return None
    return value._replace(kind=other.kind, keys=keys) if keys else None


def _take(values: Iterable[Value], text: str, found: list[Value]) -> str:
    """Keep `values` and blank their places in `text`, so that no later reader sees them again."""
    taken: list[Value] = []
    last = 0
    for value in sorted(values, key=_START):
        if value.start >= last:
            taken.append(value)
            last = value.end
    if not taken:
        return text
    found += taken
    return _blank(text, taken)


def _blank(text: str, values: list[Value]) -> str:
    """`text` with the places of `values` blanked."""
    if not values:
        return text
    parts: list[str] = []
    last = 0
    for value in sorted(values, key=_START) if len(values) > 1 else values:
        parts += (text[last : value.start], _TAKEN * (value.end - value.start))
        last = value.end
    parts.append(text[last:])
    return "".join(parts)
