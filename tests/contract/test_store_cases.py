"""Who speaks with the customer: one person at a time, never beside a running turn, and nothing said is lost."""

from __future__ import annotations

import asyncio

import pytest

from handrail.agent.case import CaseMove, CaseQuery
from handrail.agent.feed import MessageCompleted
from handrail.agent.store.sqlstore import SqlStore, StoreOptions
from handrail.agent.store_port import (
    CaseTaken,
    ConversationBusy,
    KeyReused,
    LeaseLost,
    NotHolder,
    StoreError,
    UnknownConversation,
    WrongStatus,
)
from handrail.guardrails.vocabulary import ConversationStatus, Priority, Role
from tests.unit.store.building import (
    ANNA,
    OPTIONS,
    SITE,
    START,
    SteppingClock,
    asked,
    conversation,
    exchange,
    finished,
    handed_off,
    opened,
    whole,
)
from tests.unit.store.moving import ACCEPTED, HUMAN, QUEUED, claim, queued, release, reply, resolve

BOT, RETURNED, RESOLVED = ConversationStatus.BOT, ConversationStatus.RETURNED_TO_BOT, ConversationStatus.RESOLVED


async def move(store: SqlStore, name: str, *moves: CaseMove) -> None:
    """Moves, one after the other."""
    for each in moves:
        await store.move_case(SITE, name, each, START)


async def events(store: SqlStore, name: str, after: int = 0) -> list[str]:
    """The feed in words."""
    return [
        f"{entry.item.role.value}: {entry.item.text}" if isinstance(entry.item, MessageCompleted) else entry.item.event
        for entry in await store.feed(SITE, name, after, 100)
    ]


# ------------------------------------------------------------------------------------------------- moves


async def test_a_case_from_the_queue_to_its_end(store: SqlStore, url: str) -> None:
    """Claimed, answered, resolved: status, holder, thread, feed and log go together."""
    name = await conversation(store)
    await queued(store, name, "h1")
    case = await store.move_case(SITE, name, claim("olga"), START)
    assert (case.status, case.holder) == (ACCEPTED, "olga")
    assert case.packet == handed_off("h1")
    assert await store.handoffs(SITE) == ()
    case = await store.move_case(SITE, name, reply("olga", "Olga here."), START)
    assert (case.status, case.holder) == (HUMAN, "olga")
    assert [(m.role, m.text) for m in case.messages][-1] == (Role.OPERATOR, "Olga here.")
    case = await store.move_case(SITE, name, resolve("olga"), START)
    assert (case.status, case.holder) == (RESOLVED, None)
    assert (await store.snapshot(SITE, name)).state.status is RESOLVED
    assert await events(store, name, after=4) == [
        "handoff.accepted", "status", "status", "operator: Olga here.", "handoff.ended", "status", "rating.requested",
    ]  # fmt: skip
    (said,) = [e.item for e in await store.feed(SITE, name, 0, 100) if getattr(e.item, "role", None) is Role.OPERATOR]
    assert isinstance(said, MessageCompleted)
    assert (said.name, said.turn_id, said.message_id) == ("Olga", None, case.messages[-1].message_id)
    assert whole(url)


async def test_one_of_many_racing_operators_gets_the_case(url: str) -> None:
    """From two stores at once, each with its own threads and connections: one succeeds, the others learn who."""
    async with opened(url) as store, opened(url) as other:
        name = await conversation(store)
        await queued(store, name, "h1")
        tries = [(store, other)[n % 2].move_case(SITE, name, claim(f"op{n}"), START) for n in range(10)]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        (holder,) = [outcome.holder for outcome in outcomes if not isinstance(outcome, BaseException)]
        taken = [outcome for outcome in outcomes if isinstance(outcome, CaseTaken)]
        assert {each.holder for each in taken} == {holder}
        assert len(taken) == 9
        assert (await store.case(SITE, name)).holder == holder
        assert (await events(store, name)).count("handoff.accepted") == 1
    assert whole(url)


