"""What a change of a decision does to the customer's protection."""

from enum import StrEnum


class Direction(StrEnum):
    """What a change does, the one to look at first coming first."""

    MORE_PERMISSIVE = "more permissive"
    STRICTER = "stricter"
    OTHERWISE = "routing, manner or reasons"
    EXPLAINED = "explained by other rules"
