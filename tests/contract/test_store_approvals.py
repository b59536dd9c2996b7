"""Several people's approvals of one call, in both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from handrail.agent.conversation import Approval, ApprovalState, EventKind, FinishedTurn, PendingCall, Reopened
from handrail.agent.store.sqlstore import SqlStore
from handrail.agent.store_port import ApprovalChanged, ApprovalClosed, ApproverBarred, StoreError
from handrail.guardrails.vocabulary import Obligation
from tests.unit.store.building import ANNA, CALL, SITE, START, asked, conversation, finished, logged

APPROVED, PENDING = ApprovalState.APPROVED, ApprovalState.PENDING
D, E = "d" * 64, "e" * 64
EDITED = CALL.model_copy(update={"arguments": {"invoice": "INV-1001", "amount": 50.5}})


def waits(turn: FinishedTurn, digest: str = D) -> FinishedTurn:
    """The turn leaves a call behind that waits for approval."""
    waiting = PendingCall(
        call=CALL, digest=digest, awaiting=Obligation.APPROVE, asked_turn=1, confirmed=True,
        expires_at=START + timedelta(hours=1), approval_id="appr_1",
    )  # fmt: skip
    return turn.model_copy(update={"state": turn.state.model_copy(update={"pending": waiting})})


@pytest.fixture
async def place(store: SqlStore) -> str:
    """A conversation that waits for approval of a call; olivia wrote what it came of."""
    name = await conversation(store)
    received = await store.receive(SITE, name, ANNA, "k1", "Refund", START)
    request = asked(name).model_copy(update={"proposers": ("olivia",)})
    await store.finish(waits(finished(received, approval=request)))
    return name


async def held(store: SqlStore) -> Approval:
    """The one request."""
    found = await store.approval(SITE, "appr_1")
    assert found is not None
    return found


async def approve(store: SqlStore, who: str, digest: str | None = None) -> Approval:
    """One person approves."""
    return await store.decide_approval(SITE, "appr_1", APPROVED, who, START, digest)


async def reopen(store: SqlStore, place: str, approvals: int, digest: str = D) -> None:
    """The turn of an approval ends: it takes another one."""
    received = await store.begin_operator_turn(SITE, place, "approved", START)
    ended = waits(finished(received), digest)
    again = Reopened(approval_id="appr_1", approvals=approvals)
    await store.finish(ended.model_copy(update={"reopened_approval": again}))


async def test_a_request_goes_back_with_who_approved(store: SqlStore, place: str, url: str) -> None:
    """As it was, and nothing of its approval is lost; the log names everybody so far."""
    before = await held(store)
    await approve(store, "olga")
    await reopen(store, place, 1)
    after = await held(store)
    assert (after.state, after.approvers, after.decided_by, after.decided_at) == (PENDING, ("olga",), None, None)
    assert after.model_copy(update={"assents": ()}) == before
    second = await approve(store, "otto")
    assert (second.state, second.approvers, second.decided_by) == (APPROVED, ("olga", "otto"), "otto")
    assert second.usable(D, START)
    told = [(one["by"], one["approvers"]) for one in logged(url, EventKind.OPERATOR_DECISION)]
    assert told == [("olga", ["olga"]), ("otto", ["olga", "otto"])]


async def test_nobody_counts_twice_and_no_proposer_counts(store: SqlStore, place: str, url: str) -> None:
    """Refused with what it takes, and nothing is written."""
    with pytest.raises(ApproverBarred, match="olivia wrote the message"):
        await approve(store, "olivia")
    with pytest.raises(ApproverBarred, match="olivia wrote the message"):
        await store.edit_approval(SITE, "appr_1", EDITED, E, "olivia", START)
    await approve(store, "olga")
    await reopen(store, place, 1)
    before, entries = await held(store), len(logged(url, EventKind.OPERATOR_DECISION))
    with pytest.raises(ApproverBarred, match="it takes another person"):
        await approve(store, "olga")
    assert await held(store) == before
    assert len(logged(url, EventKind.OPERATOR_DECISION)) == entries
    denied = await store.decide_approval(SITE, "appr_1", ApprovalState.DENIED, "olivia", START)
    assert denied.state is ApprovalState.DENIED


async def test_of_two_at_once_both_count_and_of_one_twice_one(store: SqlStore, place: str) -> None:
    """Whoever is second joins, before the first approval is carried out."""
    people = ("olga", "otto", "olga", "otto", "olga")
    outcomes = await asyncio.gather(*(approve(store, who) for who in people), return_exceptions=True)
    assert sorted(isinstance(one, ApprovalClosed) for one in outcomes) == [False, False, True, True, True]
    after = await held(store)
    assert after.state is APPROVED
    assert (len(after.assents), set(after.approvers)) == (2, {"olga", "otto"})


async def test_an_approval_that_came_meanwhile_is_not_sent_back(store: SqlStore, place: str) -> None:
    """The decision saw one; by the time its turn ends there are two, and the second one's turn comes next."""
    await approve(store, "olga")
    received = await store.begin_operator_turn(SITE, place, "approved", START)
    await approve(store, "otto")
    ended = waits(finished(received))
    await store.finish(ended.model_copy(update={"reopened_approval": Reopened(approval_id="appr_1", approvals=1)}))
    assert ((await held(store)).state, (await held(store)).approvers) == (APPROVED, ("olga", "otto"))
    (undone,) = await store.undone_approvals(SITE, START + timedelta(minutes=1))
    assert undone.approval_id == "appr_1"


async def test_nobody_joins_too_late(store: SqlStore, place: str) -> None:
    """And the approval that was in time stays as it is."""
    await approve(store, "olga")
    with pytest.raises(ApprovalClosed):
        await store.decide_approval(SITE, "appr_1", APPROVED, "otto", START + timedelta(hours=1))
    assert ((await held(store)).state, (await held(store)).approvers) == (APPROVED, ("olga",))


async def test_nobody_joins_what_the_conversation_does_not_wait_for(store: SqlStore) -> None:
    """A request that was replaced meanwhile."""
    name = await conversation(store)
    await store.finish(finished(await store.receive(SITE, name, ANNA, "k1", "Refund", START), approval=asked(name)))
    await approve(store, "olga")
    with pytest.raises(ApprovalClosed):
        await approve(store, "otto")


async def test_an_edit_starts_over(store: SqlStore, place: str) -> None:
    """Who approved the call as it was has not approved this one, and has to say that they have seen it."""
    await approve(store, "olga")
    await reopen(store, place, 1)
    edited = await store.edit_approval(SITE, "appr_1", EDITED, E, "otto", START)
    assert (edited.approvers, [one.by for one in edited.assents], edited.edited) == (("otto",), ["olga", "otto"], True)
    with pytest.raises(ApprovalClosed):
        await approve(store, "olga")  # while the edit is under way: it is another call than what waits
    await reopen(store, place, 1, E)
    for unseen in (None, D):
        with pytest.raises(ApprovalChanged):
            await approve(store, "olga", unseen)
    assert (await approve(store, "olga", E)).approvers == ("otto", "olga")


async def test_a_digest_of_another_call_approves_nothing(store: SqlStore, place: str) -> None:
    """Also before any edit."""
    with pytest.raises(ApprovalChanged):
        await approve(store, "olga", E)
    assert (await held(store)).state is PENDING
    assert (await approve(store, "olga", D)).state is APPROVED


async def test_only_what_is_approved_goes_back(store: SqlStore, place: str) -> None:
    """A request that is pending, or over, is not touched."""
    with pytest.raises(StoreError):
        await reopen(store, place, 0)
    assert (await held(store)).state is PENDING
