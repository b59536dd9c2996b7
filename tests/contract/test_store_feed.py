"""The feed: what clients are told stands in it once, in order, and in the transaction of what it tells."""

from __future__ import annotations

import asyncio

import pytest

from handrail.agent.conversation import LatestTurn
from handrail.agent.feed import MessageCompleted, QuickReplies, StatusChanged
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import LeaseLost, StoreError, UnknownConversation
from handrail.guardrails.vocabulary import ConversationStatus, IdentityLevel, Priority, Role
from tests.unit.store.building import (
    ANNA,
    OPTIONS,
    SITE,
    START,
    SteppingClock,
    conversation,
    exchange,
    finished,
    opened,
)
from tests.unit.store.moving import claim, queued, release


async def told(store: SqlStore, name: str, after: int = 0) -> list[str]:
    """Everything in the feed, in words: the number and the event, or the role and the text."""
    return [
        f"{entry.seq} {entry.item.role.value}: {entry.item.text}"
        if isinstance(entry.item, MessageCompleted)
        else f"{entry.seq} {entry.item.event}"
        for entry in await store.feed(SITE, name, after, 100)
    ]


async def test_a_turn_is_told_in_order(store: SqlStore) -> None:
    """First the customer's message, at once; then all that the turn left, with the turn's id and the reply's."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hi", START)
    assert await told(store, name) == ["1 customer: Hi"]
    end = finished(received, "Hello!")
    assert end.reply_id is not None
    replies = QuickReplies(message_id=end.reply_id, replies=("Yes", "No"))
    await store.finish(end.model_copy(update={"feed": (*end.feed, replies)}))
    assert await told(store, name) == ["1 customer: Hi", "2 bot: Hello!", "3 quick_replies"]
    entries = await store.feed(SITE, name, 0, 100)
    assert entries[2].item == replies
    messages = await store.messages(SITE, name, 0, 10)
    for entry, message in zip(entries[:2], messages, strict=True):
        assert isinstance(entry.item, MessageCompleted)
        assert (entry.item.message_id, entry.item.text, entry.item.at) == (message.message_id, message.text, message.at)
        assert entry.item.turn_id == received.turn.turn_id
    assert messages[1].message_id == end.reply_id


async def test_the_feed_is_read_from_a_place_on(store: SqlStore) -> None:
    """A client resumes by number, in pages; heads name the newest of many conversations, unknown ones left out."""
    name, other, empty = [await conversation(store) for _ in range(3)]
    for number in range(3):
        await exchange(store, name, f"k{number}")
    await exchange(store, other, "k")
    assert [entry.seq for entry in await store.feed(SITE, name, 2, 3)] == [3, 4, 5]
    assert await store.feed(SITE, name, 6, 3) == ()
    assert await store.feed(SITE, name, 10**30, 3) == ()
    assert await store.feed("other-site", name, 0, 3) == ()
    assert await store.heads(SITE, [name, other, empty, "c_none", name]) == {name: 6, other: 2, empty: 0}
    assert await store.heads(SITE, []) == {}
    assert await store.heads("other-site", [name]) == {}


async def test_the_feed_says_what_is_stored(store: SqlStore) -> None:
    """Text that databases cannot hold is mended alike in the message and in the feed."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "a\x00b\ud800c", START)
    await store.finish(finished(received, "x\x00y"))
    messages = await store.messages(SITE, name, 0, 10)
    items = [entry.item for entry in await store.feed(SITE, name, 0, 10)]
    assert [item.text for item in items if isinstance(item, MessageCompleted)] == [m.text for m in messages]


