"""The promises of `Store`, for every database that it runs on.

The databases: `conftest.py`. What belongs to feeds, cases and customers' things stands in the modules beside.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from handrail.agent.conversation import HISTORY_LIMIT, ApprovalState, EventKind, JournalState
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.leases import Patience
from handrail.agent.store.sqlstore import SqlStore, StoreOptions
from handrail.agent.store_port import (
    ApprovalClosed,
    ConversationBusy,
    KeyReused,
    LeaseLost,
    Store,
    StoreError,
    UnknownApproval,
    UnknownConversation,
)
from handrail.guardrails.vocabulary import ConversationStatus, IdentityLevel, Priority, Role
from tests.unit.store.building import (
    ANNA,
    OPTIONS,
    SITE,
    START,
    SteppingClock,
    asked,
    conversation,
    event,
    exchange,
    finished,
    handed_off,
    journalled,
    opened,
    whole,
)


def test_the_sql_store_is_a_store(store: SqlStore) -> None:
    """The type checker compares every signature; at run time, every method is there."""
    port: Store = store
    assert all(hasattr(port, name) for name in dir(Store) if not name.startswith("_"))


# ------------------------------------------------------------------------------------------------ receive


async def test_a_message_becomes_a_leased_turn(store: SqlStore) -> None:
    """The turn carries what the conversation is known for; the new message is not part of its own history."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Where is my invoice?", START)
    turn = received.turn
    assert (turn.site, turn.conversation_id, turn.customer_id) == (SITE, name, ANNA)
    assert (turn.identity, turn.channel, turn.text) == (IdentityLevel.VERIFIED, "web", "Where is my invoice?")
    assert received.snapshot.history == ()
    assert received.finished is None
    assert [m.text for m in await store.messages(SITE, name, 0, 10)] == ["Where is my invoice?"]


async def test_finishing_leaves_message_state_and_result(store: SqlStore) -> None:
    """The next turn finds what the last one left behind."""
    name = await conversation(store)
    first = await exchange(store, name, "k1", "Hi", reply="Hello!")
    second = await store.receive(SITE, name, ANNA, "k2", "Thanks", START)
    assert [(m.role, m.text) for m in second.snapshot.history] == [(Role.CUSTOMER, "Hi"), (Role.BOT, "Hello!")]
    assert second.snapshot.state.turns == 1
    assert second.turn.turn_id != first.turn.turn_id


async def test_the_snapshot_holds_the_latest_messages_only(store: SqlStore) -> None:
    """What a turn loads does not grow with the conversation."""
    name = await conversation(store)
    for number in range(10):
        await exchange(store, name, f"k{number}", f"question {number}", reply=f"answer {number}")
    history = (await store.snapshot(SITE, name)).history
    assert len(history) == HISTORY_LIMIT
    assert (history[0].text, history[-1].text) == ("question 4", "answer 9")


async def test_the_same_key_returns_the_stored_result(store: SqlStore) -> None:
    """A message that is sent twice is answered once."""
    name = await conversation(store)
    first = await exchange(store, name, "k1", reply="Only once.")
    again = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    assert again.turn == first.turn
    assert again.finished is not None
    assert again.finished.reply == "Only once."
    assert len(await store.messages(SITE, name, 0, 10)) == 2
    # The conversation is not leased by looking up an old result.
    await exchange(store, name, "k2")


async def test_a_key_with_another_text_is_refused(store: SqlStore) -> None:
    """An idempotency key belongs to one text."""
    name = await conversation(store)
    await exchange(store, name, "k1", "Hello")
    with pytest.raises(KeyReused):
        await store.receive(SITE, name, ANNA, "k1", "Something else", START)


@pytest.mark.parametrize("stranger", ["cus_bert", None])
async def test_a_conversation_of_somebody_else_is_unknown(store: SqlStore, stranger: str | None) -> None:
    """Other customers, and nobody, cannot even tell that the conversation exists."""
    name = await conversation(store)
    with pytest.raises(UnknownConversation) as theirs:
        await store.receive(SITE, name, stranger, "k1", "Hello", START)
    with pytest.raises(UnknownConversation) as missing:
        await store.receive(SITE, "c_none", stranger, "k1", "Hello", START)
    with pytest.raises(UnknownConversation):
        await store.receive("other-site", name, ANNA, "k1", "Hello", START)
    assert str(theirs.value) == str(missing.value)


