"""Codes that raise the identity level."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from handrail.agent.company.database import CompanyDatabase
from handrail.agent.company.outbox import Outbox
from handrail.agent.company.step_up import PER_HOUR, CompanyStepUp
from handrail.agent.company.tables import step_up_codes
from handrail.agent.ports import StepUp, ToolRefused
from tests.unit.company.conftest import MovableClock

KEYS = (f"check-{number}" for number in itertools.count())
"""A new key for each try."""


def wrong(code: str) -> str:
    """Another code than this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


async def started(step_up: CompanyStepUp, outbox: Outbox, key: str = "key-1") -> str:
    """Send a code and return it."""
    await step_up.start("dana", key)
    code = await outbox.latest_code("dana")
    assert code is not None
    assert len(code) == 6
    assert code.isdigit()
    return code


async def test_the_right_code_counts_once(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """The code from the outbox verifies, blanks or not, and is then used up."""
    port: StepUp = step_up
    code = await started(step_up, outbox)
    assert await port.check("dana", f" {code[:3]} {code[3:]} ", next(KEYS))
    assert not await port.check("dana", code, next(KEYS))


async def test_start_says_only_the_masked_address(step_up: CompanyStepUp) -> None:
    """The reply may be shown in the chat."""
    assert await step_up.start("dana", "key-1") == "d•••@cedarrow.example"


async def test_a_repeated_start_sends_nothing_new(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """The same key, even at once from two workers, is one code."""
    code = await started(step_up, outbox)
    await asyncio.gather(*(step_up.start("dana", "key-1") for _ in range(4)))
    assert await outbox.latest_code("dana") == code
    assert await step_up.check("dana", code, next(KEYS))


async def test_a_new_code_makes_the_former_void(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """Only the newest code works."""
    first = await started(step_up, outbox)
    second = await started(step_up, outbox, "key-2")
    if first != second:
        assert not await step_up.check("dana", first, next(KEYS))
    assert await step_up.check("dana", second, next(KEYS))


async def test_three_wrong_codes_use_it_up(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """After three attempts the right code does not help any more."""
    code = await started(step_up, outbox)
    for written in (wrong(code), "", "½½½½½½"):
        assert not await step_up.check("dana", written, next(KEYS))
    assert not await step_up.check("dana", code, next(KEYS))


async def test_guesses_at_once_are_counted_one_by_one(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """Ten wrong codes in parallel leave no attempt."""
    code = await started(step_up, outbox)
    await asyncio.gather(*(step_up.check("dana", wrong(code), next(KEYS)) for _ in range(10)))
    assert not await step_up.check("dana", code, next(KEYS))


async def test_a_repeated_check_is_one_try(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """Whoever died before storing the answer asks again, and gets it; wrong or right, it was one attempt."""
    code = await started(step_up, outbox)
    for _ in range(4):
        assert not await step_up.check("dana", wrong(code), "first")
    assert await step_up.check("dana", code, "second")
    assert await step_up.check("dana", code, "second")
    assert not await step_up.check("dana", wrong(code), "second")
    assert not await step_up.check("tomas", code, "second")
    assert not await step_up.check("dana", code, "third")


async def test_a_code_expires(step_up: CompanyStepUp, outbox: Outbox, clock: MovableClock) -> None:
    """Ten minutes are the end; a second earlier is in time."""
    code = await started(step_up, outbox)
    clock.move(timedelta(minutes=10))
    assert not await step_up.check("dana", code, next(KEYS))
    later = await started(step_up, outbox, "key-2")
    clock.move(timedelta(minutes=9, seconds=59))
    assert await step_up.check("dana", later, next(KEYS))


async def test_a_code_is_for_its_customer(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """Somebody else's code and somebody else's key do nothing."""
    code = await started(step_up, outbox)
    assert not await step_up.check("tomas", code, next(KEYS))
    with pytest.raises(ToolRefused, match="another customer"):
        await step_up.start("tomas", "key-1")


async def test_unknown_customers_get_no_code(step_up: CompanyStepUp, outbox: Outbox) -> None:
    """There is no address to send it to."""
    with pytest.raises(ToolRefused, match="unknown"):
        await step_up.start("nobody", "key-1")
    assert await outbox.latest_code("nobody") is None
    assert not await step_up.check("nobody", "000000", next(KEYS))


async def test_codes_are_limited_per_hour(step_up: CompanyStepUp, clock: MovableClock) -> None:
    """Asking for code after code does not buy more guesses; an hour later it works again."""
    for number in range(PER_HOUR):
        await step_up.start("dana", f"key-{number}")
    with pytest.raises(ToolRefused, match="too many"):
        await step_up.start("dana", "key-more")
    clock.move(timedelta(hours=1))
    assert await step_up.start("dana", "key-more")


async def test_only_a_hash_is_kept(step_up: CompanyStepUp, outbox: Outbox, database: CompanyDatabase) -> None:
    """The table of codes does not hold the code."""
    code = await started(step_up, outbox)

    def stored(connection: Connection) -> str:
        return str(connection.execute(select(step_up_codes)).one())

    assert code not in await database.read(stored)
