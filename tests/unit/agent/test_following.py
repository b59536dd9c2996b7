"""Following conversations: nothing is missed or told twice, and those who only listen cost next to nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine, event

from handrail.agent.case import CaseMove
from handrail.agent.feed import (
    Entry,
    HandoffQueued,
    Item,
    MessageCompleted,
    MessageDelta,
    Passing,
    RatingGiven,
    StatusChanged,
    Typing,
)
from handrail.agent.following import PAGE, POLL_SECONDS, Following
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import Store, StoreError
from handrail.guardrails.vocabulary import ConversationStatus
from tests.unit.store.building import (
    ANNA,
    SITE,
    START,
    SteppingClock,
    conversation,
    exchange,
    finished,
    handed_off,
    opened,
)
from tests.unit.store.moving import ACCEPTED, claim, in_line, queued, release, reply

Told = Entry | Passing


class Ticker:
    """Lets the seconds between two polls pass when it is told to."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._pending: asyncio.Future[None] | None = None
        self._waits = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the next tick."""
        self.asked.append(seconds)
        self._pending = asyncio.get_running_loop().create_future()
        self._waits.set()
        await self._pending

    async def tick(self) -> None:
        """One poll, to its end."""
        await self._waits.wait()
        assert self._pending is not None
        self._waits.clear()
        self._pending.set_result(None)
        await self._waits.wait()


class Between:
    """A store in front of the real one, where something can be made to happen around a call."""

    def __init__(self, real: SqlStore) -> None:
        self._real = real
        self.calls: list[str] = []
        self.after: dict[str, Callable[[], Awaitable[None]]] = {}
        self._answered: Counter[str] = Counter()
        self._progress = asyncio.Event()

    async def answered(self, name: str, times: int) -> None:
        """Returns when so many calls of a method have been answered."""
        while self._answered[name] < times:
            self._progress.clear()
            await self._progress.wait()

    def __getattr__(self, name: str) -> object:
        real = getattr(self._real, name)
        if name not in {"feed", "heads", "standings"}:
            return real

        async def call(*arguments: object) -> object:
            self.calls.append(name)
            found = await real(*arguments)
            happens = self.after.pop(name, None)
            if happens is not None:
                await happens()
            self._answered[name] += 1
            self._progress.set()
            return found

        return call


@dataclass
class Scene:
    """A store, its followers, and the ticks of their poll."""

    store: SqlStore
    between: Between
    following: Following
    ticker: Ticker
    clock: SteppingClock
    url: str
    open: list[AsyncGenerator[Told, None]] = field(default_factory=list)

    def follow(self, name: str, after: int = 0) -> AsyncGenerator[Told, None]:
        """A follower, closed with the scene."""
        source = cast("AsyncGenerator[Told, None]", self.following.follow(SITE, name, after))
        self.open.append(source)
        return source

    async def mark(self, name: str, score: int = 1) -> RatingGiven:
        """Something in the feed that shows where one is."""
        item = RatingGiven(score=score)
        await self.store.put_rating(SITE, name, score, None, item, ())
        return item


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """An empty store, with nobody following."""
    url, clock, ticker = f"sqlite:///{tmp_path / 'handrail.db'}", SteppingClock(), Ticker()
    async with opened(url, clock) as store:
        between = Between(store)
        following = Following(cast(Store, between), clock, ticker.wait)
        scene = Scene(store, between, following, ticker, clock, url)
        try:
            yield scene
        finally:
            for source in scene.open:
                await source.aclose()
            following.close()


async def take(source: AsyncIterator[Told], number: int) -> list[Told]:
    """The next so many; a follower that has nothing to tell fails the test instead of stopping it."""
    async with asyncio.timeout(20):
        return [await anext(source) for _ in range(number)]


async def until(source: AsyncIterator[Told], last: Item) -> list[Told]:
    """Everything up to a stored item, without it."""
    found: list[Told] = []
    async with asyncio.timeout(20):
        async for told in source:
            if isinstance(told, Entry) and told.item == last:
                return found
            found.append(told)
    raise AssertionError("the follower ended before")


def words(told: list[Told]) -> list[str]:
    """What was told, in short."""
    found = []
    for each in told:
        item = each.item if isinstance(each, Entry) else each
        if isinstance(item, MessageCompleted):
            found.append(f"{item.role.value}: {item.text}")
        elif isinstance(item, MessageDelta):
            found.append(f"… {item.text}")
        elif isinstance(item, Typing):
            found.append("typing" if item.active else "typed")
        elif isinstance(item, HandoffQueued) and not isinstance(each, Entry):
            found.append(f"now {item.position}")
        else:
            found.append(item.event)
    return found


@asynccontextmanager
async def statements() -> AsyncIterator[list[str]]:
    """The statements that go to any database meanwhile, without the beginning of transactions."""
    found: list[str] = []

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if not statement.startswith("BEGIN"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


# ---------------------------------------------------------------------------------- stored, then live


async def test_what_is_stored_comes_whole_and_what_happens_in_pieces(scene: Scene) -> None:
    """A reload shows messages; a live answer is typed, comes sentence by sentence, and then whole, once."""
    name = await conversation(scene.store)
    await exchange(scene.store, name, "k1", "Hi", reply="Hello! How are you?")
    source = scene.follow(name)
    assert words(await take(source, 2)) == ["customer: Hi", "bot: Hello! How are you?"]
    waiting = asyncio.ensure_future(take(source, 2))
    received = await scene.store.receive(SITE, name, ANNA, "k2", "Well", START)
    assert words(await waiting) == ["customer: Well", "typing"]
    await scene.store.finish(finished(received, "Good. See you!"))
    assert words(await take(source, 4)) == ["typed", "… Good.", "…  See you!", "bot: Good. See you!"]
    assert scene.ticker.asked == [POLL_SECONDS], "nothing waited for a poll"


async def test_following_resumes_behind_what_was_told(scene: Scene) -> None:
    """By number, in pages, in order and without gaps."""
    name = await conversation(scene.store)
    for number in range(PAGE):
        await scene.mark(name, 1 + number % 5)
        await scene.mark(name, 1 + number % 5)
    last = StatusChanged(status=ConversationStatus.BOT)
    await scene.store.put_rating(SITE, name, 1, None, last, ())
    told = await until(scene.follow(name, after=3), last)
    assert [each.seq for each in told if isinstance(each, Entry)] == list(range(4, 2 * PAGE + 1))
    assert len(told) == 2 * PAGE - 3


async def test_a_persons_words_come_at_once(scene: Scene) -> None:
    """A claim and a reply are told live, in the order in which they were stored."""
    name = await conversation(scene.store)
    await queued(scene.store, name, "h1")
    source = scene.follow(name, after=4)
    waiting = asyncio.ensure_future(take(source, 4))
    await scene.store.move_case(SITE, name, claim("olga"), START)
    await scene.store.move_case(SITE, name, reply("olga", "Olga here. Hello!"), START)
    assert words(await waiting) == ["handoff.accepted", "status", "status", "operator: Olga here. Hello!"]


async def test_what_a_decision_led_to_comes_at_once(scene: Scene) -> None:
    """Nobody wrote, so nobody is seen typing; the reply is told all the same."""
    name = await conversation(scene.store)
    source = scene.follow(name)
    waiting = asyncio.ensure_future(take(source, 2))
    received = await scene.store.begin_operator_turn(SITE, name, "approved", START)
    await scene.between.answered("feed", 2)
    await scene.store.finish(finished(received, "It is done."))
    assert words(await waiting) == ["… It is done.", "bot: It is done."]
    assert scene.ticker.asked == [POLL_SECONDS], "nothing waited for a poll"


# ------------------------------------------------------------------------------------------ lost wake-ups


async def test_a_write_between_reading_and_waiting_is_not_lost(scene: Scene) -> None:
    """It is stored after the follower read that there is nothing, and before it begins to wait."""
    name = await conversation(scene.store)

    async def write() -> None:
        await exchange(scene.store, name, "k1", "Hi", reply="Hello!")

    scene.between.after["feed"] = write
    assert words(await take(scene.follow(name), 3)) == ["customer: Hi", "… Hello!", "bot: Hello!"]
    assert scene.ticker.asked == [POLL_SECONDS], "no poll was needed"


async def test_a_follower_that_is_cancelled_misses_nothing_when_it_comes_back(scene: Scene) -> None:
    """Whatever step it was at, the numbers that it was told say where to go on."""
    name = await conversation(scene.store)
    seen: list[Told] = []
    for number in range(5):
        after = max((each.seq for each in seen if isinstance(each, Entry)), default=0)
        source = scene.follow(name, after)
        waiting = asyncio.ensure_future(anext(source))
        await scene.mark(name, 1 + number % 5)
        if number % 2:
            waiting.cancel()
        seen += [each for each in await asyncio.gather(waiting, return_exceptions=True) if isinstance(each, Entry)]
        await source.aclose()
    source = scene.follow(name, max(each.seq for each in seen if isinstance(each, Entry)))
    seen += await take(source, 5 - len(seen))
    assert [each.seq for each in seen if isinstance(each, Entry)] == [1, 2, 3, 4, 5]


# ------------------------------------------------------------------------------------------------ polling


async def test_another_process_is_heard_by_the_poll(scene: Scene) -> None:
    """Within a second, and its answers come in pieces too; many who follow it all hear it."""
    name, other = await conversation(scene.store), await conversation(scene.store)
    sources = [scene.follow(name) for _ in range(3)] + [scene.follow(other)]
    waiting = [asyncio.ensure_future(take(source, 3)) for source in sources[:3]]
    idle = asyncio.ensure_future(anext(sources[3]))
    await scene.ticker.tick()
    async with opened(scene.url) as elsewhere:
        await exchange(elsewhere, name, "k1", "Hi", reply="Hello!")
    assert not any(task.done() for task in waiting)
    await scene.ticker.tick()
    for task in waiting:
        assert words(await task) == ["customer: Hi", "… Hello!", "bot: Hello!"]
    assert not idle.done()
    idle.cancel()
    await asyncio.gather(idle, return_exceptions=True)


async def test_two_hundred_who_only_listen_cost_one_query_a_second(scene: Scene) -> None:
    """All together; and what happens to one of them does not wake the others."""
    names = [await conversation(scene.store) for _ in range(200)]
    waiting = [asyncio.ensure_future(anext(scene.follow(name))) for name in names]
    await scene.between.answered("feed", 200)
    await scene.ticker.tick()
    async with statements() as found:
        for _ in range(5):
            await scene.ticker.tick()
    assert len(found) == 5
    assert set(scene.ticker.asked) == {POLL_SECONDS} == {1.0}
    reads = scene.between.calls.count("feed")
    assert reads == 200
    await scene.mark(names[7])
    assert isinstance(await waiting[7], Entry)
    assert scene.between.calls.count("feed") == reads + 1
    assert sum(task.done() for task in waiting) == 1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_who_was_told_something_is_idle_again(scene: Scene) -> None:
    """A wake-up is used up by looking: afterwards, listening costs no more than before."""
    name = await conversation(scene.store)
    source = scene.follow(name)
    for number in range(3):
        waiting = asyncio.ensure_future(anext(source))
        await scene.mark(name, 1 + number)
        await waiting
    idle = asyncio.ensure_future(anext(source))
    await scene.ticker.tick()
    reads = scene.between.calls.count("feed")
    async with statements() as found:
        for _ in range(3):
            await scene.ticker.tick()
    assert len(found) == 3
    assert scene.between.calls.count("feed") == reads
    idle.cancel()
    await asyncio.gather(idle, return_exceptions=True)


async def test_nobody_follows_nobody_polls(scene: Scene) -> None:
    """The poll ends with the last follower, however it goes, and begins again with the next."""
    name = await conversation(scene.store)
    tasks = [asyncio.ensure_future(anext(scene.follow(name))) for _ in range(2)]
    await scene.ticker.tick()
    poll = scene.following._poller
    assert poll is not None
    tasks[0].cancel()
    await asyncio.gather(tasks[0], return_exceptions=True)
    assert not poll.done()
    tasks[1].cancel()
    await asyncio.gather(tasks[1], return_exceptions=True)
    async with asyncio.timeout(20):
        await asyncio.gather(poll, return_exceptions=True)
    assert poll.cancelled()
    assert scene.following._followed == {}
    asked = len(scene.ticker.asked)
    await scene.mark(name)
    async with aclosing(scene.follow(name)) as source:
        await take(source, 1)
        assert len(scene.following._followed) == 1
        await scene.ticker._waits.wait()
    assert len(scene.ticker.asked) == asked + 1
    assert scene.following._followed == {}


@pytest.mark.parametrize("method", ["heads", "standings"])
async def test_a_poll_that_fails_is_followed_by_another(
    scene: Scene, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and nobody who follows notices more than a delay."""
    name = await conversation(scene.store)
    await queued(scene.store, name, "h1")
    source = scene.follow(name)
    await take(source, 4)
    waiting = asyncio.ensure_future(take(source, 1))

    async def fail() -> None:
        scene.between.after[method] = fail
        raise StoreError("locked")

    scene.between.after[method] = fail
    async with opened(scene.url) as elsewhere:
        await elsewhere.put_rating(SITE, name, 1, None, RatingGiven(score=1), ())
    await scene.ticker.tick()
    await scene.ticker.tick()
    assert [record.message for record in caplog.records] == ["feeds not polled"]
    scene.between.after.clear()
    await scene.ticker.tick()
    assert words(await waiting) == ["rating.given"]


