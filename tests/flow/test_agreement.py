"""What a customer and an operator agree to, and for how long (spec S7.3)."""

from __future__ import annotations

import pytest
from sqlalchemy import text as sql

from handrail.agent.conversation import ApprovalState
from handrail.agent.store_port import ApprovalClosed
from handrail.guardrails.vocabulary import ConversationStatus
from tests.flow.stand import CANCEL, SITE, Stand


async def pending(stand: Stand) -> object:
    """What waits in the conversation."""
    return (await stand.service.snapshot(SITE, stand.conversation, stand.customer)).state.pending


async def test_a_yes_counts_as_the_next_message(stand: Stand) -> None:
    """Then, and only then, the request goes to a person."""
    await stand.reach("yes")
    result = await stand.say("yes")
    assert {"CONFIRMATION_GIVEN", "TOOL_APPROVAL_NEEDED"} <= set(result.reasons)
    assert await stand.writes() == 0


async def test_a_yes_after_another_message_counts_for_nothing(stand: Stand) -> None:
    """Something else came between question and answer."""
    await stand.reach("yes")
    await stand.say("How do I add a member to a project?")
    result = await stand.say("yes")
    assert "CONFIRMATION_GIVEN" not in result.reasons
    assert await (await stand.stored()).approvals(SITE) == ()


async def test_a_yes_too_late_counts_for_nothing(stand: Stand) -> None:
    """The question has a time limit of its own."""
    await stand.reach("yes")
    stand.clock.move(minutes=stand.service.bundle.manifest.limits.confirmation_minutes + 1)
    result = await stand.say("yes")
    assert "CONFIRMATION_GIVEN" not in result.reasons
    assert await (await stand.stored()).approvals(SITE) == ()


async def test_a_yes_together_with_a_no_is_asked_again(stand: Stand) -> None:
    """Nobody guesses which of the two was meant, and the call is dropped."""
    await stand.reach("yes")
    result = await stand.say("yes, no, wait, don't do it")
    assert "CONFIRMATION_GIVEN" not in result.reasons
    assert await (await stand.stored()).approvals(SITE) == ()
    again = await stand.say("yes")
    assert "CONFIRMATION_GIVEN" not in again.reasons
    assert await stand.writes() == 0


async def test_a_no_drops_the_call(stand: Stand) -> None:
    """Nothing waits any more, and a later yes has nothing to agree to."""
    await stand.reach("yes")
    result = await stand.say("no")
    assert "CONFIRMATION_DECLINED" in result.reasons
    assert await pending(stand) is None
    assert "CONFIRMATION_GIVEN" not in (await stand.say("yes")).reasons


async def test_three_wrong_codes_bring_a_person(stand: Stand) -> None:
    """Two may be typing errors; the third is not guessed again."""
    await stand.reach("code")
    wrong = "000000" if await stand.code() != "000000" else "111111"
    for _ in range(2):
        result = await stand.say(wrong)
        assert result.status is ConversationStatus.BOT
        assert "IDENTITY_CODE_WRONG" in result.reasons
    result = await stand.say(wrong)
    assert result.status is ConversationStatus.QUEUED
    assert result.handoff is not None
    assert "IDENTITY_CODE_WRONG" in result.handoff.reasons
    assert await pending(stand) is None


async def test_facts_that_changed_after_the_yes_decide_again(stand: Stand) -> None:
    """The subscription ended elsewhere before the operator approved: nothing runs."""
    await stand.reach("approve")
    await stand.company.write(
        lambda connection: connection.execute(sql("update subscriptions set status = 'ended' where id = 'SUB-1001'"))
    )
    result = await stand.decide()
    assert "TOOL_NOT_POSSIBLE" in result.reasons
    assert await stand.writes() == 0


async def test_a_sign_of_fraud_after_the_yes_stops_the_call(stand: Stand) -> None:
    """The customer says that it was somebody else: the approval that comes later runs nothing."""
    await stand.reach("approve")
    approval = await stand.pending_approval()
    reported = await stand.say("Stop, my account was hacked, somebody else asked for this!")
    assert reported.status is ConversationStatus.QUEUED
    await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, "operator-1")
    assert await stand.writes() == 0


async def test_an_approval_is_used_once(stand: Stand) -> None:
    """The same approval does not run the call again."""
    await stand.reach("approve")
    approval = await stand.pending_approval()
    await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, "operator-1")
    assert await stand.writes() == 1
    held = await (await stand.stored()).approval(SITE, approval.approval_id)
    assert held is not None
    assert held.state is ApprovalState.USED
    with pytest.raises(ApprovalClosed):
        await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, "operator-2")
    assert await stand.writes() == 1


async def test_an_approval_after_its_time_is_a_denial(stand: Stand) -> None:
    """The operator was too late: nothing runs, and the customer is told."""
    await stand.reach("approve")
    approval = await stand.pending_approval()
    stand.clock.move(hours=stand.service.bundle.manifest.limits.approval_hours + 1)
    result = await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, "operator-1")
    assert "APPROVAL_EXPIRED" in result.reasons
    assert result.reply.strip()
    assert await stand.writes() == 0


