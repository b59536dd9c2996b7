"""What the plans cost and with how many seats they are sold (the company's own price list)."""

from __future__ import annotations

RANK = {"trial": 0, "team": 1, "business": 2, "enterprise": 3}
"""Plans from the smallest to the largest."""

SEATS = {"team": range(3, 51), "business": range(5, 501)}
"""Seats with which a plan is sold; enterprise is sold by order form."""

_PER_SEAT_MINOR = {
    ("team", "monthly"): {"EUR": 1200, "USD": 1300},
    ("team", "annual"): {"EUR": 12000, "USD": 13200},
    ("business", "monthly"): {"EUR": 2200, "USD": 2400},
    ("business", "annual"): {"EUR": 21600, "USD": 24000},
}


def price_minor(plan: str, cycle: str, currency: str, seats: int) -> int | None:
    """Price of one billing period in minor units, without tax; None for what is sold by order form only."""
    per_seat = _PER_SEAT_MINOR.get((plan, cycle), {}).get(currency)
    return None if per_seat is None else per_seat * seats