async def test_a_store_that_cannot_be_read_ends_the_following(scene: Scene) -> None:
    """The client is told, and comes back; nothing stays behind."""
    name = await conversation(scene.store)

    async def fail() -> None:
        raise StoreError("locked")

    scene.between.after["feed"] = fail
    with pytest.raises(StoreError):
        await take(scene.follow(name), 1)
    assert scene.following._followed == {}


# ---------------------------------------------------------------------------------------- slow followers


async def test_a_slow_follower_holds_up_nobody_and_keeps_nothing(scene: Scene) -> None:
    """It reads from the store when it gets there, a page at a time, and misses nothing."""
    name = await conversation(scene.store)
    slow, quick = scene.follow(name), scene.follow(name)
    await scene.mark(name, 5)
    await take(slow, 1)
    for number in range(3):
        await exchange(scene.store, name, f"k{number}", reply="Yes.")
    reads = len(scene.between.calls)
    last = StatusChanged(status=ConversationStatus.BOT)
    await scene.store.put_rating(SITE, name, 1, None, last, ())
    assert words(await until(quick, last))[-2:] == ["customer: Hello", "bot: Yes."]
    assert len(scene.between.calls) == reads + 1, "the slow one has read nothing meanwhile"
    stored = [each for each in await until(slow, last) if isinstance(each, Entry)]
    assert [each.seq for each in stored] == list(range(2, 8))