async def test_a_customer_who_asks_after_the_time_is_told(stand: Stand) -> None:
    """Nobody decided: the request is over, and it is not said to be waiting still."""
    await stand.reach("approve")
    stand.clock.move(hours=stand.service.bundle.manifest.limits.approval_hours + 1)
    result = await stand.say(CANCEL)
    assert "APPROVAL_EXPIRED" in result.reasons
    assert await pending(stand) is None


async def test_a_denial_ends_the_matter(stand: Stand) -> None:
    """The customer is told, and nothing runs."""
    await stand.reach("approve")
    result = await stand.decide(ApprovalState.DENIED)
    assert "APPROVAL_DENIED" in result.reasons
    assert await pending(stand) is None
    assert await stand.writes() == 0


async def test_an_approval_is_for_the_call_it_names(stand: Stand) -> None:
    """Another call waits by now, not yet agreed to by anybody: the old approval does not run it."""
    await stand.reach("approve")
    old = await stand.pending_approval()
    store = await stand.stored()
    snapshot = await stand.service.snapshot(SITE, stand.conversation, stand.customer)
    assert snapshot.state.pending is not None
    other = snapshot.state.pending.model_copy(update={"approval_id": "another", "digest": "f" * 64, "confirmed": False})
    real = store.begin_operator_turn

    async def elsewhere(*positional: object, **named: object) -> object:
        received = await real(*positional, **named)  # type: ignore[arg-type]
        state = received.snapshot.state.model_copy(update={"pending": other})
        return received.model_copy(update={"snapshot": received.snapshot.model_copy(update={"state": state})})

    stand.store.replaced["begin_operator_turn"] = elsewhere
    result = await stand.service.decide(SITE, old.approval_id, ApprovalState.APPROVED, "operator-1")
    assert "APPROVAL_GRANTED" not in result.reasons
    assert await stand.writes() == 0


async def test_a_decision_whose_turn_never_began_can_be_sent_again(stand: Stand) -> None:
    """The store failed between the decision and its turn: the same decision again carries it out, once."""
    await stand.reach("approve")
    approval = await stand.pending_approval()
    await (await stand.stored()).decide_approval(
        SITE, approval.approval_id, ApprovalState.APPROVED, "operator-1", stand.clock.now()
    )
    await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, "operator-1")
    assert await stand.writes() == 1


async def test_the_words_of_the_question_come_from_the_call(stand: Stand) -> None:
    """What is confirmed is what the company's records say, and it is returned as the exact call."""
    await stand.say(CANCEL)
    asked = await stand.say(await stand.code())
    assert asked.confirmation is not None
    assert asked.confirmation.arguments["subscription_id"] == "SUB-1001"
    assert "SUB-1001" in asked.reply


@pytest.mark.parametrize("words", ["no", "I changed my mind", "please stop the cancellation", "I withdraw my request"])
async def test_a_request_that_waits_for_approval_can_be_taken_back(stand: Stand, words: str) -> None:
    """The request is closed for the operator too, and nothing runs."""
    await stand.reach("approve")
    result = await stand.say(words)
    assert "CONFIRMATION_DECLINED" in result.reasons
    assert await pending(stand) is None
    (held,) = await (await stand.stored()).approvals(SITE)
    assert held.state is ApprovalState.DENIED
    with pytest.raises(ApprovalClosed):
        await stand.service.decide(SITE, held.approval_id, ApprovalState.APPROVED, "operator")
    assert await stand.writes() == 0


async def test_a_yes_that_says_more_is_no_agreement(stand: Stand) -> None:
    """Agreement is a whole message of agreeing words."""
    await stand.reach("yes")
    result = await stand.say("I confirm that I do not want this")
    assert "CONFIRMATION_GIVEN" not in result.reasons
    assert await (await stand.stored()).approvals(SITE) == ()


async def test_a_decision_is_carried_out_while_a_person_has_the_conversation(stand: Stand) -> None:
    """The approved call runs and the customer is told, whoever speaks with them now."""
    await stand.reach("approve")
    await stand.service.ask_for_person(SITE, stand.conversation, stand.customer, "button")
    result = await stand.decide()
    assert "APPROVAL_GRANTED" in result.reasons
    assert await stand.writes() == 1
    assert result.status is ConversationStatus.QUEUED


async def test_what_has_run_in_an_earlier_turn_is_known(stand: Stand) -> None:
    """The snapshot names the writes of the conversation, so that none of them runs again."""
    await stand.reach("approve")
    await stand.decide()
    snapshot = await stand.service.snapshot(SITE, stand.conversation, stand.customer)
    assert len(snapshot.ran) == 1


async def test_a_request_nobody_decides_expires_by_itself(stand: Stand) -> None:
    """Time is looked after without anybody's call, and the customer is told."""
    await stand.reach("approve")
    stand.clock.move(minutes=60 * 30)
    await stand.service.tend()
    (held,) = await (await stand.stored()).approvals(SITE)
    assert held.state is ApprovalState.EXPIRED
    assert await pending(stand) is None
    assert await stand.writes() == 0
