"""Replies that leave in pieces: what has left is stored, stays, and is the beginning of the whole."""

from __future__ import annotations

import pytest

from handrail.agent.bell import Ring
from handrail.agent.conversation import EventKind
from handrail.agent.feed import MessageCompleted, MessageDelta
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import ConversationBusy, LeaseLost
from handrail.guardrails.vocabulary import ConversationStatus, Turn
from tests.unit.store.building import (
    ANNA,
    OPTIONS,
    SITE,
    START,
    SteppingClock,
    conversation,
    event,
    exchange,
    finished,
    opened,
)
from tests.unit.store.moving import claim, reply


def piece(turn: Turn, text: str) -> MessageDelta:
    """A piece of the turn's reply."""
    return MessageDelta(message_id=f"m_of_{turn.turn_id}", text=text, turn_id=turn.turn_id)


async def let_out(store: SqlStore, turn: Turn, *texts: str) -> None:
    """Let pieces of the reply out."""
    for text in texts:
        await store.release(turn, piece(turn, text), [event(turn.turn_id, EventKind.RELEASE, text=text)])


async def words(store: SqlStore, name: str) -> list[str]:
    """The number of each item of the feed, and its text."""
    entries = await store.feed(SITE, name, 0, 100)
    return [f"{e.seq} {e.item.text}" for e in entries if isinstance(e.item, MessageDelta | MessageCompleted)]


async def test_pieces_are_numbered_and_the_whole_takes_their_place(store: SqlStore) -> None:
    """A client that has read some goes on by number, and gets the whole; numbers are never used again."""
    name = await conversation(store)
    turn = (received := await store.receive(SITE, name, ANNA, "k1", "Hi", START)).turn
    rung: list[Ring] = []
    store.bell.listen(rung.append)
    await let_out(store, turn, "One.", " Two.")
    assert len(rung) == 2
    assert await words(store, name) == ["1 Hi", "2 One.", "3  Two."]
    assert await store.heads(SITE, [name]) == {name: 3}
    assert [message.text for message in await store.messages(SITE, name, 0, 10)] == ["Hi"]
    await store.finish(finished(received, "One. Two. Three."))
    assert await words(store, name) == ["1 Hi", "4 One. Two. Three."]
    assert [entry.seq for entry in await store.feed(SITE, name, 2, 10)] == [4]
    await exchange(store, name, "k2", "And?", "Yes.")
    assert (await words(store, name))[2:] == ["5 And?", "6 Yes."]


@pytest.mark.parametrize("text", ["Another.", "One", "", "One. two."])
async def test_what_has_left_is_not_taken_back(store: SqlStore, text: str) -> None:
    """A reply that does not begin with it is refused, and nothing of its turn is stored."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hi", START)
    await let_out(store, received.turn, "One.", " Two.")
    with pytest.raises(ValueError, match="begin with what has left"):
        await store.finish(finished(received, text))
    assert len(await words(store, name)) == 3
    await store.finish(finished(received, "One. Two."))


async def test_an_interrupted_turn_is_given_what_has_left(store: SqlStore) -> None:
    """Whoever resumes it, and whoever sends the message again; it is only the turn's own."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hi", START)
    assert received.released == ""
    await let_out(store, received.turn, "One.", " \ud800\x00Two.")
    await store.abandon(received.turn)
    other = await store.receive(SITE, name, ANNA, "k2", "Hello?", START)
    assert other.released == ""
    await store.finish(finished(other, "Here."))
    again = await store.resume(received.turn)
    assert again is not None
    assert again.released.startswith("One. ")
    with pytest.raises(ValueError, match="begin with what has left"):
        await store.finish(finished(again, "Something else."))
    await store.abandon(received.turn)
    third = await store.receive(SITE, name, ANNA, "k1", "Hi", START)
    assert third.released == again.released
    await store.finish(finished(third, f"{third.released} Three."))
    assert [text.partition(" ")[2] for text in await words(store, name)][-1].endswith("Two. Three.")


async def test_only_who_holds_the_turn_lets_anything_out(url: str, clock: SteppingClock) -> None:
    """A worker that lost it stores nothing more, and is told that it may not write."""
    async with opened(url, clock, OPTIONS) as store, opened(url, clock, OPTIONS) as other:
        name = await conversation(store)
        received = await store.receive(SITE, name, ANNA, "k1", "Hi", START)
        assert await store.may_write(received.turn)
        assert not await other.may_write(received.turn)
        with pytest.raises(LeaseLost):
            await let_out(other, received.turn, "One.")
        await store.erase_conversation(SITE, name)
        assert not await store.may_write(received.turn)
        with pytest.raises(LeaseLost):
            await let_out(store, received.turn, "One.")


async def test_a_person_calls_off_what_is_written(url: str, clock: SteppingClock) -> None:
    """From any process; the claim waits for the turn, which ends as it stands. The next turn may write again."""
    async with opened(url, clock, OPTIONS) as store, opened(url, clock, OPTIONS) as other:
        name = await conversation(store)
        received = await store.receive(SITE, name, ANNA, "k1", "Hi", START)
        await let_out(store, received.turn, "One.")
        with pytest.raises(ConversationBusy):
            await other.move_case(SITE, name, claim("olga"), START)
        assert not await store.may_write(received.turn)
        await store.finish(finished(received, "One."))
        case = await other.move_case(SITE, name, claim("olga"), START)
        assert case.status is ConversationStatus.ACCEPTED
        assert [message.text for message in case.messages] == ["Hi", "One."]
        later = await store.receive(SITE, name, ANNA, "k2", "And?", START)
        assert await store.may_write(later.turn)
        await store.abandon(later.turn)


async def test_who_cannot_take_it_calls_nothing_off(store: SqlStore) -> None:
    """A move that is no claim, or would be refused."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hi", START)
    with pytest.raises(ConversationBusy):
        await store.move_case(SITE, name, reply("olga", "Hello."), START)
    assert await store.may_write(received.turn)
