"""Attempts at an endpoint: which failures may pass, how long to wait, and when it is too late for another one."""

from __future__ import annotations

import math
import time

from tenacity import RetryCallState
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from handrail.agent.models.wire import Unusable

FIRST_WAIT = 0.25
"""Seconds before the second attempt, doubled for each later one, unless the endpoint says how long to wait."""


class StopBefore(stop_base):
    """Stops when the pause before the next attempt would go beyond the deadline, a time of the monotonic clock."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Whether it is too late."""
        return time.monotonic() + retry_state.upcoming_sleep >= self._deadline


class Wait(wait_base):
    """What the endpoint asks for, else twice as long each time."""

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds to wait."""
        error = retry_state.outcome.exception() if retry_state.outcome is not None else None
        asked = _retry_after(error)
        if asked is not None:
            return asked
        return float(FIRST_WAIT * 2 ** (retry_state.attempt_number - 1))


def may_pass(error: BaseException) -> bool:
    """Whether another attempt makes sense."""
    from openai import APIConnectionError, InternalServerError, RateLimitError

    if isinstance(error, Unusable | RateLimitError | InternalServerError | APIConnectionError):
        return True
    # A connection that breaks while the answer is read comes from the HTTP library, whose name depends on the version.
    return type(error).__module__.startswith(("httpx", "httpcore")) or isinstance(error, OSError)


def _retry_after(error: BaseException | None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, section 10.2.3); its date form is not used by model endpoints."""
    from openai import APIStatusError

    if not isinstance(error, APIStatusError):
        return None
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
