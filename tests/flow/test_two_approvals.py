"""A call that takes two different people (spec S7.3): a refund above 200.00, on the whole service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pydantic import JsonValue
from sqlalchemy import text as sql

from handrail.agent.audit.explain import explain
from handrail.agent.audit.explain_text import as_text
from handrail.agent.casework import ReleasedTo
from handrail.agent.conversation import Approval, ApprovalState, PendingCall
from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store_port import ApprovalChanged, ApprovalClosed, ApproverBarred
from handrail.guardrails.vocabulary import Obligation, TurnResult
from tests.flow.people import ANNA, BEN, logged
from tests.flow.ports import Fault
from tests.flow.stand import SITE, Scripted, Stand, store_url

Stands = Callable[..., Awaitable[Stand]]
REFUND: dict[str, JsonValue] = {"invoice_id": "INV-2049", "amount": "250.00"}
ASKED = "Can I get 250.00 back for INV-2049?"


@pytest.fixture
async def waits(stands: Stands) -> Stand:
    """A refund of 250.00 that the customer has agreed to and that waits for approval."""
    model = Scripted(text="Is there anything else?", calls=(("issue_refund", dict(REFUND)),))
    stand = await stands(model=model, customer="jonas")
    await agreed(stand)
    return stand


async def agreed(stand: Stand) -> None:
    """Ask for the refund, enter the code, say yes."""
    await stand.say(ASKED)
    await stand.say(await stand.code())
    await stand.say("yes")


async def refunded(stand: Stand) -> list[int]:
    """The refunds in the company's own records, in cents."""
    query = sql("select amount_minor from refunds order by at")
    return await stand.company.read(lambda connection: [int(one) for one in connection.execute(query).scalars()])


async def held(stand: Stand) -> Approval:
    """The one request of the conversation, whatever became of it."""
    (found,) = (await stand.service.casework.case(SITE, stand.conversation)).approvals
    return found


async def pending(stand: Stand) -> PendingCall | None:
    """What waits in the conversation."""
    return (await stand.service.snapshot(SITE, stand.conversation, stand.customer)).state.pending


async def approve(stand: Stand, who: object = ANNA, digest: str | None = None) -> TurnResult:
    """One of the operators approves the request."""
    return await stand.service.casework.approve(SITE, (await held(stand)).approval_id, who, digest)  # type: ignore[arg-type]


async def test_one_approval_is_not_enough(waits: Stand) -> None:
    """It goes back into the queue as the same request, which names who approved; the customer hears where it stands."""
    before = await held(waits)
    result = await approve(waits)
    assert {"APPROVAL_GRANTED", "TOOL_SECOND_APPROVAL"} <= set(result.reasons)
    assert await refunded(waits) == []
    after = await held(waits)
    assert (after.state, after.approvers, after.decided_by) == (ApprovalState.PENDING, (ANNA.name,), None)
    assert (after.approval_id, after.digest, after.expires_at) == (before.approval_id, before.digest, before.expires_at)
    assert "A second colleague has to approve it too" in result.reply
    assert "250.00" in result.reply
    waiting = await pending(waits)
    assert waiting is not None
    assert (waiting.awaiting, waiting.approval_id, waiting.confirmed) == (Obligation.APPROVE, before.approval_id, True)
    asked = await waits.say("yes")
    assert "still waiting" in asked.reply


async def test_the_second_person_lets_it_run_once(waits: Stand) -> None:
    """Of exactly that call, and whoever comes later is told that it is over."""
    await approve(waits)
    result = await approve(waits, BEN)
    assert "TOOL_SUCCEEDED" in result.reasons
    assert await refunded(waits) == [25000]
    assert "250.00" in result.reply
    after = await held(waits)
    assert (after.state, after.approvers) == (ApprovalState.USED, (ANNA.name, BEN.name))
    with pytest.raises(ApprovalClosed):
        await approve(waits, BEN)
    await waits.service.tend()
    assert await refunded(waits) == [25000]


async def test_the_same_person_counts_once(waits: Stand) -> None:
    """A second approval by the same person is refused with words that say why, and changes nothing."""
    await approve(waits)
    before = await held(waits)
    with pytest.raises(ApproverBarred, match=r"anna\.bauer has approved this call already: it takes another person"):
        await approve(waits)
    assert await held(waits) == before
    assert await refunded(waits) == []


async def test_a_small_refund_still_takes_one(stands: Stands) -> None:
    """200.00 is not above 200.00."""
    model = Scripted(text="Anything else?", calls=(("issue_refund", {**REFUND, "amount": "200.00"}),))
    stand = await stands(model=model, customer="jonas")
    await stand.say("Can I get 200.00 back for INV-2049?")
    await stand.say(await stand.code())
    await stand.say("yes")
    await approve(stand)
    assert await refunded(stand) == [20000]