async def test_text_that_databases_cannot_hold_is_mended(store: SqlStore) -> None:
    """NUL and lone surrogates are replaced, and the same key still belongs to the same text."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "a\x00b\ud800c", START)
    assert "\x00" not in received.turn.text
    await store.finish(finished(received))
    assert (await store.receive(SITE, name, ANNA, "k1", "a\x00b\ud800c", START)).finished is not None


async def test_identifiers_that_cannot_be_stored_are_refused(store: SqlStore) -> None:
    """Both databases refuse the same identifiers."""
    name = await conversation(store)
    for key in ("", "k" * 500, "a\x00"):
        with pytest.raises(StoreError):
            await store.receive(SITE, name, ANNA, key, "Hello", START)


# ------------------------------------------------------------------------------------------------- leases


async def test_turns_of_one_conversation_never_overlap(url: str) -> None:
    """Twenty messages at once run one after the other, in the order in which they came."""
    running, order = 0, []

    async def turn(store: SqlStore, name: str, number: int) -> None:
        nonlocal running
        received = await store.receive(SITE, name, ANNA, f"k{number}", f"m{number}", START)
        running += 1
        assert running == 1
        order.append(number)
        await asyncio.sleep(0)
        running -= 1
        await store.finish(finished(received))

    async with opened(url) as store:
        name = await conversation(store)
        await asyncio.gather(*(turn(store, name, number) for number in range(20)))
    assert order == list(range(20))


async def test_the_same_message_twice_at_once_runs_once(url: str) -> None:
    """The second request waits for the first and gets its result."""
    async with opened(url) as store:
        name = await conversation(store)

        async def turn() -> bool:
            received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
            if received.finished is not None:
                return False
            await store.finish(finished(received))
            return True

        assert sorted(await asyncio.gather(turn(), turn())) == [False, True]
        assert len(await store.messages(SITE, name, 0, 10)) == 2


async def test_a_running_turn_makes_others_wait_in_vain(store: SqlStore, url: str, clock: SteppingClock) -> None:
    """Within a process and across stores, a busy conversation says so after a limited time."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    with pytest.raises(ConversationBusy):
        await store.receive(SITE, name, ANNA, "k2", "Hello?", START)
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    patience = Patience(busy_seconds=2)
    async with opened(url, clock, StoreOptions(patience=patience, wait=wait)) as other:
        with pytest.raises(ConversationBusy):
            await other.receive(SITE, name, ANNA, "k3", "Hello?", START)
    assert sum(waits) == pytest.approx(2, abs=0.05)
    assert waits[:3] == [0.02, 0.04, 0.08]
    await store.finish(finished(received))
    assert [m.text for m in await store.messages(SITE, name, 0, 10)] == ["Hello", "Done."]


async def test_an_expired_lease_is_taken_over_and_fences_the_slow(
    store: SqlStore, url: str, clock: SteppingClock
) -> None:
    """A worker that lost its lease writes nothing at all."""
    name = await conversation(store)
    slow = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    clock.move(61)
    async with opened(url, clock, OPTIONS) as other:
        (found,) = await other.interrupted()
        taken = await other.resume(found)
        assert taken is not None
        for attempt in (
            store.finish(finished(slow, "late")),
            store.intend(slow.turn, journalled(slow.turn), ()),
        ):
            with pytest.raises(LeaseLost):
                await attempt
        await other.finish(finished(taken, "in time"))
    assert [m.text for m in await store.messages(SITE, name, 0, 10)] == ["Hello", "in time"]
    assert whole(url)


async def test_a_turn_finishes_once(store: SqlStore) -> None:
    """A second end of the same turn is refused."""
    name = await conversation(store)
    received = await exchange(store, name, "k1")
    with pytest.raises(LeaseLost):
        await store.finish(finished(received, "again"))
    assert len(await store.messages(SITE, name, 0, 10)) == 2


async def test_an_abandoned_turn_is_found_and_resumed_once(store: SqlStore) -> None:
    """Recovery finds the turn with its journal; whoever comes second gets None."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Refund please", START)
    assert await store.interrupted() == ()
    await store.intend(received.turn, journalled(received.turn), [event(received.turn.turn_id, EventKind.TOOL_INTENT)])
    await store.abandon(received.turn)
    assert await store.interrupted() == (received.turn,)
    resumed = await store.resume(received.turn)
    assert resumed is not None
    assert resumed.turn == received.turn
    assert resumed.snapshot.history == ()
    assert resumed.journal == (journalled(received.turn),)
    assert await store.resume(received.turn) is None
    await store.finish(finished(resumed))
    assert await store.resume(received.turn) is None
    assert await store.interrupted() == ()


async def test_the_same_key_resumes_an_interrupted_turn(store: SqlStore) -> None:
    """A client that tries again continues the turn, with its journal, instead of starting another."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Refund please", START)
    await store.intend(received.turn, journalled(received.turn), ())
    await store.abandon(received.turn)
    again = await store.receive(SITE, name, ANNA, "k1", "Refund please", START)
    assert again.turn == received.turn
    assert again.finished is None
    assert [entry.state for entry in again.journal] == [JournalState.INTENDED]