async def test_a_slow_follower_hears_of_typing_only_what_still_holds(scene: Scene) -> None:
    """What came and went while it did not listen is not told."""
    name = await conversation(scene.store)
    source = scene.follow(name)
    await scene.mark(name, 5)
    await take(source, 1)
    await exchange(scene.store, name, "k1", reply="Yes.")
    assert words(await take(source, 3)) == ["customer: Hello", "… Yes.", "bot: Yes."]


# ------------------------------------------------------------------------------------------------- typing


async def test_who_comes_while_an_answer_is_written_sees_it(scene: Scene) -> None:
    """Typing is no history: it is told to whoever is there, as long as it is true."""
    name = await conversation(scene.store)
    received = await scene.store.receive(SITE, name, ANNA, "k1", "Hi", START)
    source = scene.follow(name)
    assert words(await take(source, 2)) == ["customer: Hi", "typing"]
    await scene.store.abandon(received.turn)
    assert words(await take(source, 1)) == ["typed"]
    assert words(await until(scene.follow(name), await scene.mark(name))) == ["customer: Hi"]


async def test_an_answer_that_cannot_be_stored_is_no_longer_typed(scene: Scene) -> None:
    """Whatever becomes of the turn, nobody waits for dots."""
    name = await conversation(scene.store)
    received = await scene.store.receive(SITE, name, ANNA, "k1", "Hi", START)
    source = scene.follow(name)
    await take(source, 2)
    with pytest.raises(StoreError):
        await scene.store.finish(finished(received, used_approval="appr_none"))
    assert words(await take(source, 1)) == ["typed"]