async def test_a_denial_by_the_second_ends_it(waits: Stand) -> None:
    """The first one's approval is worth nothing then; the customer is told."""
    await approve(waits)
    result = await waits.service.casework.deny(SITE, (await held(waits)).approval_id, BEN)
    assert "APPROVAL_DENIED" in result.reasons
    assert (await held(waits)).state is ApprovalState.DENIED
    with pytest.raises(ApprovalClosed):
        await approve(waits, BEN)
    assert await refunded(waits) == []
    assert await pending(waits) is None


async def test_it_expires_into_a_denial_between_the_two(waits: Stand) -> None:
    """The first approval does not give it more time; the customer is told the truth."""
    await approve(waits)
    waits.clock.move(hours=waits.service.bundle.manifest.limits.approval_hours + 1)
    result = await approve(waits, BEN)
    assert "APPROVAL_EXPIRED" in result.reasons
    assert "was not decided in time" in result.reply
    assert (await held(waits)).state is ApprovalState.EXPIRED
    assert await pending(waits) is None
    assert await refunded(waits) == []


async def test_the_customer_can_take_it_back_between_the_two(waits: Stand) -> None:
    """Nobody approves it any more."""
    await approve(waits)
    await waits.say("no, I changed my mind")
    with pytest.raises(ApprovalClosed):
        await approve(waits, BEN)
    assert await refunded(waits) == []


async def test_an_edit_by_the_second_starts_over(waits: Stand) -> None:
    """The first approved another call. The edited one waits for another person, who has to name what they saw."""
    await approve(waits)
    first = await held(waits)
    result = await waits.service.casework.edit(SITE, first.approval_id, {"amount": "260.00"}, BEN)
    assert {"APPROVAL_EDITED", "TOOL_SECOND_APPROVAL"} <= set(result.reasons)
    assert await refunded(waits) == []
    again = await held(waits)
    assert (again.state, again.approvers, again.edited) == (ApprovalState.PENDING, (BEN.name,), True)
    assert again.call.arguments["amount"] == "260.00"
    with pytest.raises(ApproverBarred):
        await approve(waits, BEN, again.digest)
    for unseen in (None, first.digest):
        with pytest.raises(ApprovalChanged, match="look at it again"):
            await approve(waits, ANNA, unseen)
    assert await held(waits) == again
    await approve(waits, ANNA, again.digest)
    assert await refunded(waits) == [26000]
    assert (await held(waits)).approvers == (BEN.name, ANNA.name)


async def test_an_adverse_edit_is_agreed_to_before_the_second_person_is_asked(waits: Stand) -> None:
    """The customer says yes to less; then one more person approves exactly that."""
    await approve(waits)
    await waits.service.casework.edit(SITE, (await held(waits)).approval_id, {"amount": "240.00"}, BEN)
    result = await waits.say("yes")
    assert {"CONFIRMATION_GIVEN", "TOOL_SECOND_APPROVAL"} <= set(result.reasons)
    assert await refunded(waits) == []
    again = await held(waits)
    assert (again.state, again.approvers) == (ApprovalState.PENDING, (BEN.name,))
    await approve(waits, ANNA, again.digest)
    assert await refunded(waits) == [24000]


async def test_an_edit_back_down_is_against_the_customer(waits: Stand) -> None:
    """Who was told of 260.00 has to agree to 255.00, although they had asked for 250.00."""
    approval = (await held(waits)).approval_id
    await waits.service.casework.edit(SITE, approval, {"amount": "260.00"}, ANNA)
    result = await waits.service.casework.edit(SITE, approval, {"amount": "255.00"}, BEN)
    assert "TOOL_CONFIRM_FIRST" in result.reasons
    assert await refunded(waits) == []


async def test_two_at_once_are_two_people(waits: Stand) -> None:
    """Neither word is lost, and it runs once."""
    results = await asyncio.gather(approve(waits, ANNA), approve(waits, BEN), return_exceptions=True)
    assert not [one for one in results if isinstance(one, BaseException)]
    assert await refunded(waits) == [25000]
    assert set((await held(waits)).approvers) == {ANNA.name, BEN.name}


async def test_one_person_twice_at_once_is_one(waits: Stand) -> None:
    """A double click is no second person."""
    await asyncio.gather(*(approve(waits, ANNA) for _ in range(3)), return_exceptions=True)
    assert await refunded(waits) == []
    after = await held(waits)
    assert (after.state, after.approvers) == (ApprovalState.PENDING, (ANNA.name,))


async def test_a_decision_that_was_carried_out_asks_for_nothing_new(waits: Stand) -> None:
    """Stored once and carried out twice, the second time when the request waits again: there is still one request."""
    before = await held(waits)
    await approve(waits, ANNA)
    late = (await held(waits)).model_copy(update={"state": ApprovalState.APPROVED, "decided_by": ANNA.name})
    result = await waits.service._approving.carry_out(SITE, late)
    assert result.reply == ""
    assert "APPROVAL_SETTLED" in result.reasons
    after = await held(waits)
    assert after.approval_id == before.approval_id
    assert (after.state, after.approvers) == (ApprovalState.PENDING, (ANNA.name,))
    waiting = await pending(waits)
    assert waiting is not None
    assert waiting.waits_for(before.approval_id)
    await approve(waits, BEN)
    assert await refunded(waits) == [25_000]


