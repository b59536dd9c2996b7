"""Amounts that a customer was granted by earlier calls, summed over a time: a fact of the next call (spec S7.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from handrail.guardrails.bundle.sections import AmountWindow
from handrail.guardrails.gate.declared import fit_facts
from handrail.guardrails.toolspec import FactType, ToolSpec
from handrail.guardrails.vocabulary import FactContent, Frozen


class Amount(Frozen):
    """What one money fact of a call says: `minor` units of `currency`."""

    fact: str
    minor: int
    currency: str


class Grant(Frozen):
    """A write of a customer that ran, runs, or may have run: its tool, when it began, and its known amounts.

    `key` is its idempotency key.
    """

    key: str
    tool: str
    at: datetime
    amounts: tuple[Amount, ...] = ()

    def amount(self, fact: str) -> Amount | None:
        """The amount that `fact` stated; None when it is not known."""
        return next((one for one in self.amounts if one.fact == fact), None)


def amounts_of(spec: ToolSpec, declared: Mapping[str, FactContent]) -> tuple[Amount, ...]:
    """Every amount of a call of which `declared` states both number and currency."""
    stated = fit_facts(spec, declared)
    found = []
    for fact in spec.facts:
        minor, currency = stated.get(fact.name), stated.get(fact.currency or "")
        if fact.type is FactType.MONEY and isinstance(minor, int) and isinstance(currency, str):
            found.append(Amount(fact=fact.name, minor=minor, currency=currency))
    return tuple(found)


def windows_of(windows: Iterable[AmountWindow], spec: ToolSpec) -> tuple[AmountWindow, ...]:
    """Those of `windows` that are facts of a call of this tool."""
    return tuple(window for window in windows if spec.id in window.tools)


def reach(windows: Iterable[AmountWindow], now: datetime) -> datetime | None:
    """The instant after which grants count in the longest of `windows`; None without one."""
    return min((now - timedelta(minutes=window.within_minutes) for window in windows), default=None)


def total(window: AmountWindow, proposed: Sequence[Amount], grants: Iterable[Grant], now: datetime) -> int | None:
    """What the customer will have been granted within the window once the proposed call has run, in minor units.

    Only amounts in the currency of the proposed call count. None when the amount of the call, or that of an earlier
    one of the window, is not known.
    """
    own = next((one for one in proposed if one.fact == window.of), None)
    since = now - timedelta(minutes=window.within_minutes)
    amounts = [one.amount(window.of) for one in grants if one.tool in window.tools and one.at > since]
    if own is None or own.minor < 0:
        return None
    counted = own.minor
    for amount in amounts:
        # INVARIANT: what is not known is not nothing. A negative amount would make room for others.
        if amount is None or amount.minor < 0:
            return None
        counted += amount.minor if amount.currency == own.currency else 0
    return counted
