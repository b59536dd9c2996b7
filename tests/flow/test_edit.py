"""An operator approves a call with other arguments (spec S7.3), on the whole service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pydantic import JsonValue
from sqlalchemy import text as sql

from handrail.agent.casework import ReleasedTo
from handrail.agent.conversation import ApprovalState, PendingCall
from handrail.agent.feed import ConfirmationRequested, MessageCompleted, ShownArgument
from handrail.agent.refusals import ArgumentsInvalid
from handrail.agent.store_port import ApprovalClosed, UnknownApproval
from handrail.guardrails.vocabulary import ConversationStatus, Obligation, TurnResult
from tests.flow.people import ANNA, BEN, feed, head, logged, only
from tests.flow.ports import Fault
from tests.flow.stand import SITE, Scripted, Stand

Stands = Callable[..., Awaitable[Stand]]
REFUND: dict[str, JsonValue] = {"invoice_id": "INV-2041", "amount": "52.00"}


@pytest.fixture
async def waits(stands: Stands) -> Stand:
    """A refund of 52.00 that the customer has agreed to and that waits for approval."""
    model = Scripted(text="Is there anything else?", calls=(("issue_refund", REFUND),))
    stand = await stands(model=model, customer="dana")
    await stand.say("Can I get 52.00 back for INV-2041?")
    await stand.say(await stand.code())
    await stand.say("yes")
    return stand


async def edit(stand: Stand, **arguments: JsonValue) -> TurnResult:
    """Anna approves the pending call with these arguments."""
    approval = await stand.pending_approval()
    return await stand.service.casework.edit(SITE, approval.approval_id, arguments, ANNA)


async def refunded(stand: Stand) -> list[int]:
    """The refunds in the company's own records, in cents."""
    query = sql("select amount_minor from refunds order by at")
    return await stand.company.read(lambda connection: [int(one) for one in connection.execute(query).scalars()])


async def pending(stand: Stand) -> PendingCall | None:
    """What waits in the conversation."""
    return (await stand.service.snapshot(SITE, stand.conversation, stand.customer)).state.pending


async def test_more_for_the_customer_runs_at_once(waits: Stand) -> None:
    """The customer is told what was changed and what happened; the approval is used."""
    before = await waits.pending_approval()
    after = await head(waits)
    result = await edit(waits, amount="60.00")
    assert {"APPROVAL_GRANTED", "APPROVAL_EDITED", "TOOL_SUCCEEDED"} <= set(result.reasons)
    assert await refunded(waits) == [6000]
    said = only(await feed(waits, after), MessageCompleted)
    assert said.text == result.reply
    assert "changed it" in said.text
    assert "60.00" in said.text
    held = await (await waits.stored()).approval(SITE, before.approval_id)
    assert held is not None
    assert (held.state, held.decided_by, held.call.arguments["amount"]) == (ApprovalState.USED, ANNA.name, "60.00")
    assert held.digest != before.digest
    assert await pending(waits) is None


async def test_less_has_to_be_agreed_to_first(waits: Stand) -> None:
    """The exact arguments are shown, nothing runs, and the approval is kept for them."""
    before = await waits.pending_approval()
    after = await head(waits)
    result = await edit(waits, amount="20.00")
    assert "TOOL_CONFIRM_FIRST" in result.reasons
    assert await refunded(waits) == []
    assert result.quick_replies == ("Yes", "No")
    card = only(await feed(waits, after), ConfirmationRequested)
    assert card.title == "Refund"
    assert card.expires_at == before.expires_at
    assert card.arguments == (
        ShownArgument(name="invoice_id", content="INV-2041"),
        ShownArgument(name="amount", content="20.00"),
    )
    held = await pending(waits)
    assert held is not None
    assert (held.awaiting, held.approval_id, held.confirmed) == (Obligation.CONFIRM, before.approval_id, False)