async def test_a_cancelled_wait_leaves_no_lease_behind(store: SqlStore) -> None:
    """A caller that goes away while the turn is being stored does not block the conversation."""
    name = await conversation(store)
    task = asyncio.ensure_future(store.receive(SITE, name, ANNA, "k1", "Hello", START))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    received = await store.receive(SITE, name, ANNA, "k2", "Still there", START)
    await store.finish(finished(received))


async def test_an_operators_decision_is_a_turn_without_a_message(store: SqlStore) -> None:
    """The note is the turn's text and is not shown to the customer."""
    name = await conversation(store)
    await exchange(store, name, "k1")
    received = await store.begin_operator_turn(SITE, name, "approved the refund", START)
    assert received.turn.text == "approved the refund"
    assert received.turn.customer_id == ANNA
    assert len(received.snapshot.history) == 2
    await store.finish(finished(received, reply=""))
    assert len(await store.messages(SITE, name, 0, 10)) == 2


async def test_a_turn_that_goes_on_adds_no_message(store: SqlStore) -> None:
    """Results of calls come back: same customer, same words, told once; the same key gives the stored result."""
    name = await conversation(store)
    await exchange(store, name, "k1")
    with pytest.raises(UnknownConversation):
        await store.continue_turn(SITE, name, "somebody-else", "r1", "Refund please", START)
    received = await store.continue_turn(SITE, name, ANNA, "r1", "Refund please", START)
    assert (received.turn.text, received.turn.sender) == ("Refund please", Role.BOT)
    await store.finish(finished(received, reply="Here it is."))
    assert [one.role for one in await store.messages(SITE, name, 0, 10)] == [Role.CUSTOMER, Role.BOT, Role.BOT]
    assert (await store.continue_turn(SITE, name, ANNA, "r1", "Refund please", START)).finished is not None
    latest = await store.latest_turn(SITE, name)
    assert latest is not None
    assert latest.key == "k1"