@pytest.mark.parametrize(
    ("before", "then", "refusal"),
    [
        ([claim("olga")], claim("otto"), CaseTaken),
        ([claim("olga"), reply("olga", "Hi")], claim("otto"), CaseTaken),
        ([claim("olga")], reply("otto", "Hi"), NotHolder),
        ([claim("olga")], release("otto"), NotHolder),
        ([claim("olga")], resolve("otto"), NotHolder),
        ([], reply("olga", "Hi"), WrongStatus),
        ([], release("olga"), WrongStatus),
        ([claim("olga"), resolve("olga")], claim("otto"), WrongStatus),
        ([claim("olga"), resolve("olga")], reply("olga", "Hi"), WrongStatus),
        ([claim("olga"), release("olga")], reply("olga", "Hi"), WrongStatus),
    ],
)
async def test_a_refused_move_writes_nothing(
    store: SqlStore, url: str, before: list[CaseMove], then: CaseMove, refusal: type[Exception]
) -> None:
    """Neither message, nor item, nor event, nor handoff, nor state."""
    name = await conversation(store)
    await queued(store, name, "h1")
    await move(store, name, *before)
    case, told, waiting = await store.case(SITE, name), await events(store, name), await store.handoffs(SITE)
    state = (await store.snapshot(SITE, name)).state
    with pytest.raises(refusal):
        await store.move_case(SITE, name, then, START)
    assert await store.case(SITE, name) == case
    assert await events(store, name) == told
    assert await store.handoffs(SITE) == waiting
    assert (await store.snapshot(SITE, name)).state == state
    assert whole(url)


async def test_unknown_conversations_cannot_be_moved(store: SqlStore) -> None:
    """Another site's are as unknown as none, and so are erased ones."""
    name = await conversation(store)
    for site, unknown in ((SITE, "c_none"), ("other-site", name)):
        with pytest.raises(UnknownConversation):
            await store.move_case(site, unknown, claim("olga"), START)
        with pytest.raises(UnknownConversation):
            await store.case(site, unknown)


@pytest.mark.parametrize(
    "wrong",
    [
        claim("olga").model_copy(update={"holder": None}),
        resolve("olga").model_copy(update={"holder": "olga"}),
        release("olga").model_copy(update={"reopens_handoff": False}),
        release("olga").model_copy(update={"closes_handoff": True}),
    ],
)
async def test_contradictions_are_refused(store: SqlStore, wrong: CaseMove) -> None:
    """A person speaks exactly where there is one, and who is queued stands in line."""
    name = await conversation(store)
    await queued(store, name, "h1")
    with pytest.raises(ValueError, match=r"holder|packet"):
        await store.move_case(SITE, name, wrong, START)


async def test_the_same_key_writes_once(url: str) -> None:
    """A reply that is sent again, also at once and from elsewhere, is one message; another text is refused."""
    async with opened(url) as store, opened(url) as other:
        name = await conversation(store)
        await queued(store, name, "h1")
        await move(store, name, claim("olga"))
        tries = [(store, other)[n % 2].move_case(SITE, name, reply("olga", "Once."), START) for n in range(6)]
        cases = await asyncio.gather(*tries)
        await move(store, name, reply("olga", "Twice.", key="r2"), resolve("olga"))
        # A repeat changes nothing and raises nothing, even when the move would no longer be allowed.
        again = await store.move_case(SITE, name, reply("olga", "Once."), START)
        assert again.status is RESOLVED
        with pytest.raises(KeyReused):
            await store.move_case(SITE, name, reply("olga", "Other."), START)
        said = [m for m in again.messages if m.role is Role.OPERATOR]
        assert [m.text for m in said] == ["Once.", "Twice."]
        assert (await events(store, name)).count("operator: Once.") == 1
        assert {case.messages[-1].message_id for case in cases} == {said[0].message_id}
        assert await store.moved_message(SITE, name, "r1") == said[0]
        assert await store.moved_message(SITE, name, "never") is None
        assert await store.moved_message("other-site", name, "r1") is None
    assert whole(url)


async def test_a_returned_case_keeps_its_packet_and_its_place(store: SqlStore, clock: SteppingClock) -> None:
    """Back in the queue it stands where it stood; a newer packet replaces the old one."""
    names = [await conversation(store) for _ in range(2)]
    for name in names:
        await queued(store, name, f"h_{name}")
        clock.move(1)
    await move(store, names[0], claim("olga"), release("olga"))
    waiting = await store.handoffs(SITE)
    assert [h.conversation_id for h in waiting] == names
    assert waiting[0].handoff == handed_off(f"h_{names[0]}")
    fresh = release("otto").model_copy(update={"reopens_handoff": False, "handoff": handed_off("h_new")})
    await move(store, names[0], claim("otto"))
    await store.move_case(SITE, names[0], fresh, clock.now())
    assert [h.handoff.handoff_id for h in await store.handoffs(SITE)] == [f"h_{names[1]}", "h_new"]
    case = await store.case(SITE, names[0])
    assert case.packet == handed_off("h_new")


