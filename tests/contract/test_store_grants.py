"""What customers were granted, and that no two calls of one customer overtake each other, in both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from handrail.agent.conversation import Granted, JournalEntry, JournalState, Received
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import GrantsMoved
from handrail.guardrails.gate.amounts import Amount
from tests.unit.store.building import ANNA, CALL, SITE, START, conversation, journalled, opened

TOOLS = (CALL.tool,)
AMOUNT = Amount(fact="amount_minor", minor=4050, currency="EUR")


def write(received: Received, key: str) -> JournalEntry:
    """A write call of 40.50 EUR that is about to run."""
    return journalled(received.turn, key=key).model_copy(update={"amounts": (AMOUNT,)})


async def begun(store: SqlStore, customer: str = ANNA) -> Received:
    """A turn of a conversation of its own."""
    return await store.receive(SITE, await conversation(store, customer), customer, "k1", "Refund", START)


async def seen(store: SqlStore, but: str, customer: str = ANNA) -> Granted:
    """What a decision sees now."""
    return await store.granted(SITE, customer, TOOLS, START - timedelta(days=30), but)


async def test_what_runs_or_may_have_run_is_granted(store: SqlStore) -> None:
    """In whatever conversation of the customer, with its amounts; what failed, other tools and the call itself not."""
    for state in (JournalState.SUCCEEDED, JournalState.UNKNOWN, JournalState.FAILED, None):
        received = await begun(store)
        entry = write(received, f"w-{state}")
        await store.intend(received.turn, entry, [])
        if state is not None:
            await store.conclude(received.turn, entry.model_copy(update={"state": state}), [])
    other = await begun(store, "somebody-else")
    await store.intend(other.turn, write(other, "w-other"), [])
    found = await seen(store, "w-new")
    assert [grant.key for grant in found.grants] == ["w-None", "w-succeeded", "w-unknown"]
    assert {grant.amount("amount_minor") for grant in found.grants} == {AMOUNT}
    assert [grant.key for grant in (await seen(store, "w-None")).grants] == ["w-succeeded", "w-unknown"]
    assert (await store.granted(SITE, ANNA, ("another_tool",), START, "x")).grants == ()
    assert (await store.granted(SITE, ANNA, TOOLS, START + timedelta(seconds=1), "x")).grants == ()
    assert (await store.granted("other-site", ANNA, TOOLS, START, "x")).grants == ()


async def test_amounts_come_back_with_the_journal_of_a_turn(store: SqlStore) -> None:
    """A turn that is resumed has them."""
    received = await begun(store)
    await store.intend(received.turn, write(received, "w-1"), [])
    await store.abandon(received.turn)
    again = await store.resume(received.turn)
    assert again is not None
    assert again.journal[0].amounts == (AMOUNT,)


async def test_a_decision_on_old_sums_journals_nothing(store: SqlStore) -> None:
    """Decided again on what is true now, it is journalled."""
    one, two = await begun(store), await begun(store)
    before = await seen(store, "w-2")
    await store.intend(one.turn, write(one, "w-1"), [], await seen(store, "w-1"))
    with pytest.raises(GrantsMoved, match="decide the call again"):
        await store.intend(two.turn, write(two, "w-2"), [], before)
    assert [grant.key for grant in (await seen(store, "x")).grants] == ["w-1"]
    await store.intend(two.turn, write(two, "w-2"), [], await seen(store, "w-2"))
    assert len((await seen(store, "x")).grants) == 2


async def test_an_outcome_moves_no_sum(store: SqlStore) -> None:
    """A call that was under way, and has succeeded since, was counted before."""
    one, two = await begun(store), await begun(store)
    entry = write(one, "w-1")
    await store.intend(one.turn, entry, [])
    before = await seen(store, "w-2")
    await store.conclude(one.turn, entry.model_copy(update={"state": JournalState.SUCCEEDED}), [])
    await store.intend(two.turn, write(two, "w-2"), [], before)
    assert len((await seen(store, "x")).grants) == 2


async def test_of_many_at_once_from_two_workers_one_begins(store: SqlStore, url: str) -> None:
    """All decided on the same sums: exactly one is journalled, whichever process and conversation it is of."""
    async with opened(url) as other:
        turns = [(worker, await begun(worker)) for worker in (store, other) * 4]
        decided = [await seen(worker, f"w-{number}") for number, (worker, _) in enumerate(turns)]
        outcomes = await asyncio.gather(
            *(
                worker.intend(received.turn, write(received, f"w-{number}"), [], decided[number])
                for number, (worker, received) in enumerate(turns)
            ),
            return_exceptions=True,
        )
    assert sorted(isinstance(one, GrantsMoved) for one in outcomes) == [False, *[True] * 7]
    assert len((await seen(store, "x")).grants) == 1


async def test_customers_do_not_wait_for_each_other(store: SqlStore) -> None:
    """What somebody else was granted moves nothing."""
    one, two = await begun(store), await begun(store, "somebody-else")
    mine, theirs = await seen(store, "w-1"), await seen(store, "w-2", "somebody-else")
    await store.intend(one.turn, write(one, "w-1"), [], mine)
    await store.intend(two.turn, write(two, "w-2"), [], theirs)
