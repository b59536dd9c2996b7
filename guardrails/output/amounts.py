"""Amounts that can be reckoned with, and what one step of reckoning makes of two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from handrail.guardrails.output.units import CENT, CURRENCIES, TIME_UNITS, in_base
from handrail.guardrails.output.values import Form, Kind, Value

MONEY = frozenset(CURRENCIES.values()) - {CENT}
SMALLEST = 1e-6
LARGEST = 1e9

_NUMERIC = frozenset({Kind.NUMBER, Kind.MONEY, Kind.DURATION})
_PER = {"minute": (60.0, 30.0, 1.0), "day": (7.0, 1.0), "month": (12.0, 1.0), "metre": (1000.0, 1.0),
        "gram": (1000.0, 1.0), "mb": (1000.0, 1.0)}  # fmt: skip
"""In how many of the base unit a rate is told (per hour, per week, per year, per kilometre)."""


class Amount(NamedTuple):
    """A number in the base of its unit: a currency code, minute, day, month, metre, %, or empty for a bare number."""

    number: float
    unit: str


def amounts(values: Iterable[Value], most: int = 40) -> tuple[Amount, ...]:
    """The amounts among `values`, at most `most` of them, no one more than twice; every reading of an ambiguous one."""
    found: list[Amount] = []
    for value in values:
        if value.kind in _NUMERIC and value.form is not Form.MARKER:
            found += (one for one in readings(value) if found.count(one) < 2)
        if len(found) >= most:
            break
    return tuple(found)


def readings(value: Value) -> tuple[Amount, ...]:
    """A number as amounts."""
    made: list[Amount] = []
    for key in value.keys:
        if len(key) > 12:
            continue
        if value.unit == CENT:
            made.append(Amount(float(key) / 100, "EUR"))
            continue
        number, unit = in_base(Decimal(key), value.unit)
        made.append(Amount(float(number), unit))
    return tuple(made)


def combined(one: Amount, other: Amount) -> Iterator[Amount]:
    """What one step makes of two amounts: sum, difference, product, share; units must fit."""
    a, b = one.number, other.number
    if one.unit == other.unit:
        yield from _same(a, b, one.unit)
    elif "%" in {one.unit, other.unit}:
        share, of = (one, other) if one.unit == "%" else (other, one)
        yield from _share(share.number / 100, of)
    elif not one.unit or not other.unit:
        count, of = (one.number, other) if not one.unit else (other.number, one)
        if count >= SMALLEST:
            yield Amount(of.number * count, of.unit)
            yield Amount(of.number / count, of.unit)
    elif one.unit in MONEY or other.unit in MONEY:
        money, measure = (one, other) if one.unit in MONEY else (other, one)
        if measure.unit not in MONEY and measure.number >= SMALLEST:
            for per in _PER.get(measure.unit, (1.0,)):
                yield Amount(money.number * measure.number / per, money.unit)
                yield Amount(money.number / measure.number * per, money.unit)


def _same(a: float, b: float, unit: str) -> Iterator[Amount]:
    low, high = min(a, b), max(a, b)
    if unit != "%":
        yield Amount(a + b, unit)
    if high - low >= SMALLEST:
        yield Amount(high - low, unit)
    if not unit:
        yield Amount(a * b, "")
    if low >= SMALLEST:
        times = high / low
        if unit and unit != "%" and abs(times - round(times)) < SMALLEST and times >= 2:
            yield Amount(float(round(times)), "")
        elif not unit and times >= 2:
            yield Amount(times, "")
        if unit != "%":
            yield Amount(low / high * 100, "%")


def _share(share: float, of: Amount) -> Iterator[Amount]:
    if of.unit == "%":
        return
    part = of.number * share
    yield Amount(part, of.unit)
    yield Amount(of.number + part, of.unit)
    if share < 1:
        yield Amount(of.number - part, of.unit)


def is_same(wanted: Amount, reached: Amount) -> bool:
    """Whether `reached`, rounded to cents, is `wanted`; a bare number may be any unit."""
    if wanted.unit and wanted.unit != reached.unit and not (wanted.unit in MONEY and not reached.unit):
        return False
    return abs(wanted.number - reached.number) <= 0.00501 and (wanted.number >= 1 or reached.number >= SMALLEST)


def is_length(unit: str) -> bool:
    """Whether an amount in this base unit is a length of time."""
    return unit in TIME_UNITS