async def test_nobody_types_while_a_person_has_the_conversation(scene: Scene) -> None:
    """The machine is silent then, and does not pretend to write; nor when the customer has refused it."""
    for refused in (False, True):
        name = await conversation(scene.store)
        if refused:
            await scene.store.put_consent(SITE, name, "ai_assistance", False, (), START)
            status = ConversationStatus.BOT
        else:
            await scene.store.move_case(SITE, name, claim("olga"), START)
            status = ACCEPTED
        source = scene.follow(name)
        waiting = asyncio.ensure_future(until(source, RatingGiven(score=1)))
        received = await scene.store.receive(SITE, name, ANNA, "k1", "Hi", START)
        await scene.store.finish(finished(received, reply="", status=status))
        await scene.mark(name)
        told = words(await waiting)
        assert told[-1] == "customer: Hi"
        assert "typing" not in told


# ---------------------------------------------------------------------------------------- places in line


async def waits(scene: Scene, name: str) -> AsyncGenerator[Told, None]:
    """A follower of a conversation in the queue, who was told all that is stored."""
    source = scene.follow(name)
    await take(source, 4)
    return source


async def test_those_who_wait_see_themselves_move_up(scene: Scene) -> None:
    """At the next poll, when the place has changed, and not again."""
    names = [await conversation(scene.store) for _ in range(3)]
    for name in names:
        await queued(scene.store, name, f"h_{name}")
        scene.clock.move(1)
    source = await waits(scene, names[2])
    await scene.ticker.tick()
    # What was stored said 1, because the tests write it so; the first poll puts that right.
    assert words(await take(source, 1)) == ["now 3"]
    await scene.ticker.tick()
    await scene.store.move_case(SITE, names[0], claim("olga"), START)
    await scene.ticker.tick()
    await scene.ticker.tick()
    assert words(await take(source, 1)) == ["now 2"]
    await scene.store.move_case(SITE, names[1], claim("olga"), START)
    await scene.ticker.tick()
    assert words(await take(source, 1)) == ["now 1"]
    last = await scene.mark(names[2], 5)
    assert await until(source, last) == []