async def test_an_approval_and_a_denial_at_once_never_run(waits: Stand) -> None:
    """Whichever comes first: at most one of two people has approved."""
    casework, approval = waits.service.casework, (await held(waits)).approval_id
    await asyncio.gather(approve(waits, ANNA), casework.deny(SITE, approval, BEN), return_exceptions=True)
    assert await refunded(waits) == []


@pytest.mark.parametrize("broken", ["begin_operator_turn", "finish"])
async def test_a_crash_between_the_two_loses_nothing(waits: Stand, broken: str) -> None:
    """Whether the first decision was only stored or its turn broke off: it counts once, and the second lets it run."""
    approval = (await held(waits)).approval_id
    waits.store.fail(broken, Fault.BUG)
    await asyncio.gather(approve(waits), return_exceptions=True)
    waits.mend()
    waits.clock.move(minutes=2)
    await waits.service.tend()
    await waits.service.tend()
    after = await held(waits)
    assert (after.approval_id, after.state, after.approvers) == (approval, ApprovalState.PENDING, (ANNA.name,))
    assert await refunded(waits) == []
    await approve(waits, BEN)
    assert await refunded(waits) == [25000]


async def test_the_second_may_come_before_the_first_is_carried_out(waits: Stand) -> None:
    """Whoever stored the first approval died: the second is not refused, and both count."""
    store, approval = await waits.stored(), (await held(waits)).approval_id
    await store.decide_approval(SITE, approval, ApprovalState.APPROVED, ANNA.name, waits.clock.now())
    await approve(waits, BEN)
    assert await refunded(waits) == [25000]
    waits.clock.move(minutes=2)
    await waits.service.tend()
    assert await refunded(waits) == [25000]


async def test_who_wrote_what_it_came_of_cannot_approve(stands: Stands) -> None:
    """Anna told the customer to ask for it: she may deny it, and neither approve nor edit it; two others may."""
    model = Scripted(text="Is there anything else?", calls=(("issue_refund", dict(REFUND)),))
    stand = await stands(model=model, customer="jonas")
    casework = stand.service.casework
    await stand.button()
    await casework.claim(SITE, stand.conversation, ANNA)
    await casework.reply(SITE, stand.conversation, ANNA, "Ask for 250.00 of INV-2049 back, I will see to it.", "r1")
    await casework.release(SITE, stand.conversation, ANNA, ReleasedTo.BOT)
    await agreed(stand)
    asked = await held(stand)
    assert asked.proposers == (ANNA.name,)
    with pytest.raises(ApproverBarred, match="wrote the message"):
        await approve(stand, ANNA)
    with pytest.raises(ApproverBarred):
        await casework.edit(SITE, asked.approval_id, {"amount": "260.00"}, ANNA)
    assert (await held(stand)) == asked
    await approve(stand, BEN)
    with pytest.raises(ApproverBarred):
        await approve(stand, ANNA)
    await casework.deny(SITE, asked.approval_id, ANNA)
    assert await refunded(stand) == []


async def test_who_wrote_after_it_was_asked_for_may_approve(waits: Stand) -> None:
    """Talking with the customer about a request is no proposing of it."""
    casework = waits.service.casework
    await casework.claim(SITE, waits.conversation, ANNA)
    await casework.reply(SITE, waits.conversation, ANNA, "I am looking at it.", "r1")
    await approve(waits, ANNA)
    assert (await held(waits)).approvers == (ANNA.name,)


async def test_facts_are_fresh_at_each_of_the_two(waits: Stand) -> None:
    """The invoice was voided after the first approval: the second lets nothing run, and the request is over."""
    await approve(waits)
    void = sql("update invoices set status = 'void' where id = 'INV-2049'")
    await waits.company.write(lambda connection: connection.execute(void))
    result = await approve(waits, BEN)
    assert "TOOL_NOT_POSSIBLE" in result.reasons
    assert await refunded(waits) == []
    assert await pending(waits) is None


async def test_log_and_explanation_name_both(waits: Stand) -> None:
    """Who approved, in order, at each decision, and in the turn that let it run."""
    await approve(waits)
    result = await approve(waits, BEN)
    decided = [one for one in logged(waits) if one["action"] == "approval"]
    assert [(one["by"], one["approvers"]) for one in decided] == [
        (ANNA.name, [ANNA.name]),
        (BEN.name, [ANNA.name, BEN.name]),
    ]
    log = AuditLog(store_url(waits.folder))
    try:
        told = as_text(explain(log.trail(result.turn_id), {}))
    finally:
        log.close()
    assert "approved by: anna.bauer, ben.cole" in told
    assert "call_approvals = 2" in told
