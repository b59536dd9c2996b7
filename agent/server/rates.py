"""How often callers may ask: sliding windows in the memory of this process, so the limits are per process."""

from __future__ import annotations

import time
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from math import ceil

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from handrail.agent.server.faults import Fault
from handrail.agent.settings import Settings

SIGN_INS = RateLimitItemPerMinute(20, 5)
"""Attempts to sign in under one operator's name."""

SIGN_INS_OF_ADDRESS = RateLimitItemPerMinute(60, 5)

_PREFIX = 64
"""Bits of an IPv6 address that its user does not choose."""


class Rates:
    """Counts what callers do, and refuses what is too much. The button for a person is never counted."""

    def __init__(self, settings: Settings) -> None:
        # Two counters a caller, dropped when they are over: what an attacker can make us keep is small.
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._openings = RateLimitItemPerMinute(settings.openings_per_minute)
        self._messages = RateLimitItemPerMinute(settings.messages_per_minute)
        self._of_caller = RateLimitItemPerMinute(settings.caller_messages_per_minute)

    def opening(self, address: str) -> None:
        """A conversation is opened. Raises Fault (429)."""
        self._count(self._openings, "open", address)

    def message(self, conversation_id: str, customer_id: str | None, address: str) -> None:
        """A customer, or a visitor of this address, adds to a conversation. Raises Fault (429)."""
        caller = ("visitor", address) if customer_id is None else ("customer", customer_id)
        # Counted with the caller: nobody can use up the limit of another's conversation by naming its id.
        self._count(self._messages, "say-in", conversation_id, *caller)
        self._count(self._of_caller, "say-by", *caller)

    def sign_in(self, name: str, address: str) -> None:
        """Somebody tries to sign in as this operator. Raises Fault (429)."""
        self._count(SIGN_INS_OF_ADDRESS, "sign-in-from", address)
        self._count(SIGN_INS, "sign-in", name)

    def _count(self, allowed: RateLimitItem, *what: str) -> None:
        if self._limiter.hit(allowed, *what):
            return
        again = self._limiter.get_window_stats(allowed, *what).reset_time - time.time()
        raise _too_many(allowed, max(1, ceil(again)))


def _too_many(allowed: RateLimitItem, seconds: int) -> Fault:
    return Fault(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate_limited",
        f"That was more often than {allowed.amount} times in {allowed.get_expiry()} seconds.",
        "Repeat the request after the seconds in Retry-After. A person can be asked for at any time.",
        seconds,
    )


def counted_address(host: str | None) -> str:
    """What callers are counted by: the address, of IPv6 the network that one user has; all unknown ones together."""
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> (128 - _PREFIX):x}/{_PREFIX}"