async def test_who_does_not_wait_is_not_asked_for(scene: Scene) -> None:
    """Places cost a question only while somebody who follows is in the queue."""
    name, other = await conversation(scene.store), await conversation(scene.store)
    await queued(scene.store, name, "h1")
    source = await waits(scene, name)
    waiting = asyncio.ensure_future(until(source, RatingGiven(score=5)))
    idle = asyncio.ensure_future(anext(scene.follow(other)))
    for _ in range(3):
        await scene.ticker.tick()
    assert scene.between.calls.count("standings") == 3
    await scene.store.move_case(SITE, name, claim("olga"), START)
    await scene.mark(name, 5)
    assert words(await waiting) == ["handoff.accepted", "status"]
    asked = scene.between.calls.count("standings")
    for _ in range(3):
        await scene.ticker.tick()
    assert scene.between.calls.count("standings") <= asked + 1
    idle.cancel()
    await asyncio.gather(idle, return_exceptions=True)


async def test_a_place_is_not_told_after_a_person_came(scene: Scene) -> None:
    """An answer about the line that is older than what the customer was told meanwhile does not count."""
    names = [await conversation(scene.store) for _ in range(2)]
    for name in names:
        await queued(scene.store, name, f"h_{name}")
        scene.clock.move(1)
    source = await waits(scene, names[1])
    told: list[Told] = []
    accepted = asyncio.Event()

    async def listen() -> None:
        async for each in source:
            told.append(each)
            if isinstance(each, Entry) and each.item == StatusChanged(status=ACCEPTED):
                accepted.set()
            if isinstance(each, Entry) and each.item == RatingGiven(score=5):
                return

    listening = asyncio.ensure_future(listen())

    async def come() -> None:
        await scene.store.move_case(SITE, names[1], claim("olga"), START)
        await accepted.wait()

    scene.between.after["standings"] = come
    await scene.ticker.tick()
    await scene.ticker.tick()
    await scene.mark(names[1], 5)
    async with asyncio.timeout(20):
        await listening
    assert words(told) == ["handoff.accepted", "status", "rating.given"]