async def test_a_conversation_of_the_bot_is_taken_over_with_a_packet(store: SqlStore) -> None:
    """Nobody had asked for a person: the packet is made then, stands in no line, and serves when it is queued."""
    name = await conversation(store)
    await exchange(store, name, "k1")
    with pytest.raises(StoreError, match="no packet"):
        await move(store, name, claim("olga"), release("olga"))
    await move(store, name, resolve("olga"))
    other = await conversation(store)
    await move(store, other, claim("olga", handed_off("h_taken")))
    assert await store.handoffs(SITE) == ()
    assert (await store.case(SITE, other)).packet == handed_off("h_taken")
    await move(store, other, release("olga"))
    assert [h.handoff.handoff_id for h in await store.handoffs(SITE)] == ["h_taken"]


# ------------------------------------------------------------------------------------- moves beside turns


async def test_a_move_waits_for_the_running_turn(url: str, clock: SteppingClock) -> None:
    """What the bot was about to say is said before the person comes; neither overwrites the other."""
    async with opened(url, clock, OPTIONS) as store:
        name = await conversation(store)
        received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)

        async def wait(_seconds: float) -> None:
            if not (await store.case(SITE, name)).turns:
                await store.finish(finished(received, "Hello!"))

        async with opened(url, clock, StoreOptions(wait=wait)) as other:
            case = await other.move_case(SITE, name, claim("olga"), START)
        assert (case.status, case.holder) == (ACCEPTED, "olga")
        assert await events(store, name) == ["customer: Hello", "bot: Hello!", "handoff.accepted", "status"]
        state = (await store.snapshot(SITE, name)).state
        assert (state.status, state.turns) == (ACCEPTED, 2)


async def test_a_move_in_this_process_follows_the_turn(store: SqlStore) -> None:
    """The end of the turn wakes it; no polling is needed."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    moving = asyncio.ensure_future(store.move_case(SITE, name, claim("olga"), START))
    await store.feed(SITE, name, 0, 1)
    assert not moving.done()
    await store.finish(finished(received, status=QUEUED, handoff=handed_off("h1")))
    case = await moving
    # The turn asked for a person, and one was there.
    assert (case.status, case.packet) == (ACCEPTED, handed_off("h1"))
    assert await store.handoffs(SITE) == ()


async def test_a_move_that_waits_in_vain_writes_nothing(store: SqlStore) -> None:
    """It says that the conversation is busy, as a message would be told."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    with pytest.raises(ConversationBusy):
        await store.move_case(SITE, name, claim("olga"), START)
    assert (await store.case(SITE, name)).holder is None
    await store.finish(finished(received))


async def test_a_turn_whose_lease_ran_out_does_not_overwrite_the_move(
    store: SqlStore, url: str, clock: SteppingClock
) -> None:
    """The person comes all the same; the late turn is refused, and its message is answered for by another run."""
    name = await conversation(store)
    late = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    clock.move(61)
    async with opened(url, clock, OPTIONS) as other:
        await move(other, name, claim("olga"))
        for attempt in (store.finish(finished(late, "Too late.")), store.abandon(late.turn)):
            with pytest.raises(LeaseLost):
                await attempt
        (turn,) = await other.interrupted()
        again = await other.resume(turn)
        assert again is not None
        assert again.snapshot.state.status is ACCEPTED
        await other.finish(finished(again, reply="", status=ACCEPTED))
        case = await other.case(SITE, name)
        assert (case.status, case.holder) == (ACCEPTED, "olga")
        assert [m.text for m in case.messages] == ["Hello"]
        assert await events(other, name) == ["customer: Hello", "handoff.accepted", "status"]
    assert whole(url)


async def test_a_turn_beside_a_person_leaves_them_the_case(store: SqlStore) -> None:
    """Messages of the customer are stored and told; the person keeps the conversation."""
    name = await conversation(store)
    await queued(store, name, "h1")
    await move(store, name, claim("olga"), reply("olga", "Olga here."))
    received = await store.receive(SITE, name, ANNA, "k2", "Thanks", START)
    assert received.snapshot.state.status is HUMAN
    await store.finish(finished(received, reply="", status=HUMAN))
    case = await store.case(SITE, name)
    assert (case.status, case.holder) == (HUMAN, "olga")
    assert (await events(store, name))[-1] == "customer: Thanks"


