"""What comes twice, too early, or from somebody who has left: nothing runs unagreed, and nothing false is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from handrail.agent.conversation import ApprovalState
from handrail.agent.store_port import CaseTaken
from handrail.guardrails.vocabulary import ConversationStatus, Role
from tests.flow.people import ANNA, BEN
from tests.flow.stand import SITE, Scripted, Stand

PASSWORD = "correct horse battery"
REFUND = {"invoice_id": "INV-2041", "amount": "52.00"}


@pytest.fixture
async def asked(stands: Callable[..., Awaitable[Stand]]) -> Stand:
    """A refund of Dana's that she has confirmed and that waits for approval."""
    model = Scripted(text="Is there anything else?", calls=(("issue_refund", dict(REFUND)),))
    stand = await stands(model=model, customer="dana")
    await stand.say("Can I get 52.00 back for INV-2041?")
    await stand.say(await stand.code())
    await stand.say("yes")
    return stand


async def reached(stand: Stand, approval_id: str, state: ApprovalState) -> None:
    """Wait until the request is in that state."""
    store = await stand.stored()
    async with asyncio.timeout(10):
        while (  # noqa: ASYNC110 - the store tells nobody of decisions
            held := await store.approval(SITE, approval_id)
        ) is None or held.state is not state:
            await asyncio.sleep(0)


async def said_by_bot(stand: Stand, after: int) -> list[str]:
    """What the machine has said since message number `after`."""
    messages = await stand.service.messages(SITE, stand.conversation, stand.customer, after, 50)
    return [message.text for message in messages if message.role is Role.BOT]


async def test_a_yes_that_was_written_before_the_question_agrees_to_nothing(stand: Stand) -> None:
    """Code and yes sent at once: the yes has not seen what it would confirm."""
    await stand.reach("code")
    code = await stand.code()
    _, early = await asyncio.gather(stand.say(code), stand.say("yes"))
    assert "CONFIRMATION_GIVEN" not in early.reasons
    assert await (await stand.stored()).approvals(SITE) == ()


async def test_a_yes_to_something_else_does_not_confirm_an_edit(asked: Stand) -> None:
    """Sent while a colleague lowers the refund, it answers the colleague's earlier question."""
    approval = await asked.pending_approval()
    await asked.service.casework.claim(SITE, asked.conversation, ANNA)
    await asked.service.casework.reply(SITE, asked.conversation, ANNA, "Hi Dana, are you there?", "q")
    editing = asyncio.create_task(asked.service.casework.edit(SITE, approval.approval_id, {"amount": "1.00"}, ANNA))
    await reached(asked, approval.approval_id, ApprovalState.APPROVED)
    early = await asked.say("yes")
    await editing
    assert "CONFIRMATION_GIVEN" not in early.reasons
    assert await asked.writes() == 0


async def test_a_decision_that_comes_twice_is_told_once(asked: Stand) -> None:
    """A double click: one effect, and the customer reads one sentence, which is true."""
    approval = await asked.pending_approval()
    before = len(await asked.service.messages(SITE, asked.conversation, asked.customer, 0, 50))
    one = asyncio.create_task(asked.service.casework.approve(SITE, approval.approval_id, ANNA))
    await reached(asked, approval.approval_id, ApprovalState.APPROVED)
    two = asyncio.create_task(asked.service.casework.approve(SITE, approval.approval_id, ANNA))
    await asyncio.gather(one, two, return_exceptions=True)
    (told,) = await said_by_bot(asked, before)
    assert "52.00" in told
    assert await asked.writes() == 1


async def test_a_stored_decision_is_carried_out_when_its_worker_died(asked: Stand) -> None:
    """Between storing and carrying out: looked after without anybody's call, once."""
    approval = await asked.pending_approval()
    store = await asked.stored()
    await store.decide_approval(SITE, approval.approval_id, ApprovalState.APPROVED, "anna.bauer", asked.clock.now())
    await asked.service.tend()
    assert await asked.writes() == 0, "whoever stored it may still be at it"
    asked.clock.move(minutes=2)
    await asked.service.tend()
    await asked.service.tend()
    assert await asked.writes() == 1


async def test_who_has_left_holds_nothing(stand: Stand) -> None:
    """A conversation of a disabled account can be claimed by somebody else, at once and only then."""
    await stand.service.operators.add(ANNA.name, ANNA.display, PASSWORD)
    await stand.button()
    await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    with pytest.raises(CaseTaken):
        await stand.service.casework.claim(SITE, stand.conversation, BEN)
    await stand.service.operators.disable(ANNA.name)
    case = await stand.service.casework.claim(SITE, stand.conversation, BEN)
    assert (case.holder, case.status) == (BEN.name, ConversationStatus.ACCEPTED)


async def test_a_sign_in_under_way_does_not_survive_a_new_password(stand: Stand) -> None:
    """The old password opens nothing once the new one is stored, however long the comparison took."""
    accounts = stand.service.operators
    await accounts.add(ANNA.name, ANNA.display, PASSWORD)
    comparing = asyncio.create_task(accounts.sign_in(ANNA.name, PASSWORD))
    await accounts.set_password(ANNA.name, "another horse battery")
    session = await comparing
    assert session is None or await accounts.who(session.token) is None