async def test_what_was_handed_over_counts_as_run(store: SqlStore) -> None:
    """The caller may have run it: it is among what has run, and ends as nothing else afterwards."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Refund", START)
    await store.intend(received.turn, journalled(received.turn), ())
    await store.conclude(received.turn, journalled(received.turn, JournalState.HANDED_OVER), ())
    with pytest.raises(StoreError, match="ended as handed_over"):
        await store.conclude(received.turn, journalled(received.turn, JournalState.SUCCEEDED), ())
    await store.finish(finished(received))
    assert (await store.snapshot(SITE, name)).ran == (journalled(received.turn).digest,)


# ------------------------------------------------------------------------------------------------ journal


async def test_a_write_is_journalled_once(store: SqlStore) -> None:
    """The key of a write belongs to one call, which ends once."""
    name = await conversation(store)
    turn = (await store.receive(SITE, name, ANNA, "k1", "Refund", START)).turn
    await store.intend(turn, journalled(turn), ())
    with pytest.raises(StoreError):
        await store.intend(turn, journalled(turn), ())
    await store.conclude(turn, journalled(turn, JournalState.UNKNOWN), ())
    await store.conclude(turn, journalled(turn, JournalState.SUCCEEDED), ())
    with pytest.raises(StoreError):
        await store.conclude(turn, journalled(turn, JournalState.FAILED), ())
    with pytest.raises(StoreError):
        await store.conclude(turn, journalled(turn, JournalState.FAILED, key="never"), ())


async def test_journal_and_audit_are_one_transaction(store: SqlStore, url: str) -> None:
    """A refused journal entry leaves no audit event, and the other way round."""
    name = await conversation(store)
    turn = (await store.receive(SITE, name, ANNA, "k1", "Refund", START)).turn
    await store.intend(turn, journalled(turn), [event(turn.turn_id, EventKind.TOOL_INTENT, tool="refund")])
    with pytest.raises(StoreError):
        await store.intend(turn, journalled(turn), [event(turn.turn_id, EventKind.TOOL_INTENT, tool="refund")])
    log = AuditLog(url)
    kinds = [step.kind for step in log.trail(turn.turn_id).events]
    log.close()
    assert kinds == ["turn_received", "tool_intent"]


# ------------------------------------------------------------------------------------- approvals, handoffs


async def test_an_approval_is_decided_once_and_used_once(store: SqlStore, url: str) -> None:
    """Of two racing operators one succeeds; what was approved is used by one turn."""
    name = await conversation(store)
    first = await store.receive(SITE, name, ANNA, "k1", "Refund", START)
    await store.finish(finished(first, approval=asked(name)))
    assert await store.approvals(SITE, ApprovalState.PENDING) == (asked(name),)
    outcomes = await asyncio.gather(
        store.decide_approval(SITE, "appr_1", ApprovalState.APPROVED, "olga", START),
        store.decide_approval(SITE, "appr_1", ApprovalState.DENIED, "otto", START),
        return_exceptions=True,
    )
    assert sorted(isinstance(outcome, ApprovalClosed) for outcome in outcomes) == [False, True]
    decided = await store.approval(SITE, "appr_1")
    assert decided is not None
    assert decided.decided_by in {"olga", "otto"}
    assert await store.approval("other-site", "appr_1") is None
    if decided.state is ApprovalState.APPROVED:
        second = await store.begin_operator_turn(SITE, name, "approved", START)
        await store.finish(finished(second, used_approval="appr_1"))
        third = await store.begin_operator_turn(SITE, name, "approved", START)
        with pytest.raises(StoreError):
            await store.finish(finished(third, used_approval="appr_1"))
        # What failed has written nothing; the turn is still there to be finished another way.
        await store.finish(finished(third))
    assert whole(url)


async def test_nothing_is_approved_after_its_time(store: SqlStore) -> None:
    """A late approval expires the request and is refused; an unknown request is said to be unknown."""
    name = await conversation(store)
    await store.finish(finished(await store.receive(SITE, name, ANNA, "k1", "Refund", START), approval=asked(name)))
    with pytest.raises(ApprovalClosed):
        await store.decide_approval(SITE, "appr_1", ApprovalState.APPROVED, "olga", START + timedelta(hours=1))
    expired = await store.approval(SITE, "appr_1")
    assert expired is not None
    assert expired.state is ApprovalState.EXPIRED
    with pytest.raises(UnknownApproval):
        await store.decide_approval("other-site", "appr_1", ApprovalState.DENIED, "olga", START)
    with pytest.raises(ValueError, match="cannot be moved"):
        await store.decide_approval(SITE, "appr_1", ApprovalState.USED, "olga", START)


async def test_handoffs_wait_most_urgent_first_until_a_person_comes(store: SqlStore, clock: SteppingClock) -> None:
    """One open handoff per conversation; the newest packet replaces the older one and keeps its place in line."""
    names = [await conversation(store) for _ in range(3)]
    for name, priority in zip(names, (Priority.NORMAL, Priority.URGENT, Priority.NORMAL), strict=True):
        received = await store.receive(SITE, name, ANNA, "k1", "A person!", START)
        packet = handed_off(f"h_{name}", priority)
        await store.finish(finished(received, status=ConversationStatus.QUEUED, handoff=packet))
        clock.move(1)
    assert [h.conversation_id for h in await store.handoffs(SITE)] == [names[1], names[0], names[2]]
    newer = await store.receive(SITE, names[0], ANNA, "k2", "Hello?", START)
    await store.finish(finished(newer, status=ConversationStatus.QUEUED, handoff=handed_off("h_newer")))
    taken = await store.begin_operator_turn(SITE, names[1], "accepted", START)
    await store.finish(finished(taken, reply="", status=ConversationStatus.ACCEPTED))
    assert [h.handoff.handoff_id for h in await store.handoffs(SITE)] == ["h_newer", f"h_{names[2]}"]
    (kept, _) = await store.handoffs(SITE)
    assert kept.at == START
    assert await store.handoffs("other-site") == ()


# ----------------------------------------------------------------------------------------------- customers


async def test_older_observations_never_replace_newer_ones(store: SqlStore) -> None:
    """Source systems may deliver late and twice."""

    def plan(content: str, minute: int) -> AttributeValue:
        return AttributeValue(
            name="plan", content=content, source="billing", observed_at=START + timedelta(minutes=minute)
        )

    assert await store.put_attributes(SITE, ANNA, [plan("team", 5)]) == 1
    assert await store.put_attributes(SITE, ANNA, [plan("trial", 3), plan("team", 5)]) == 0
    assert await store.put_attributes(SITE, ANNA, [plan("business", 9), plan("enterprise", 8)]) == 2
    tags = AttributeValue(name="stack", content=("okta", "slack"), source="crm", observed_at=START)
    assert await store.put_attributes(SITE, ANNA, [tags]) == 1
    assert await store.attributes(SITE, ANNA) == (plan("business", 9), tags)
    assert await store.attributes("other-site", ANNA) == ()


async def test_customer_events_are_stored_once(store: SqlStore) -> None:
    """An event id counts once per customer; reading begins at a moment and goes forward."""

    def viewed(number: int) -> CustomerEvent:
        return CustomerEvent(
            event_id=f"e{number}", kind="article_viewed", at=START + timedelta(minutes=number), source="web"
        )

    assert await store.put_events(SITE, ANNA, [viewed(2), viewed(1), viewed(2)]) == 2
    assert await store.put_events(SITE, ANNA, [viewed(1), viewed(3)]) == 1
    assert await store.events(SITE, ANNA, START + timedelta(minutes=2)) == (viewed(2), viewed(3))
    assert await store.put_events(SITE, "cus_bert", [viewed(1)]) == 1


async def test_a_turn_leaves_customer_events(store: SqlStore) -> None:
    """What a turn detected is known to the customer's next conversation."""
    name = await conversation(store)
    intent = CustomerEvent(event_id="i1", kind="intent_detected", at=START, source="conversation")
    received = await store.receive(SITE, name, ANNA, "k1", "Hello", START)
    await store.finish(finished(received).model_copy(update={"customer_events": (intent,)}))
    assert await store.events(SITE, ANNA, START) == (intent,)