async def test_a_repeated_message_is_told_once(store: SqlStore) -> None:
    """The same key again, finished or resumed, adds nothing."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    await store.abandon(received.turn)
    again = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    await store.abandon(again.turn)
    resumed = await store.resume(received.turn)
    assert resumed is not None
    await store.finish(finished(resumed))
    assert (await store.receive(SITE, name, ANNA, "k1", "Hello", START)).finished is not None
    assert await told(store, name) == ["1 customer: Hello", "2 bot: Done."]


async def test_a_turn_without_words_tells_none(store: SqlStore) -> None:
    """An operator's decision is no message, and an empty reply neither; what else happened is told."""
    name = await conversation(store)
    received = await store.begin_operator_turn(SITE, name, "approved", START)
    item = StatusChanged(status=ConversationStatus.BOT)
    await store.finish(finished(received, reply="", feed=(item,)))
    assert [entry.item for entry in await store.feed(SITE, name, 0, 10)] == [item]
    assert await store.messages(SITE, name, 0, 10) == ()


async def test_what_was_not_stored_is_not_told(store: SqlStore) -> None:
    """A turn that cannot be finished leaves its feed as it was, and so does one that lost its lease."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Refund", START)
    with pytest.raises(StoreError):
        await store.finish(finished(received, used_approval="appr_none"))
    assert await told(store, name) == ["1 customer: Refund"]
    await store.finish(finished(received, "In the end."))
    with pytest.raises(LeaseLost):
        await store.finish(finished(received, "Again."))
    assert await told(store, name) == ["1 customer: Refund", "2 bot: In the end."]


@pytest.mark.parametrize("missing", [{"reply_id": None}, {"feed": ()}, {"reply_id": "m_of_another"}])
async def test_a_reply_that_nobody_would_see_is_refused(store: SqlStore, missing: dict[str, object]) -> None:
    """What is stored as said is told, under one id; a turn that would break that is not finished."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    with pytest.raises(ValueError, match="a reply"):
        await store.finish(finished(received).model_copy(update=missing))
    assert await told(store, name) == ["1 customer: Hello"]
    assert len(await store.messages(SITE, name, 0, 10)) == 1
    await store.finish(finished(received))


async def test_numbers_have_no_gaps_when_many_write(url: str) -> None:
    """Messages, replies, ratings and moves at once, from two stores: 1, 2, 3 and so on, each once."""
    async with opened(url) as store, opened(url) as other:
        name = await conversation(store)

        async def turn(of: SqlStore, number: int) -> None:
            received = await of.receive(SITE, name, ANNA, f"k{number}", f"m{number}", START)
            await of.finish(finished(received))

        async def rate(of: SqlStore) -> None:
            await of.put_rating(SITE, name, 3, None, StatusChanged(status=ConversationStatus.BOT), ())

        await asyncio.gather(*(turn((store, other)[n % 2], n) for n in range(6)), *(rate(other) for _ in range(4)))
        entries = await store.feed(SITE, name, 0, 100)
    assert [entry.seq for entry in entries] == list(range(1, 17))
    assert sum(isinstance(entry.item, MessageCompleted) for entry in entries) == 12


# ---------------------------------------------------------------------------------------------- standings


async def test_places_in_line_move_up(store: SqlStore, clock: SteppingClock) -> None:
    """Those who wait learn their place of now, most urgent first; who does not wait is left out."""
    names = [await conversation(store) for _ in range(4)]
    for name, priority in zip(names[:3], (Priority.NORMAL, Priority.NORMAL, Priority.URGENT), strict=True):
        await queued(store, name, f"h_{name}", priority)
        clock.move(1)

    async def places() -> dict[str, int]:
        standings = await store.standings(SITE, [*names, "c_none"])
        return {name: item.position for name, item in standings.items()}

    assert await places() == {names[2]: 1, names[0]: 2, names[1]: 3}
    assert (await store.standings(SITE, names))[names[0]].team == "Billing"
    await store.move_case(SITE, names[0], claim("olga"), START)
    assert await places() == {names[2]: 1, names[1]: 2}
    # Who is queued again has waited before, and is not last.
    await store.move_case(SITE, names[0], release("olga"), START)
    assert await places() == {names[2]: 1, names[0]: 2, names[1]: 3}
    assert await store.standings("other-site", names) == {}
    assert await store.standings(SITE, []) == {}


