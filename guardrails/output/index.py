"""The values of one source text, ready to be asked whether a reply's value stands among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from handrail.guardrails.output.dates import partial_keys
from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.units import CENT, MONEY, TIME_UNITS, in_base
from handrail.guardrails.output.values import Form, Kind, Value, normal

SOURCE_LIMIT = 100_000
"""Characters of one source text that are read; what stands after them backs nothing."""

_MONTH_OF = re.compile(r"(20\d\d)(0[1-9]|1[0-2])(?:\d\d)?$")
"""Numbers of invoices and the like often begin with year and month."""

_TIME_LIKE = re.compile(r"(?:1?\d|2[0-3])\.[0-5]\d?")
NUMERIC = frozenset({Kind.NUMBER, Kind.MONEY, Kind.DURATION})
RECKONED = frozenset({*NUMERIC, Kind.DATE, Kind.TIME})
"""Kinds of values from which others can be worked out."""

CONVERTED = TIME_UNITS | {CENT}
"""Units of numbers that also stand in a text when they are written in another unit there."""


@dataclass(slots=True)
class ValueIndex:
    """Normal forms of the values of a text, by kind.

    `numbers` maps a number to the units it was written with; `durations` are lengths of time in one unit;
    `stated` are the numbers, dates and times that can be reckoned with, in the order of the text;
    `yearless` are dates of which only day and month are stated.
    """

    numbers: dict[str, set[str]] = field(default_factory=dict)
    durations: set[str] = field(default_factory=set)
    words: dict[Kind, set[str]] = field(default_factory=dict)
    stated: list[Value] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)
    yearless: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> ValueIndex:
        """Index the values of `text`."""
        index = cls()
        index.add(extract(text[:SOURCE_LIMIT]))
        return index

    def add(self, values: Iterable[Value]) -> None:
        """Take in `values`. Numbers that only count the items of a list are no facts and stay out."""
        for value in values:
            if value.kind in RECKONED and value.form is not Form.MARKER:
                self.stated.append(value)
            if value.kind in NUMERIC:
                if value.form is not Form.MARKER:
                    self._add_number(value)
            elif value.kind is Kind.DATE:
                self._add_date(value)
            elif value.kind is Kind.TIME and value.form is Form.DIGITS:
                # A source means the hour it writes; only a reply may leave open which half of the day it is.
                self.words.setdefault(value.kind, set()).update(value.keys[:1])
            else:
                self.words.setdefault(value.kind, set()).update(value.keys)
                self._add_derived(value)

    def _add_number(self, value: Value) -> None:
        for key in value.keys:
            if not value.unit and _TIME_LIKE.fullmatch(key):
                # The customer's 22.15 boat leaves at 22:15.
                hour, _, minute = key.partition(".")
                self.words.setdefault(Kind.TIME, set()).add(f"{int(hour):02d}:{minute:0<2}")
            self.numbers.setdefault(key, set()).add(value.unit)
            if value.unit == CENT:
                self.numbers.setdefault(normal(Decimal(key) / 100), set()).add("")
            length = duration_key(key, value.unit)
            if length:
                self.durations.add(length)

    def _add_date(self, value: Value) -> None:
        for key in value.keys:
            self.dates.update(partial_keys(key))
            if key.startswith("--") and len(key) == 7:
                self.yearless.add(key)
            if len(key) >= 7 and key[0] != "-" and key[:4].isdigit():
                self.numbers.setdefault(key[:4], set()).add("")

    def _add_derived(self, value: Value) -> None:
        for key in value.keys:
            if value.kind is Kind.URL:
                self.hosts.add(key.partition("/")[0])
            elif value.kind is Kind.EMAIL:
                self.hosts.add(key.rpartition("@")[2])
            elif value.kind is Kind.IDENTIFIER:
                digits = key.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                if digits.isdigit():
                    self.numbers.setdefault(digits.lstrip("0") or "0", set()).add("")
                    month = _MONTH_OF.match(digits)
                    if month is not None:
                        self.dates.update(partial_keys(f"{month[1]}-{month[2]}"))

    def holds(self, value: Value) -> bool:
        """Whether `value` stands in the text, in whatever notation."""
        if value.kind in NUMERIC:
            return any(self._holds_number(key, value) for key in value.keys)
        if value.kind is Kind.DATE:
            return not self.dates.isdisjoint(value.keys)
        if value.kind is Kind.URL and any(key in self.hosts for key in value.keys):
            return True
        known = self.words.get(value.kind, set())
        if value.kind is Kind.PHONE:
            return any(key.endswith(other) or other.endswith(key) for key in value.keys for other in known)
        return any(key in known or self._is_plain_number(key, value) for key in value.keys)

    def _holds_number(self, key: str, value: Value) -> bool:
        units = self.numbers.get(key)
        if units is not None and (not value.unit or value.unit in units or "" in units):
            return True
        if value.unit == CENT:
            return any(unit in MONEY for unit in self.numbers.get(normal(Decimal(key) / 100), ()))
        if value.kind is not Kind.DURATION or not self.durations:
            return False
        return duration_key(key, value.unit) in self.durations

    def _is_plain_number(self, key: str, value: Value) -> bool:
        return value.kind is Kind.IDENTIFIER and key in self.numbers


def any_holds(indexes: Iterable[ValueIndex], value: Value) -> bool:
    """Whether `value` stands in one of the texts: `holds` for many, which are looked through for each value of a reply.

    First as it is written, which is where most values stand.
    """
    if value.kind in NUMERIC:
        if any_has_number(indexes, value):
            return True
        return value.unit in CONVERTED and _any_has_length(indexes, value)
    if value.kind is Kind.DATE:
        keys = value.keys
        for index in indexes:  # noqa: SIM110 - `any` over a generator costs twice as much
            if not index.dates.isdisjoint(keys):
                return True
        return False
    return any(index.holds(value) for index in indexes)


def any_has_number(indexes: Iterable[ValueIndex], value: Value) -> bool:
    """Whether one of the texts has the number `value` as it is written, with its unit or without one."""
    unit = value.unit
    for key in value.keys:
        for index in indexes:
            units = index.numbers.get(key)
            if units is not None and (not unit or unit in units or "" in units):
                return True
    return False


def _any_has_length(indexes: Iterable[ValueIndex], value: Value) -> bool:
    if value.kind is not Kind.DURATION:
        return any(index.holds(value) for index in indexes)
    lengths = {duration_key(key, value.unit) for key in value.keys}
    return any(not index.durations.isdisjoint(lengths) for index in indexes)


def duration_key(key: str, unit: str) -> str:
    """A length of time that 60 minutes and one hour share; days and hours are not exchanged (working days exist)."""
    if unit not in TIME_UNITS:
        return ""
    amount, base = in_base(Decimal(key), unit)
    return f"{base}:{round(amount, 9).normalize():f}"
