"""Opening hours of queues, in each queue's own time zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from handrail.guardrails.bundle.sections import Hours

DAYS_AHEAD = 14


def is_open(hours: Hours, now: datetime) -> bool:
    """Whether the queue is open at `now`."""
    local = now.astimezone(ZoneInfo(hours.time_zone))
    return (
        local.isoweekday() in hours.days
        and _at(hours.opens) <= local.time()
        and (hours.closes == "24:00" or local.time() < _at(hours.closes))
    )


def next_opening(hours: Hours, now: datetime) -> datetime | None:
    """When the queue opens next, in its own time zone; None when it does not within two weeks."""
    local = now.astimezone(ZoneInfo(hours.time_zone))
    for ahead in range(DAYS_AHEAD + 1):
        day = (local + timedelta(days=ahead)).date()
        opening = datetime.combine(day, _at(hours.opens), ZoneInfo(hours.time_zone))
        if opening > local and day.isoweekday() in hours.days:
            return opening
    return None


def due(hours: Hours, now: datetime, minutes: int) -> datetime:
    """`minutes` of opening time after `now`, in UTC-comparable form; closed hours do not count."""
    left = timedelta(minutes=minutes)
    at = now if is_open(hours, now) else next_opening(hours, now) or now
    for _ in range(DAYS_AHEAD):
        closing = _closing(hours, at)
        if closing is None or at + left <= closing:
            return at + left
        left -= closing - at
        at = next_opening(hours, closing) or closing
    return at + left


def _closing(hours: Hours, at: datetime) -> datetime | None:
    """The next closing after `at`; None when the queue never closes."""
    if len(hours.days) == 7 and hours.opens == "00:00" and hours.closes == "24:00":
        return None
    local = at.astimezone(ZoneInfo(hours.time_zone))
    if hours.closes == "24:00":
        return datetime.combine(local.date() + timedelta(days=1), time(), ZoneInfo(hours.time_zone))
    return datetime.combine(local.date(), _at(hours.closes), ZoneInfo(hours.time_zone))


def _at(clock: str) -> time:
    return time.fromisoformat(clock)