# --------------------------------------------------------------------------------------- turns as they came


async def test_results_are_the_latest_in_the_order_of_arrival(store: SqlStore) -> None:
    """Turns of one instant keep their order, whoever caused them, and when a later one was finished first."""
    name = await conversation(store)
    first = await exchange(store, name, "k1", reply="one")
    second = await store.begin_operator_turn(SITE, name, "approved", START)
    await store.abandon(second.turn)
    await exchange(store, name, "k2", reply="three")
    again = await store.resume(second.turn)
    assert again is not None
    await store.finish(finished(again, reply="two"))
    waiting = await store.receive(SITE, name, ANNA, "k3", "Hello?", START)
    assert [result.reply for result in await store.results(SITE, name, 10)] == ["one", "two", "three"]
    assert [result.reply for result in await store.results(SITE, name, 2)] == ["two", "three"]
    assert (await store.results(SITE, name, 10))[0].turn_id == first.turn.turn_id
    assert await store.results("other-site", name, 10) == ()
    await store.abandon(waiting.turn)


async def test_turns_without_messages_keep_their_order(store: SqlStore) -> None:
    """Decisions of one instant, between which nothing was said."""
    name = await conversation(store)
    turns = []
    for _ in range(6):
        received = await store.begin_operator_turn(SITE, name, "denied", START)
        await store.finish(finished(received, reply=""))
        turns.append(received.turn.turn_id)
    assert [result.turn_id for result in await store.results(SITE, name, 10)] == turns


async def test_the_latest_turn_is_the_customers(store: SqlStore) -> None:
    """It is there as soon as the message is, answered or not; an operator's decision is none."""
    name = await conversation(store)
    assert await store.latest_turn(SITE, name) is None
    await exchange(store, name, "k1", "Hi")
    received = await store.receive(SITE, name, ANNA, "c:k2", "Thanks", START)
    expected = LatestTurn(turn_id=received.turn.turn_id, key="c:k2", text="Thanks", at=START)
    assert await store.latest_turn(SITE, name) == expected
    await store.finish(finished(received))
    await store.abandon((await store.begin_operator_turn(SITE, name, "approved", START)).turn)
    assert await store.latest_turn(SITE, name) == expected
    assert await store.latest_turn("other-site", name) is None


async def test_a_conversation_is_made_once_under_its_id(url: str, clock: SteppingClock) -> None:
    """A given id is made by one of many racing requests and found by the others; nobody else's opens with it."""
    async with opened(url, clock, OPTIONS) as store, opened(url, clock, OPTIONS) as other:

        async def ensure(of: SqlStore, customer: str | None, name: str = "c_given") -> None:
            await of.ensure_conversation(SITE, name, "openai", customer, IdentityLevel.VERIFIED, START)

        await asyncio.gather(*(ensure((store, other)[n % 2], ANNA) for n in range(8)))
        await exchange(store, "c_given", "k1", "Hi")
        await ensure(other, ANNA)
        assert (await other.snapshot(SITE, "c_given")).channel == "openai"
        assert len(await store.messages(SITE, "c_given", 0, 10)) == 2
        for stranger in ("cus_bert", None):
            with pytest.raises(UnknownConversation):
                await ensure(store, stranger)
        for name in ("", "c" * 65, "c\x00"):
            with pytest.raises(StoreError):
                await ensure(store, ANNA, name)
        await ensure(store, None, "c_visitor")
        for name, customer in (("c_given", ANNA), ("c_visitor", None)):
            await store.erase_conversation(SITE, name)
            with pytest.raises(UnknownConversation):
                await ensure(store, customer, name)


async def test_the_role_of_every_message_is_told(store: SqlStore) -> None:
    """Whose words they are is never guessed from their order."""
    name = await conversation(store)
    await exchange(store, name, "k1")
    items = [entry.item for entry in await store.feed(SITE, name, 0, 10)]
    assert [i.role for i in items if isinstance(i, MessageCompleted)] == [Role.CUSTOMER, Role.BOT]
