"""Sums of what a customer was granted by earlier calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handrail.guardrails.bundle.sections import AmountWindow
from handrail.guardrails.gate.amounts import Amount, Grant, amounts_of, reach, total
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import FactContent

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MONTH = AmountWindow(fact="call_spent", meaning="x", of="amount", tools=("refund", "credit"), within_minutes=43200)


def eur(minor: int) -> Amount:
    """An amount of euros."""
    return Amount(fact="amount", minor=minor, currency="EUR")


def grant(*amounts: Amount, tool: str = "refund", days: float = 1) -> Grant:
    """An earlier call."""
    return Grant(key="k", tool=tool, at=NOW - timedelta(days=days), amounts=amounts)


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ((), 100),
        ((grant(eur(50)), grant(eur(25), tool="credit")), 175),
        ((grant(eur(50), days=30),), 100),
        ((grant(eur(50), days=29.999),), 150),
        ((grant(eur(50), tool="another"),), 100),
        ((grant(Amount(fact="amount", minor=50, currency="USD")),), 100),
        ((grant(Amount(fact="paid", minor=50, currency="EUR"), eur(7)),), 107),
        ((grant(),), None),
        ((grant(days=31),), 100),
        ((grant(Amount(fact="paid", minor=50, currency="EUR")),), None),
        ((grant(eur(-50)),), None),
        ((grant(eur(50)), grant()), None),
    ],
)
def test_the_sum_counts_known_amounts_of_its_tools_time_and_currency(
    earlier: tuple[Grant, ...], expected: int | None
) -> None:
    """One amount that is not known makes the sum unknown."""
    assert total(MONTH, (eur(100),), earlier, NOW) == expected


@pytest.mark.parametrize("proposed", [(), (Amount(fact="paid", minor=1, currency="EUR"),), (eur(-1),)])
def test_without_the_amount_of_the_call_there_is_no_sum(proposed: tuple[Amount, ...]) -> None:
    """Whatever was granted before."""
    assert total(MONTH, proposed, (grant(eur(50)),), NOW) is None


def test_the_longest_window_says_how_far_back_to_look() -> None:
    """None when no window asks."""
    week = MONTH.model_copy(update={"within_minutes": 10080})
    assert reach((week, MONTH), NOW) == NOW - timedelta(days=30)
    assert reach((), NOW) is None


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"open_minor": 4900, "currency": "EUR"}, (Amount(fact="open_minor", minor=4900, currency="EUR"),)),
        ({"open_minor": 4900}, ()),
        ({"currency": "EUR"}, ()),
        ({"open_minor": True, "currency": "EUR"}, ()),
        ({"open_minor": "4900", "currency": "EUR"}, ()),
        ({"open_minor": 4900, "currency": ("EUR",)}, ()),
    ],
)
def test_amounts_are_what_the_tool_states_with_its_currency(
    every_type: ToolSpec, stated: dict[str, FactContent], expected: tuple[Amount, ...]
) -> None:
    """What has no currency, or is no amount, is not known."""
    assert amounts_of(every_type, stated) == expected
