"""Amounts that can be reckoned with, and what one step of reckoning makes of two of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from handrail.guardrails.output.units import CENT, MONEY, in_base
from handrail.guardrails.output.values import Form, Kind, Value

LENGTHS = frozenset({"minute", "day", "month"})
"""The bases of lengths of time."""

SMALLEST = 1e-6
ROUNDED = 3
"""The least whole number that may be the rounding of another (about 9 for 9.45)."""

_NUMERIC = frozenset({Kind.NUMBER, Kind.MONEY, Kind.DURATION})
_PER = {"minute": (60.0, 30.0, 1.0), "day": (7.0, 1.0), "month": (12.0, 1.0), "metre": (1000.0, 1.0),
        "gram": (1000.0, 1.0), "mb": (1000.0, 1.0)}  # fmt: skip
"""In how many of the base unit a rate is told (per hour, per week, per year, per kilometre)."""


_THOUSANDS = frozenset({"metre", "gram", "mb"})
_IN_CENTS = ("EUR", "USD", "GBP", "CHF")
_CENT = 0.00501
_BINARY = {"gb": 1024.0, "tb": 1024.0**2}
"""Gigabytes are counted in thousands or in 1,024 megabytes."""


class Way(StrEnum):
    """A way to reckon: a sum, a difference, a product, a percentage of, a division, two amounts as a percentage."""

    SUM = "sum"
    DIFFERENCE = "difference"
    PRODUCT = "product"
    SHARE = "share"
    DIVISION = "division"
    RATIO = "ratio"


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
            made += (Amount(float(key) / 100, unit) for unit in _IN_CENTS)
            continue
        number, unit = in_base(Decimal(key), value.unit)
        made.append(Amount(float(number), unit))
        if value.unit in _BINARY:
            made.append(Amount(float(key) * _BINARY[value.unit], unit))
    return tuple(made)


def combined(one: Amount, other: Amount, ways: Container[Way]) -> Iterator[Amount]:
    """What one step in one of `ways` makes of two amounts whose units fit."""
    a, b = one.number, other.number
    if one.unit == other.unit:
        yield from _same(a, b, one.unit, ways)
    elif "%" in {one.unit, other.unit}:
        if Way.SHARE in ways:
            share, of = (one, other) if one.unit == "%" else (other, one)
            yield from _share(share.number / 100, of)
    elif not one.unit or not other.unit:
        count, of = (a, other) if not one.unit else (b, one)
        if Way.PRODUCT in ways:
            yield Amount(of.number * count, of.unit)
        if Way.DIVISION in ways and count >= SMALLEST:
            yield Amount(of.number / count, of.unit)
    elif one.unit in MONEY or other.unit in MONEY:
        yield from _rated(one, other, ways)


def _rated(one: Amount, other: Amount, ways: Container[Way]) -> Iterator[Amount]:
    """A price per time, length or weight."""
    money, measure = (one, other) if one.unit in MONEY else (other, one)
    if measure.unit in MONEY or measure.number < SMALLEST:
        return
    for per in _PER.get(measure.unit, (1.0,)):
        if Way.PRODUCT in ways:
            yield Amount(money.number * measure.number / per, money.unit)
        if Way.DIVISION in ways:
            yield Amount(money.number / measure.number * per, money.unit)


def _same(a: float, b: float, unit: str, ways: Container[Way]) -> Iterator[Amount]:
    low, high = min(a, b), max(a, b)
    if Way.SUM in ways and unit != "%":
        yield Amount(a + b, unit)
    if Way.DIFFERENCE in ways and high - low >= SMALLEST:
        yield Amount(high - low, unit)
    if not unit and Way.PRODUCT in ways:
        yield Amount(a * b, "")
    if low >= SMALLEST and unit != "%":
        times = high / low
        if Way.DIVISION in ways and times >= 2 and (not unit or abs(times - round(times)) < SMALLEST):
            yield Amount(times, "")
        if Way.RATIO in ways:
            yield Amount(low / high * 100, "%")
            yield Amount(100 - low / high * 100, "%")


def _share(share: float, of: Amount) -> Iterator[Amount]:
    if of.unit == "%":
        return
    part = of.number * share
    yield Amount(part, of.unit)
    yield Amount(of.number + part, of.unit)
    yield Amount(of.number / (1 + share), of.unit)
    if share < 1:
        yield Amount(of.number - part, of.unit)


def is_same(wanted: Amount, reached: Amount) -> bool:
    """Whether `reached`, rounded to cents, is `wanted`; a bare number may be any unit."""
    if not wanted.unit and reached.unit in _THOUSANDS:
        return is_same(wanted, Amount(reached.number, "")) or is_same(wanted, Amount(reached.number / 1000, ""))
    if wanted.unit and wanted.unit != reached.unit and not (wanted.unit in MONEY and not reached.unit):
        return False
    # Money is rounded to cents, and so are larger numbers; less than one of anything else is what it is.
    slack = _CENT if wanted.number >= 1 or wanted.unit in MONEY else SMALLEST
    return abs(wanted.number - reached.number) <= slack and (wanted.number >= 1 or reached.number >= SMALLEST)


def is_rounded(wanted: Amount, reached: Amount) -> bool:
    """Whether `wanted`, written with at most one decimal, is `reached` rounded to that."""
    step = 0.1 if wanted.number % 1 else 1.0
    return (
        wanted.unit == reached.unit
        and abs(wanted.number * 10 % 1) < SMALLEST
        and wanted.number >= ROUNDED
        and abs(wanted.number - reached.number) < step
    )