async def test_a_yes_runs_what_was_shown_once(waits: Stand) -> None:
    """Not the amount of before, and not again with another yes."""
    await edit(waits, amount="20.00")
    result = await waits.say("yes")
    assert {"CONFIRMATION_GIVEN", "TOOL_SUCCEEDED"} <= set(result.reasons)
    assert await refunded(waits) == [2000]
    assert "20.00" in result.reply
    await waits.say("yes")
    assert await refunded(waits) == [2000]


async def test_a_no_leaves_everything_as_it_is(waits: Stand) -> None:
    """And a later yes has nothing to agree to."""
    await edit(waits, amount="20.00")
    result = await waits.say("no")
    assert "CONFIRMATION_DECLINED" in result.reasons
    await waits.say("yes")
    assert await refunded(waits) == []
    assert await pending(waits) is None


async def test_the_yes_to_the_call_of_before_does_not_count(waits: Stand) -> None:
    """It was given before the edit: the edited call is not confirmed by it."""
    result = await edit(waits, amount="51.99")
    decision = next(one for one in result.decisions if one.subject == "issue_refund")
    facts = {one.name: one.content for one in decision.facts}
    assert (facts["call_confirmed"], facts["call_approvals"], facts["call_edit"]) == (False, 1, "adverse")
    assert await refunded(waits) == []


async def test_it_can_be_answered_while_a_person_has_the_conversation(waits: Stand) -> None:
    """The machine carries it out and tells, and the person keeps the conversation."""
    await waits.service.casework.claim(SITE, waits.conversation, ANNA)
    await edit(waits, amount="20.00")
    result = await waits.say("yes")
    assert await refunded(waits) == [2000]
    assert result.reply
    assert result.status is ConversationStatus.ACCEPTED
    assert (await waits.service.casework.case(SITE, waits.conversation)).holder == ANNA.name


async def test_it_can_be_declined_while_a_person_has_the_conversation(waits: Stand) -> None:
    """Nothing runs, and it is said."""
    await waits.service.casework.claim(SITE, waits.conversation, ANNA)
    await edit(waits, amount="20.00")
    result = await waits.say("no, leave it")
    assert "CONFIRMATION_DECLINED" in result.reasons
    assert result.reply
    assert await refunded(waits) == []


async def test_a_yes_to_the_person_is_asked_again(waits: Stand) -> None:
    """The person asked something in between: the question of the call is put once more, and then a yes runs it."""
    await waits.service.casework.claim(SITE, waits.conversation, ANNA)
    await edit(waits, amount="20.00")
    await waits.service.casework.reply(SITE, waits.conversation, ANNA, "Are you still there?", "r1")
    after = await head(waits)
    asked = await waits.say("yes")
    assert "ASKED_AGAIN" in asked.reasons
    assert await refunded(waits) == []
    assert only(await feed(waits, after), ConfirmationRequested).arguments[-1].content == "20.00"
    await waits.say("yes")
    assert await refunded(waits) == [2000]


async def test_a_no_to_the_person_declines_nothing(waits: Stand) -> None:
    """It may answer them; the machine stays silent, and the question stands."""
    await waits.service.casework.claim(SITE, waits.conversation, ANNA)
    await edit(waits, amount="20.00")
    await waits.service.casework.reply(SITE, waits.conversation, ANNA, "Anything else?", "r1")
    result = await waits.say("no")
    assert result.reply == ""
    assert await pending(waits) is not None


async def test_other_words_to_the_person_are_left_to_the_person(waits: Stand) -> None:
    """The machine says nothing to them, and the question stands."""
    await waits.service.casework.claim(SITE, waits.conversation, ANNA)
    await edit(waits, amount="20.00")
    result = await waits.say("why so little?")
    assert result.reply == ""
    held = await pending(waits)
    assert held is not None
    assert held.edited


async def test_it_lapses_with_the_approval(waits: Stand) -> None:
    """A yes after its time runs nothing."""
    await edit(waits, amount="20.00")
    waits.clock.move(hours=waits.service.bundle.manifest.limits.approval_hours + 1)
    await waits.say("yes")
    assert await refunded(waits) == []


