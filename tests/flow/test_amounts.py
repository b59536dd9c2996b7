"""How much a customer was granted within a time (spec S7.2): refunds of more than 300.00 in thirty days."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest
from sqlalchemy import text as sql

from handrail.agent.conversation import Approval, ApprovalState, JournalState
from handrail.agent.ports import ToolRefused
from handrail.guardrails.vocabulary import ConversationStatus, TurnResult
from tests.flow.people import ANNA
from tests.flow.ports import Fault
from tests.flow.stand import SITE, Scripted, Stand

Stands = Callable[..., Awaitable[Stand]]


@pytest.fixture
async def stand(stands: Stands) -> Stand:
    """A service with a conversation of the owner of a business account."""
    return await stands(model=Scripted(text="Is there anything else?"), customer="jonas")


async def ask(stand: Stand, amount: str) -> TurnResult:
    """In a conversation of its own, ask for a part of the invoice back, as far as it goes without a person."""
    assert isinstance(stand.model.real, Scripted)
    stand.model.real.calls = (("issue_refund", {"invoice_id": "INV-2049", "amount": amount}),)
    await stand.open("jonas")
    result = await stand.say(f"Can I get {amount} back for INV-2049?")
    if result.handoff is None:
        await stand.say(await stand.code())
        result = await stand.say("yes")
    return result


async def waiting(stand: Stand) -> tuple[Approval, ...]:
    """What waits for approval, whatever the conversation."""
    return await (await stand.stored()).approvals(SITE, ApprovalState.PENDING)


async def approved(stand: Stand) -> list[TurnResult]:
    """Anna approves everything that waits, all at once."""
    casework = stand.service.casework
    return list(await asyncio.gather(*(casework.approve(SITE, one.approval_id, ANNA) for one in await waiting(stand))))


async def refunded(stand: Stand) -> int:
    """What the company's own records say was refunded, in cents."""
    query = sql("select coalesce(sum(amount_minor), 0) from refunds")
    return await stand.company.read(lambda connection: int(connection.execute(query).scalar_one()))


async def second_refunds_allowed(stand: Stand) -> None:
    """Let the sample company forget, at every refund, that there was one: only the sum stands in the way then."""
    forget = sql(
        "create trigger forget after update on invoices when new.refunded_minor > 0 "
        "begin update invoices set refunded_minor = 0 where id = new.id; end"
    )
    await stand.company.write(lambda connection: connection.execute(forget))


async def test_what_was_refunded_before_counts_with_the_call(stand: Stand) -> None:
    """In whatever conversation: with 180.00 of before, 121.00 goes to a person, and 120.00 does not."""
    await second_refunds_allowed(stand)
    await ask(stand, "180.00")
    await approved(stand)
    assert await refunded(stand) == 18000
    result = await ask(stand, "121.00")
    assert "TOOL_REFUND_SUM" in result.reasons
    assert result.status is ConversationStatus.QUEUED
    decision = next(one for one in result.decisions if one.subject == "issue_refund")
    assert {one.name: one.content for one in decision.facts}["call_refunded_30d"] == 30100
    await ask(stand, "120.00")
    await approved(stand)
    assert await refunded(stand) == 30000


async def test_what_is_too_long_ago_does_not_count(stand: Stand) -> None:
    """After thirty days there is room again."""
    await second_refunds_allowed(stand)
    await ask(stand, "180.00")
    await approved(stand)
    stand.clock.move(days=3)
    assert "TOOL_REFUND_SUM" in (await ask(stand, "190.00")).reasons
    stand.clock.move(days=28)
    # The payment is too old for a refund by then, but no longer because of what was refunded.
    assert "TOOL_REFUND_SUM" not in (await ask(stand, "190.00")).reasons


async def test_two_that_wait_are_not_both_carried_out(stand: Stand) -> None:
    """Each was small enough when it was asked for. The one that comes second goes to a person, approved or not."""
    await second_refunds_allowed(stand)
    await ask(stand, "160.00")
    await ask(stand, "150.00")
    assert len(await waiting(stand)) == 2
    results = await approved(stand)
    assert await refunded(stand) in (16000, 15000)
    (late,) = [one for one in results if "TOOL_REFUND_SUM" in one.reasons]
    assert late.handoff is not None
    begun = stand.store.calls["begin_operator_turn"]
    stand.clock.move(minutes=2)
    await stand.service.tend()
    assert stand.store.calls["begin_operator_turn"] == begun, "what went to a person is not decided again and again"


async def test_one_that_overtakes_is_seen_before_anything_runs(stand: Stand) -> None:
    """Both are decided before either is journalled: the second is decided again, and does not slip under the limit."""
    await second_refunds_allowed(stand)
    await ask(stand, "160.00")
    await ask(stand, "150.00")
    real, met = (await stand.stored()).intend, asyncio.Barrier(2)
    first = True

    async def together(*positional: object, **named: object) -> None:
        nonlocal first
        if met.n_waiting < 2 and first:
            await met.wait()
            first = False
        await real(*positional, **named)  # type: ignore[arg-type]

    stand.store.replaced["intend"] = together
    results = await approved(stand)
    assert await refunded(stand) in (16000, 15000)
    (late,) = [one for one in results if "TOOL_OVERTAKEN" in one.reasons]
    assert "TOOL_REFUND_SUM" in late.reasons
    assert late.handoff is not None


async def test_a_refund_in_doubt_counts(stand: Stand) -> None:
    """It may have been granted; one that failed was not."""
    await second_refunds_allowed(stand)
    await ask(stand, "180.00")
    stand.toolbox.fail("execute", Fault.BUG)
    stand.toolbox.fail("outcome", Fault.BUG)
    (unknown,) = await approved(stand)
    assert "SYS_TOOL_UNKNOWN" in unknown.reasons
    stand.mend()
    assert "TOOL_REFUND_SUM" in (await ask(stand, "190.00")).reasons


async def test_a_refund_that_failed_does_not_count(stand: Stand) -> None:
    """The company's system said no, so nothing was granted."""
    await second_refunds_allowed(stand)
    await ask(stand, "180.00")

    async def refuses(*_positional: object, **_named: object) -> None:
        raise ToolRefused("not today")

    stand.toolbox.replaced["execute"] = refuses
    (failed,) = await approved(stand)
    assert "TOOL_FAILED" in failed.reasons
    stand.mend()
    assert "TOOL_REFUND_SUM" not in (await ask(stand, "190.00")).reasons


async def test_an_earlier_refund_of_unknown_amount_goes_to_a_person(stand: Stand) -> None:
    """As of before amounts were journalled: unknown is not nothing."""
    await second_refunds_allowed(stand)
    await ask(stand, "10.00")
    await approved(stand)
    with closing(sqlite3.connect(stand.folder / "handrail.db")) as connection, connection:
        connection.execute("update journal set amounts = '[]' where state = ?", (JournalState.SUCCEEDED.value,))
    result = await ask(stand, "10.00")
    assert {"TOOL_REFUND_SUM", "POLICY_UNKNOWN_FACT"} <= set(result.reasons)
    assert await refunded(stand) == 1000


async def test_a_turn_that_runs_again_does_not_count_itself(stand: Stand) -> None:
    """The worker died after the refund: the turn is finished from the journal, and not taken for a second refund."""
    await second_refunds_allowed(stand)
    await ask(stand, "180.00")
    stand.store.fail("finish", Fault.BUG)
    await approved(stand)
    stand.mend()
    assert await stand.service.recover() == 1
    assert await refunded(stand) == 18000
    (held,) = await (await stand.stored()).approvals(SITE)
    assert held.state is ApprovalState.USED