async def test_who_is_queued_again_is_told_the_place_again(scene: Scene) -> None:
    """A person gives the conversation back: the line counts again."""
    name, first = await conversation(scene.store), await conversation(scene.store)
    await queued(scene.store, first, "h_first")
    scene.clock.move(1)
    await queued(scene.store, name, "h_second")
    source = await waits(scene, name)
    await scene.ticker.tick()
    assert words(await take(source, 1)) == ["now 2"]

    async def move(made: CaseMove) -> None:
        await scene.store.move_case(SITE, name, made, START)

    await move(claim("olga"))
    await move(release("olga"))
    assert words(await take(source, 4)) == ["handoff.accepted", "status", "handoff.ended", "status"]
    waiting = asyncio.ensure_future(until(source, RatingGiven(score=5)))
    await scene.store.move_case(SITE, first, claim("otto"), START)
    await scene.ticker.tick()
    await scene.mark(name, 5)
    assert words(await waiting) == ["now 1"]


async def test_a_team_whose_hour_has_come_is_there(scene: Scene) -> None:
    """The opening hour that was told once is not repeated when it has passed."""
    name = await conversation(scene.store)
    received = await scene.store.receive(SITE, name, ANNA, "k1", "A person!", START)
    opening = in_line(7).model_copy(update={"opens_at": START + timedelta(minutes=5)})
    end = finished(received, status=ConversationStatus.QUEUED, handoff=handed_off("h1"), feed=(opening,))
    await scene.store.finish(end)
    source = scene.follow(name)
    await take(source, 3)
    await scene.ticker.tick()
    (early,) = await take(source, 1)
    assert early == opening.model_copy(update={"position": 1})
    scene.clock.move(300)
    await scene.ticker.tick()
    assert await take(scene.follow(name, after=3), 1) == [opening.model_copy(update={"position": 1, "opens_at": None})]


# -------------------------------------------------------------------------------------------------- ends


async def test_an_erased_conversation_ends(scene: Scene) -> None:
    """At the next poll, and so does one that never was."""
    name = await conversation(scene.store)
    await exchange(scene.store, name, "k1")
    source, none = scene.follow(name), scene.follow("c_none")
    await take(source, 2)
    ends = [asyncio.ensure_future(anext(each, None)) for each in (source, none)]
    await scene.ticker.tick()
    async with asyncio.timeout(20):
        assert await ends[1] is None
    assert not ends[0].done()
    await scene.store.erase_conversation(SITE, name)
    # The poll ends with its last follower: there is no other tick to wait for.
    ticking = asyncio.ensure_future(scene.ticker.tick())
    async with asyncio.timeout(20):
        assert await ends[0] is None
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    assert scene.following._followed == {}


async def test_closing_ends_everybody(scene: Scene) -> None:
    """At once, in the middle of waiting, and the poll with them."""
    names = [await conversation(scene.store) for _ in range(3)]
    ends = [asyncio.ensure_future(anext(scene.follow(name), None)) for name in names]
    await scene.ticker.tick()
    scene.following.close()
    async with asyncio.timeout(20):
        assert await asyncio.gather(*ends) == [None] * 3
    assert scene.following._followed == {}
    await scene.mark(names[0])
    assert await anext(scene.follow(names[0]), None) is None
    scene.following.close()
