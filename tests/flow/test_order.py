"""Messages at once, repeated, too long, or at a time that has been already (spec S13.3, S13.4)."""

from __future__ import annotations

import asyncio

import pytest

from handrail.agent.refusals import MessageTooLong
from handrail.guardrails.vocabulary import Role
from tests.flow.stand import CANCEL, SITE, Stand

STATE_BOUND = 48_000
"""Characters of JSON that the state of a conversation may take, however long it lasts."""


async def test_two_messages_at_once_are_answered_in_order(stand: Stand) -> None:
    """One turn at a time, and none is lost."""
    await asyncio.gather(stand.say("How do I add a member to a project?"), stand.say("How do I export my tasks?"))
    messages = await stand.service.messages(SITE, stand.conversation, stand.customer, 0, 20)
    assert sorted(message.role.value for message in messages) == ["bot", "bot", "customer", "customer"]
    assert [message.text for message in messages if message.role is Role.CUSTOMER] == [
        "How do I add a member to a project?",
        "How do I export my tasks?",
    ]
    snapshot = await stand.service.snapshot(SITE, stand.conversation, stand.customer)
    assert snapshot.state.turns == 2


async def test_the_same_key_twice_is_one_turn(stand: Stand) -> None:
    """At once and afterwards: the same answer, one message stored, one code sent."""
    first, second = await asyncio.gather(stand.say(CANCEL, key="k"), stand.say(CANCEL, key="k"))
    third = await stand.say(CANCEL, key="k")
    assert first == second == third
    messages = await stand.service.messages(SITE, stand.conversation, stand.customer, 0, 20)
    assert len(messages) == 2
    assert stand.step_up.calls["start"] == 1


async def test_a_clock_that_jumps_back_breaks_nothing(stand: Stand) -> None:
    """An hour back in the middle of a cancellation: every message is answered and the log stays whole."""
    await stand.reach("code")
    stand.clock.move(hours=-1)
    result = await stand.say(await stand.code())
    assert result.reply
    assert (await stand.say("yes")).reply
    assert await stand.writes() == 0
    assert stand.audit_breaks() == ()


async def test_a_message_of_a_megabyte_is_not_stored(stand: Stand) -> None:
    """It is refused with the limit named."""
    with pytest.raises(MessageTooLong, match="8000"):
        await stand.say("x" * 1_000_000)
    assert await stand.service.messages(SITE, stand.conversation, stand.customer, 0, 20) == ()


async def test_the_state_does_not_grow_with_the_conversation(stand: Stand) -> None:
    """Two hundred messages, long ones among them, leave a state of bounded size."""
    words = ("How do I add a member to a project?", "and exports?", CANCEL, "no", "cancel, because it is slow")
    for number in range(200):
        long = " because" * 900 if number % 50 == 0 else ""
        await stand.say(f"{words[number % len(words)]} {number}{long}")
    snapshot = await stand.service.snapshot(SITE, stand.conversation, stand.customer)
    assert len(snapshot.state.model_dump_json()) < STATE_BOUND
    assert len(snapshot.history) <= 12