async def test_facts_that_changed_until_the_yes_decide_again(waits: Stand) -> None:
    """The invoice was voided elsewhere: nothing runs, whatever was approved and agreed to."""
    await edit(waits, amount="20.00")
    void = sql("update invoices set status = 'void' where id = 'INV-2041'")
    await waits.company.write(lambda connection: connection.execute(void))
    result = await waits.say("yes")
    assert "TOOL_NOT_POSSIBLE" in result.reasons
    assert await refunded(waits) == []


async def test_more_than_was_paid_is_refused_at_the_gate(waits: Stand) -> None:
    """An operator cannot do what policy does not allow."""
    result = await edit(waits, amount="5000.00")
    assert "TOOL_NOT_POSSIBLE" in result.reasons
    assert result.reply
    assert await refunded(waits) == []
    assert await pending(waits) is None


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"amount": "plenty"}, "amount"),
        ({"amount": None}, "amount is missing"),
        ({"amount": "0.00"}, "at least 0.01"),
        ({"amount": "20.00", "to": "me"}, "does not have"),
        ({"invoice_id": "INV-2011"}, "invoice_id cannot be changed"),
        ({"amount": "52.00"}, "nothing is changed"),
        ({}, "nothing is changed"),
    ],
)
async def test_what_cannot_be_is_listed_and_changes_nothing(
    waits: Stand, arguments: dict[str, JsonValue], problem: str
) -> None:
    """The request is as it was, and can be approved as it was."""
    before, after = await waits.pending_approval(), await head(waits)
    with pytest.raises(ArgumentsInvalid) as refused:
        await edit(waits, **arguments)
    assert any(problem in one for one in refused.value.problems)
    assert await waits.pending_approval() == before
    assert await head(waits) == after
    await waits.service.casework.approve(SITE, before.approval_id, BEN)
    assert await refunded(waits) == [5200]


@pytest.mark.parametrize("ending", ["denied", "expired", "used", "taken back"])
async def test_what_is_over_cannot_be_edited(waits: Stand, ending: str) -> None:
    """Whatever became of it."""
    approval = await waits.pending_approval()
    casework = waits.service.casework
    if ending == "denied":
        await casework.deny(SITE, approval.approval_id, BEN)
    elif ending == "used":
        await casework.approve(SITE, approval.approval_id, BEN)
    elif ending == "taken back":
        await waits.say("I changed my mind, no")
    else:
        waits.clock.move(hours=waits.service.bundle.manifest.limits.approval_hours + 1)
    before = await refunded(waits)
    with pytest.raises(ApprovalClosed):
        await casework.edit(SITE, approval.approval_id, {"amount": "60.00"}, ANNA)
    assert await refunded(waits) == before


async def test_an_unknown_request_is_said_to_be_unknown(waits: Stand) -> None:
    """By every decision."""
    casework = waits.service.casework
    for acting in (
        casework.approve(SITE, "none", ANNA),
        casework.deny(SITE, "none", ANNA),
        casework.edit(SITE, "none", {"amount": "60.00"}, ANNA),
    ):
        with pytest.raises(UnknownApproval):
            await acting


async def test_an_edited_request_cannot_be_decided_again(waits: Stand) -> None:
    """While the customer is asked, nobody else approves, edits or denies it, so nothing runs without the yes."""
    approval = await waits.pending_approval()
    await edit(waits, amount="20.00")
    casework = waits.service.casework
    for acting in (
        casework.approve(SITE, approval.approval_id, BEN),
        casework.deny(SITE, approval.approval_id, BEN),
        casework.edit(SITE, approval.approval_id, {"amount": "60.00"}, BEN),
        casework.edit(SITE, approval.approval_id, {"amount": "20.00"}, ANNA),
    ):
        with pytest.raises(ApprovalClosed):
            await acting
    assert await refunded(waits) == []


