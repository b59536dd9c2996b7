"""What clients are told of a turn (agent/feed.py), on the whole service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from handrail.agent.feed import (
    Checklist,
    CitationGiven,
    ConfirmationRequested,
    HandoffQueued,
    HandoffRequested,
    MessageCompleted,
    QuickReplies,
    StatusChanged,
)
from handrail.guardrails.vocabulary import ConversationStatus, Role
from tests.flow.people import ANNA, feed, head, names, only
from tests.flow.ports import Fault
from tests.flow.stand import CANCEL, SITE, Scripted, Stand

HOW_TO = "How do I add a member to a project?"
Stands = Callable[..., Awaitable[Stand]]


async def test_a_message_and_its_answer_with_sources(stand: Stand) -> None:
    """In this order, with the title of each document as the base has it."""
    result = await stand.say(HOW_TO)
    said, answer, *cited = await feed(stand)
    assert isinstance(said, MessageCompleted)
    assert isinstance(answer, MessageCompleted)
    assert (said.role, said.text, said.turn_id) == (Role.CUSTOMER, HOW_TO, result.turn_id)
    assert (answer.role, answer.text, answer.turn_id, answer.name) == (Role.BOT, result.reply, result.turn_id, None)
    assert result.citations
    titles = await stand.service.titles(result.citations)
    assert cited == [
        CitationGiven(message_id=answer.message_id, doc_id=doc_id, title=titles[doc_id]) for doc_id in result.citations
    ]
    messages = await stand.service.messages(SITE, stand.conversation, stand.customer, 0, 10)
    assert [one.message_id for one in messages] == [said.message_id, answer.message_id]


async def test_the_steps_of_a_guided_flow(stand: Stand) -> None:
    """As a list of their own, and every step stands in the text too."""
    result = await stand.say("I was charged twice for my last invoice")
    listed = only(await feed(stand), Checklist)
    assert result.checklist == listed.items
    assert all(f"- {item}" in result.reply for item in listed.items)
    answer = [one for one in await feed(stand) if isinstance(one, MessageCompleted)][-1]
    assert listed.message_id == answer.message_id


async def test_a_question_shows_the_exact_call(stand: Stand) -> None:
    """Title in the customer's words, arguments to the letter, quick answers, and until when it counts."""
    await stand.reach("yes")
    told = await feed(stand)
    card = only(told, ConfirmationRequested)
    snapshot = await stand.service.snapshot(SITE, stand.conversation, stand.customer)
    waiting = snapshot.state.pending
    assert waiting is not None
    assert (card.tool, card.title) == ("cancel_subscription", "Cancel the subscription")
    assert {one.name: one.content for one in card.arguments} == waiting.call.arguments
    assert card.expires_at == waiting.expires_at
    assert only(told, QuickReplies).replies == ("Yes", "No")
    assert names(told)[-2:] == ["quick_replies", "confirmation.requested"]


async def test_a_code_is_asked_for_without_a_card(stand: Stand) -> None:
    """Nobody can agree to anything yet."""
    await stand.reach("code")
    assert names(await feed(stand)) == ["message.completed", "message.completed"]


async def test_a_handoff(stand: Stand) -> None:
    """Who was asked for, where the customer stands, and that the status changed."""
    result = await stand.button()
    told = await feed(stand)
    assert names(told) == ["message.completed", "message.completed", "handoff.requested", "handoff.queued", "status"]
    assert result.handoff is not None
    team = stand.service.bundle.queues[result.handoff.queue].title["en"]
    assert only(told, HandoffRequested).team == team
    assert only(told, HandoffQueued) == HandoffQueued(
        team=team, position=1, due_at=result.handoff.due_at, opens_at=None
    )
    assert only(told, StatusChanged).status is ConversationStatus.QUEUED
    assert "number 1 in line" in result.reply


async def test_a_handoff_after_hours_says_when_somebody_is_there(stand: Stand) -> None:
    """A Sunday: the same in words and as an item."""
    stand.clock.at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    result = await stand.button()
    queued = only(await feed(stand), HandoffQueued)
    assert queued.opens_at is not None
    assert queued.opens_at > stand.clock.at
    assert f"{queued.opens_at:%A}" in result.reply


async def test_the_place_in_line_counts_those_before(stand: Stand) -> None:
    """The second of two is second, and asking again does not send the first behind."""
    first = stand.conversation
    await stand.button()
    await stand.open(stand.customer)
    await stand.button()
    assert only(await feed(stand), HandoffQueued).position == 2
    stand.conversation = first
    after = await head(stand)
    again = await stand.button()
    assert only(await feed(stand, after), HandoffQueued).position == 1
    assert "number 1 in line" in again.reply
    waiting = await stand.service.casework.queue(SITE)
    assert waiting[0].conversation_id == first