async def test_messages_and_replies_at_once_all_arrive(url: str) -> None:
    """A customer and a person who write at the same time, through two stores, lose nothing."""
    async with opened(url) as store, opened(url) as other:
        name = await conversation(store)
        await queued(store, name, "h1")
        await move(store, name, claim("olga"))

        async def write(number: int) -> None:
            received = await store.receive(SITE, name, ANNA, f"k{number}", f"c{number}", START)
            status = received.snapshot.state.status
            await store.finish(finished(received, reply="", status=status))

        await asyncio.gather(
            *(write(n) for n in range(5)),
            *(other.move_case(SITE, name, reply("olga", f"o{n}", key=f"r{n}"), START) for n in range(5)),
        )
        case = await store.case(SITE, name)
        said = {m.text for m in case.messages}
        assert said >= {f"c{n}" for n in range(5)} | {f"o{n}" for n in range(5)}
        assert (case.status, case.holder) == (HUMAN, "olga")
        told = await events(store, name)
        assert all(told.count(f"operator: o{n}") == 1 for n in range(5))
    assert whole(url)


@pytest.mark.parametrize("before", [[claim("olga")], [claim("olga"), resolve("olga")]])
async def test_who_is_queued_by_a_turn_has_no_holder(store: SqlStore, before: list[CaseMove]) -> None:
    """Whoever spoke before has no claim on what comes after: the next person can take it."""
    name = await conversation(store)
    await queued(store, name, "h1")
    await move(store, name, *before)
    received = await store.receive(SITE, name, ANNA, "k2", "It is back", START)
    await store.finish(finished(received, status=QUEUED, handoff=handed_off("h2")))
    case = await store.case(SITE, name)
    assert (case.status, case.holder, case.packet) == (QUEUED, None, handed_off("h2"))
    await move(store, name, claim("otto"))


# ------------------------------------------------------------------------------------------------ reading


async def test_the_queue_is_asked_for(store: SqlStore, clock: SteppingClock) -> None:
    """By status, queue and holder; most urgent first, then oldest; limited."""
    names = [await conversation(store) for _ in range(4)]
    for name, priority in zip(names[:3], (Priority.NORMAL, Priority.URGENT, Priority.NORMAL), strict=True):
        await queued(store, name, f"h_{name}", priority)
        clock.move(1)
    await move(store, names[2], claim("olga"))
    asking = await store.receive(SITE, names[0], ANNA, "k9", "Refund", START)
    await store.finish(finished(asking, status=QUEUED, approval=asked(names[0])))

    async def listed(query: CaseQuery) -> list[str]:
        return [each.conversation_id for each in await store.cases(SITE, query)]

    assert await listed(CaseQuery()) == [names[1], names[0], names[2]]
    assert await listed(CaseQuery(statuses=frozenset({QUEUED}))) == [names[1], names[0]]
    assert await listed(CaseQuery(statuses=frozenset())) == [names[1], names[0], names[2], names[3]]
    assert await listed(CaseQuery(holder="olga")) == [names[2]]
    assert await listed(CaseQuery(queue="billing", limit=1)) == [names[1]]
    assert await listed(CaseQuery(queue="sales")) == []
    assert await store.cases("other-site", CaseQuery()) == ()
    urgent, normal, taken = await store.cases(SITE, CaseQuery())
    assert (urgent.priority, urgent.queue, urgent.wants) == (Priority.URGENT, "billing", "a refund")
    assert [each.awaits_approval for each in (urgent, normal, taken)] == [False, True, False]
    assert (taken.status, taken.holder) == (ACCEPTED, "olga")
    assert normal.since == START
    assert normal.since < urgent.since < taken.since
    await store.erase_conversation(SITE, names[1])
    assert await listed(CaseQuery()) == [names[0], names[2]]
    assert await listed(CaseQuery(statuses=frozenset())) == [names[0], names[2], names[3]]


async def test_a_case_holds_all_that_a_person_needs(store: SqlStore) -> None:
    """Packet, thread, approvals and the reasons of every turn."""
    name = await conversation(store)
    await exchange(store, name, "k1", "Hi")
    received = await store.receive(SITE, name, ANNA, "k2", "Refund", START)
    await store.finish(finished(received, status=QUEUED, handoff=handed_off("h1"), approval=asked(name)))
    case = await store.case(SITE, name)
    assert (case.channel, case.customer_id, case.status, case.holder) == ("web", ANNA, QUEUED, None)
    assert case.packet == handed_off("h1")
    assert [m.text for m in case.messages] == ["Hi", "Done.", "Refund", "Done."]
    assert case.approvals == (asked(name),)
    assert [turn.reasons for turn in case.turns] == [("POLICY_DEFAULT",)] * 2
    assert case.files == ()
