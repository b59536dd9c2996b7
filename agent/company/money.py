"""Money of the company: integers of minor units inside, decimal strings with two places outside."""

from __future__ import annotations

from decimal import Decimal


def to_minor(text: str) -> int:
    """4900 for "49.00". The text has been checked: digits, a point, two digits."""
    return int(Decimal(text) * 100)


def to_text(minor: int) -> str:
    """The amount with two places: "49.00" for 4900."""
    return f"{Decimal(minor) / 100:.2f}"