async def test_who_waits_is_told_where_they_stand(stand: Stand) -> None:
    """A further message: the place in words and as an item, no new handoff, no new status."""
    await stand.button()
    after = await head(stand)
    result = await stand.say("it is about my last invoice")
    told = await feed(stand, after)
    assert names(told) == ["message.completed", "message.completed", "handoff.queued"]
    assert only(told, HandoffQueued).position == 1
    assert "number 1 in line" in result.reply


async def test_a_solved_matter_asks_for_a_rating(stand: Stand) -> None:
    """The bot closes it: the status, then the request."""
    await stand.say(HOW_TO)
    after = await head(stand)
    result = await stand.say("that solved it, thanks!")
    assert result.status is ConversationStatus.RESOLVED
    assert names(await feed(stand, after)) == ["message.completed", "message.completed", "status", "rating.requested"]


async def test_a_message_after_that_opens_it_again(stand: Stand) -> None:
    """And nobody is said to be back who never left."""
    await stand.say(HOW_TO)
    await stand.say("that solved it, thanks!")
    after = await head(stand)
    result = await stand.say("hello again")
    assert only(await feed(stand, after), StatusChanged).status is ConversationStatus.BOT
    assert stand.service.bundle.text("returned", None) not in result.reply


async def test_the_last_line_tells_the_same(stand: Stand) -> None:
    """The graph itself broke: the handoff is told, the place in line is not guessed."""
    stand.clock.move(seconds=1)

    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("a bug in the graph")

    turning = stand.service._turning
    turning._graph = type("Broken", (), {"astream": broken, "ainvoke": broken})()
    result = await stand.say(HOW_TO)
    told = await feed(stand)
    assert "SYS_BUG" in result.reasons
    assert names(told) == ["message.completed", "message.completed", "handoff.requested", "status"]
    assert [one.text for one in told if isinstance(one, MessageCompleted)][-1] == result.reply


async def test_a_reply_that_could_not_be_stored_is_not_told(stand: Stand) -> None:
    """The caller hears that it failed; the same key again gives the answer, told once."""
    stand.store.fail("finish", Fault.BUG)
    failed = await stand.say(HOW_TO, key="k")
    assert failed.reply == stand.service.bundle.text("system_down", None)
    assert names(await feed(stand)) == ["message.completed"]
    stand.mend()
    result = await stand.say(HOW_TO, key="k")
    told = await feed(stand)
    assert [one.text for one in told if isinstance(one, MessageCompleted)] == [HOW_TO, result.reply]
    await stand.say(HOW_TO, key="k")
    assert await feed(stand) == told


async def test_a_turn_that_is_resumed_is_told_once(stand: Stand) -> None:
    """The worker died before the end: recovery tells the answer under the same id, and nothing twice."""
    stand.store.fail("finish", Fault.BUG)
    await stand.say(HOW_TO)
    stand.mend()
    assert await stand.service.recover() == 1
    told = await feed(stand)
    assert [one.role for one in told if isinstance(one, MessageCompleted)] == [Role.CUSTOMER, Role.BOT]


async def test_what_is_withheld_brings_nothing_with_it(stands: Stands) -> None:
    """A text that failed its checks is replaced whole: no sources, no answers to choose from, no card."""
    model = Scripted(text="I promise that you get a refund of $500.00 tomorrow.")
    stand = await stands(model=model)
    result = await stand.say(HOW_TO)
    assert "500" not in result.reply
    told = await feed(stand)
    assert not {"citation", "quick_replies", "checklist", "confirmation.requested"} & set(names(told))
    assert "500" not in "".join(one.model_dump_json() for one in told)


async def test_an_operators_decision_is_told(stand: Stand) -> None:
    """As a message of the turn that carried it out; the note of that turn is not told."""
    await stand.reach("approve")
    after = await head(stand)
    approval = await stand.pending_approval()
    result = await stand.service.casework.approve(SITE, approval.approval_id, ANNA)
    told = await feed(stand, after)
    assert names(told) == ["message.completed", "quick_replies"]
    said = only(told, MessageCompleted)
    assert (said.role, said.text) == (Role.BOT, result.reply)


@pytest.mark.parametrize("step", ["ask", "code", "yes", "approve"])
async def test_feed_and_messages_say_the_same(stand: Stand, step: str) -> None:
    """Whatever the conversation has come to: the same texts under the same ids."""
    await stand.reach(step)
    await stand.say(CANCEL if step == "ask" else "what is happening?")
    messages = await stand.service.messages(SITE, stand.conversation, stand.customer, 0, 100)
    told = [one for one in await feed(stand) if isinstance(one, MessageCompleted)]
    assert [(one.message_id, one.role, one.text) for one in told] == [
        (one.message_id, one.role, one.text) for one in messages
    ]