async def test_of_an_edit_and_an_approval_at_once_one_counts(waits: Stand) -> None:
    """Never both."""
    approval = await waits.pending_approval()
    casework = waits.service.casework
    results = await asyncio.gather(
        casework.edit(SITE, approval.approval_id, {"amount": "60.00"}, ANNA),
        casework.approve(SITE, approval.approval_id, BEN),
        return_exceptions=True,
    )
    assert [isinstance(one, ApprovalClosed) for one in results].count(True) == 1
    assert await refunded(waits) in ([6000], [5200])


async def test_an_edit_whose_turn_never_began_can_be_sent_again(waits: Stand) -> None:
    """The store failed between the edit and its turn: the same edit again carries it out, once."""
    waits.store.fail("begin_operator_turn", Fault.BUG)
    approval = await waits.pending_approval()
    with pytest.raises(Exception, match="try again"):
        await waits.service.casework.edit(SITE, approval.approval_id, {"amount": "60.00"}, ANNA)
    waits.mend()
    await waits.service.casework.edit(SITE, approval.approval_id, {"amount": "60.00"}, ANNA)
    assert await refunded(waits) == [6000]


@pytest.mark.parametrize(("amount", "runs"), [("60.00", [6000]), ("20.00", [])])
async def test_an_edit_that_was_interrupted_is_finished_as_an_edit(waits: Stand, amount: str, runs: list[int]) -> None:
    """The worker died in its turn: another one resumes it, and less still needs the customer's yes."""
    waits.store.fail("finish", Fault.BUG)
    await edit(waits, amount=amount)
    waits.mend()
    assert await waits.service.recover() == 1
    assert await refunded(waits) == runs
    held = await pending(waits)
    assert (held is not None and held.edited) is (not runs)
    await waits.say("yes")
    assert await refunded(waits) == (runs or [2000])


async def test_the_log_has_both_digests_and_who_edited(waits: Stand) -> None:
    """What was asked for, what was approved instead, by whom; and it explains the turn."""
    before = await waits.pending_approval()
    await edit(waits, amount="20.00")
    (edited,) = [one for one in logged(waits) if one["action"] == "approval_edited"]
    after = await (await waits.stored()).approval(SITE, before.approval_id)
    assert after is not None
    assert (edited["digest"], edited["edited_digest"], edited["by"]) == (before.digest, after.digest, ANNA.name)


async def test_a_request_that_replaces_an_edited_one_is_asked_anew(waits: Stand) -> None:
    """One matter at a time: the edited one is given up, and its yes is not taken for the other."""
    await edit(waits, amount="20.00")
    assert isinstance(waits.model.real, Scripted)
    waits.model.real.calls = (("issue_refund", {"invoice_id": "INV-2041", "amount": "30.00"}),)
    waits.model.real.text = ""
    asked = await waits.say("Can I get 30.00 back for INV-2041 instead?")
    assert await refunded(waits) == []
    held = await pending(waits)
    assert held is not None, asked.reasons
    assert held.approval_id is None or held.edited


async def test_a_model_cannot_use_the_operators_word(stands: Stands) -> None:
    """The amount that an operator set in one call is no origin for another call of the model."""
    model = Scripted(text="", calls=(("issue_refund", {"invoice_id": "INV-2041", "amount": "33.33"}),))
    stand = await stands(model=model, customer="dana")
    result = await stand.say("Can I get some money back for INV-2041?")
    assert "TOOL_BAD_PROVENANCE" in result.reasons


async def test_after_a_release_the_question_still_stands(waits: Stand) -> None:
    """A colleague's edit does not hang on who speaks: it is asked again, and then answered."""
    await waits.service.casework.claim(SITE, waits.conversation, ANNA)
    await edit(waits, amount="20.00")
    await waits.service.casework.release(SITE, waits.conversation, ANNA, ReleasedTo.BOT)
    await waits.say("yes")
    assert await refunded(waits) == []
    await waits.say("yes")
    assert await refunded(waits) == [2000]
