"""Opening hours and due times, in the queue's own time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from handrail.agent.hours import due, is_open, next_opening
from handrail.guardrails.bundle.sections import Hours

OFFICE = Hours(time_zone="Europe/Berlin", days=(1, 2, 3, 4, 5), opens="08:00", closes="18:00")
ALWAYS = Hours(time_zone="UTC", days=(1, 2, 3, 4, 5, 6, 7), opens="00:00", closes="24:00")
EARLY = Hours(time_zone="Europe/Berlin", days=(1, 2, 3, 4, 5, 6, 7), opens="01:00", closes="04:00")


def at(*when: int) -> datetime:
    """An instant in UTC."""
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("now", "open_now"),
    [
        (at(2026, 3, 27, 7, 0), True),
        (at(2026, 3, 27, 6, 59), False),
        (at(2026, 3, 27, 16, 59), True),
        (at(2026, 3, 27, 17, 0), False),
        (at(2026, 3, 28, 10, 0), False),
        (at(2026, 3, 30, 6, 0), True),
        (at(2026, 3, 30, 5, 59), False),
    ],
)
def test_opening_follows_local_time(now: datetime, open_now: bool) -> None:
    """Eight o'clock in Berlin is seven UTC on the Friday before the clocks change, and six on the Monday after."""
    assert is_open(OFFICE, now) is open_now


def test_the_next_opening_skips_the_closed_days_and_the_change_of_clocks() -> None:
    """From Friday evening it is Monday morning, in summer time by then."""
    opening = next_opening(OFFICE, at(2026, 3, 27, 18, 0))
    assert opening is not None
    assert opening.astimezone(UTC) == at(2026, 3, 30, 6, 0)


def test_a_queue_without_days_never_opens() -> None:
    """Two weeks are looked at, then nobody is promised anything."""
    with pytest.raises(ValueError, match="days"):
        Hours(time_zone="UTC", days=(), opens="08:00", closes="09:00")


def test_closed_hours_do_not_count_towards_the_due_time() -> None:
    """Two hours from 17:00 on a Friday end on Monday at 09:00."""
    found = due(OFFICE, datetime(2026, 3, 27, 17, 0, tzinfo=ZoneInfo("Europe/Berlin")), 120)
    assert found.astimezone(ZoneInfo("Europe/Berlin")).isoformat() == "2026-03-30T09:00:00+02:00"


def test_minutes_are_real_minutes_on_the_night_of_the_change() -> None:
    """Between 01:30 and 03:30 local time in spring lies one hour, not two."""
    start = datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    found = due(EARLY, start.astimezone(UTC), 60)
    assert found.astimezone(UTC) - start.astimezone(UTC) == timedelta(minutes=60)


def test_a_queue_that_never_closes_counts_every_minute() -> None:
    """Days of minutes are days."""
    now = at(2026, 3, 27, 22, 0)
    assert due(ALWAYS, now, 3 * 24 * 60) == now + timedelta(days=3)