async def test_export_and_erasure_reach_everything(store: SqlStore, url: str) -> None:
    """A customer can read what is stored, and is then forgotten; the audit chain stays whole."""
    name, other = await conversation(store), await conversation(store, "cus_bert")
    await exchange(store, name, "k1", "My secret question")
    running = await store.receive(SITE, name, ANNA, "k2", "And another", START)
    await store.intend(running.turn, journalled(running.turn), ())
    observed = AttributeValue(name="plan", content="team", source="billing", observed_at=START)
    await store.put_attributes(SITE, ANNA, [observed])
    copy = await store.export_customer(SITE, ANNA)
    assert [m.text for m in copy.conversations[0].messages] == ["My secret question", "Done.", "And another"]
    assert copy.attributes == (observed,)
    assert await store.erase_customer("other-site", ANNA) == 0
    assert await store.erase_customer(SITE, ANNA) == 1
    with pytest.raises(LeaseLost):
        await store.finish(finished(running))
    for customer in (ANNA, None):
        with pytest.raises(UnknownConversation):
            await store.receive(SITE, name, customer, "k3", "Hello?", START)
    assert await store.attributes(SITE, ANNA) == ()
    assert (await store.export_customer(SITE, ANNA)).conversations == ()
    assert await store.interrupted() == ()
    assert await store.resume(running.turn) is None
    assert (await store.snapshot(SITE, other)).customer_id == "cus_bert"
    log = AuditLog(url)
    report = log.verify()
    log.close()
    assert report.breaks == ()
    assert report.erased > 0


# --------------------------------------------------------------------------------------------------- audit


async def test_events_outside_turns_are_chained(store: SqlStore, url: str) -> None:
    """A freeze belongs to the site's own chain, an override to the conversation's."""
    name = await conversation(store)
    freeze = event("", EventKind.OPERATOR_DECISION, action="freeze", by="olga")
    await store.record(SITE, None, [freeze])
    await store.record(SITE, name, [freeze])
    with pytest.raises(UnknownConversation):
        await store.record(SITE, "c_none", [freeze])
    assert whole(url)


async def test_an_empty_database_opens_twice(url: str) -> None:
    """The first opening makes the tables, the second one finds them."""
    async with opened(url) as store:
        name = await conversation(store)
        await exchange(store, name, "k1")
    async with opened(url) as store:
        assert len((await store.snapshot(SITE, name)).history) == 2


async def test_racing_openings_make_the_tables_once(url: str) -> None:
    """Workers that start together do not trip over each other."""

    async def open_and_close() -> None:
        async with opened(url):
            pass

    await asyncio.gather(*(open_and_close() for _ in range(4)))
    assert whole(url)
