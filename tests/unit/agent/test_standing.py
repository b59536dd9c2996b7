"""Who may take over from whom (spec S9.2), and what of a conversation's state outlives it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from handrail.agent.conversation import ConversationState, PendingCall
from handrail.agent.standing import TRANSITIONS, WITH_A_PERSON, WITH_PEOPLE, Action, advice, moved, outcome, sources
from handrail.guardrails.flows.place import FlowPlace
from handrail.guardrails.vocabulary import ConversationStatus, NeedState, Obligation, ToolCall

S = ConversationStatus
NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def pending(awaiting: Obligation, approval_id: str | None = None) -> PendingCall:
    """A call that waits."""
    call = ToolCall(call_id="c", tool="issue_refund", arguments={"amount": "1.00"})
    return PendingCall(call=call, digest="d", awaiting=awaiting, asked_turn=4, expires_at=NOW, approval_id=approval_id)


@pytest.mark.parametrize("action", list(Action))
def test_an_action_leads_to_one_status(action: Action) -> None:
    """So that a move can be one statement, whatever the status was."""
    assert {reached for (_, taken), reached in TRANSITIONS.items() if taken is action} == {outcome(action)}


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        (Action.CLAIM, {S.BOT, S.QUEUED, S.RETURNED_TO_BOT}),
        (Action.REPLY, {S.ACCEPTED, S.HUMAN}),
        (Action.RELEASE_TO_BOT, {S.ACCEPTED, S.HUMAN}),
        (Action.RELEASE_TO_QUEUE, {S.ACCEPTED, S.HUMAN}),
        (Action.RESOLVE, {S.ACCEPTED, S.HUMAN}),
    ],
)
def test_only_who_has_a_conversation_does_something_with_it(action: Action, allowed: set[ConversationStatus]) -> None:
    """Everything but a claim needs a claim before; what is resolved stays so until the customer writes."""
    assert sources(action) == allowed


def test_a_first_reply_makes_it_a_persons_conversation() -> None:
    """Accepted means claimed, human means that the person has spoken."""
    assert TRANSITIONS[S.ACCEPTED, Action.REPLY] is S.HUMAN


def test_the_machine_is_silent_exactly_where_a_person_is_asked_for() -> None:
    """The two sets that the flow goes by."""
    assert set(WITH_PEOPLE) == {S.QUEUED, S.ACCEPTED, S.HUMAN}
    assert set(WITH_PEOPLE) - set(WITH_A_PERSON) == {S.QUEUED}


def test_the_table_stands_in_the_documents() -> None:
    """On a difference, paste the expected rows into docs/people.md."""
    page = (Path(__file__).parents[3] / "docs" / "people.md").read_text(encoding="utf-8")
    written = page.partition("<!-- transitions -->")[2].partition("<!-- end of transitions -->")[0]
    rows = [line for line in written.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{was}` | `{action}` | `{reached}` |" for (was, action), reached in TRANSITIONS.items()]


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("action", list(Action))
def test_a_refusal_says_what_to_do(status: ConversationStatus, action: Action) -> None:
    """The words name the status, and either the claim or the customer as the way on."""
    if (status, action) in TRANSITIONS:
        return
    words = advice(status, action)
    assert status.value in words
    assert "claim" in words or "customer" in words


@pytest.mark.parametrize("to", list(S))
def test_a_question_of_the_machine_lapses(to: ConversationStatus) -> None:
    """A yes that comes next may answer the person: it must not run anything."""
    before = ConversationState(turns=3, pending=pending(Obligation.CONFIRM), person_offered=True, clarifications=2)
    after = moved(before, to)
    assert after.status is to
    assert after.pending is None
    assert after.turns == 4
    assert not after.person_offered
    assert after.clarifications == 0


@pytest.mark.parametrize("awaiting", [Obligation.APPROVE, Obligation.CONFIRM])
@pytest.mark.parametrize("to", [S.ACCEPTED, S.HUMAN, S.QUEUED, S.RETURNED_TO_BOT])
def test_what_a_colleague_decides_still_waits(to: ConversationStatus, awaiting: Obligation) -> None:
    """A request for approval, and an edit that the customer has to agree to, do not hang on who speaks."""
    waits = pending(awaiting, "a1")
    assert moved(ConversationState(pending=waits), to).pending == waits


def test_a_resolved_matter_leaves_nothing_open() -> None:
    """The next message begins a new matter."""
    place = FlowPlace(flow="access_restore", step="first")
    before = ConversationState(
        flow=place,
        pending=pending(Obligation.APPROVE, "a1"),
        unresolved_turns=5,
        failed_attempts=2,
        wants="a refund",
        intent="refund",
        need_state=NeedState.BILLING_CHARGES,
        shown_passages=("p1",),
    )
    after = moved(before, S.RESOLVED)
    assert (after.flow, after.pending, after.wants, after.intent) == (None, None, None, None)
    assert (after.unresolved_turns, after.failed_attempts) == (0, 0)
    assert after.shown_passages == ("p1",)
