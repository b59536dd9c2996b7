"""What people do with conversations (spec S9.2, S9.3), on the whole service."""

from __future__ import annotations

import asyncio

import pytest

from handrail.agent.casework import ReleasedTo
from handrail.agent.conversation import ApprovalState
from handrail.agent.feed import HandoffAccepted, HandoffEnded, HandoffQueued, MessageCompleted, StatusChanged
from handrail.agent.refusals import MessageEmpty, MessageTooLong
from handrail.agent.store_port import CaseTaken, KeyReused, NotHolder, StoreError, UnknownConversation, WrongStatus
from handrail.guardrails.vocabulary import ConversationStatus, Priority, RiskTier, Role
from tests.flow.people import ANNA, BEN, feed, head, logged, names, only, whole_log
from tests.flow.ports import Fault
from tests.flow.stand import CANCEL, SITE, Stand

HOW_TO = "How do I add a member to a project?"
S = ConversationStatus


async def status(stand: Stand) -> ConversationStatus:
    """Who speaks now."""
    return (await stand.service.snapshot(SITE, stand.conversation, stand.customer)).state.status


async def claimed(stand: Stand) -> None:
    """A conversation that Anna has taken out of the queue."""
    await stand.button()
    await stand.service.casework.claim(SITE, stand.conversation, ANNA)


async def human(stand: Stand) -> None:
    """A conversation in which Anna has spoken."""
    await claimed(stand)
    await stand.service.casework.reply(SITE, stand.conversation, ANNA, "Hello, this is Anna.", "r1")


# ------------------------------------------------------------------------------------------------ claim


async def test_a_claim_takes_the_conversation_out_of_the_queue(stand: Stand) -> None:
    """The customer is told by whom, under the public name; the log has the name of the account."""
    await stand.button()
    after = await head(stand)
    case = await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    assert (case.status, case.holder) == (S.ACCEPTED, "anna.bauer")
    assert case.packet is not None
    told = await feed(stand, after)
    assert told == (HandoffAccepted(name="Anna"), StatusChanged(status=S.ACCEPTED))
    assert await (await stand.stored()).handoffs(SITE) == ()
    assert logged(stand)[-1] == {
        "action": "claim",
        "reasons": ["HANDOFF_ACCEPTED"],
        "by": "anna.bauer",
        "status": "accepted",
    }
    assert "anna.bauer" not in "".join(item.model_dump_json() for item in await feed(stand))


async def test_of_two_who_claim_one_gets_it(stand: Stand) -> None:
    """The other learns who has it; nothing of theirs is written."""
    await stand.button()
    casework = stand.service.casework
    results = await asyncio.gather(
        *(casework.claim(SITE, stand.conversation, who) for who in (ANNA, BEN)), return_exceptions=True
    )
    lost = [one for one in results if isinstance(one, BaseException)]
    assert len(lost) == 1
    assert isinstance(lost[0], CaseTaken)
    assert lost[0].holder == (await casework.case(SITE, stand.conversation)).holder
    assert len([one for one in await feed(stand) if isinstance(one, HandoffAccepted)]) == 1


async def test_the_holder_may_claim_again(stand: Stand) -> None:
    """Nothing changes, whether they have spoken or not."""
    await human(stand)
    after = await head(stand)
    case = await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    assert case.status is S.HUMAN
    assert await head(stand) == after


async def test_a_conversation_of_the_bot_can_be_taken_over(stand: Stand) -> None:
    """Nobody asked for a person, so a packet is made of what is known."""
    await stand.say(HOW_TO)
    case = await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    assert case.status is S.ACCEPTED
    assert case.packet is not None
    assert case.packet.reasons == ("CASE_TAKEN_OVER",)
    assert case.packet.next_step == stand.service.bundle.next_steps["CASE_TAKEN_OVER"]
    assert "add a member" in case.packet.wants
    assert (case.packet.priority, case.packet.risk) == (Priority.NORMAL, RiskTier.LOW)
    assert logged(stand)[-1]["reasons"] == ["HANDOFF_ACCEPTED", "CASE_TAKEN_OVER"]
    assert await (await stand.stored()).handoffs(SITE) == ()


async def test_a_question_of_the_bot_lapses_when_a_person_takes_over(stand: Stand) -> None:
    """The customer's yes may answer the person, so it runs nothing, also when the bot is back."""
    await stand.reach("yes")
    await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    await stand.service.casework.reply(SITE, stand.conversation, ANNA, "Shall I call you?", "r1")
    await stand.service.casework.release(SITE, stand.conversation, ANNA, ReleasedTo.BOT)
    result = await stand.say("yes")
    assert "CONFIRMATION_GIVEN" not in result.reasons
    assert await (await stand.stored()).approvals(SITE) == ()


async def test_a_claim_waits_for_the_turn_that_runs(stand: Stand) -> None:
    """The turn is finished as it began, and the person comes after it: neither overwrites the other."""
    await stand.button()
    begun, go = asyncio.Event(), asyncio.Event()
    real = stand.room.detectors.detect

    def slow(*positional: object, **named: object) -> object:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result(10)
        return real(*positional, **named)  # type: ignore[arg-type]

    loop = asyncio.get_running_loop()
    stand.detectors.replaced["detect"] = slow
    saying = asyncio.create_task(stand.say("are you still there?"))
    await begun.wait()
    claiming = asyncio.create_task(stand.service.casework.claim(SITE, stand.conversation, ANNA))
    await asyncio.sleep(0)
    go.set()
    result, case = await asyncio.gather(saying, claiming)
    assert result.reply
    assert (case.status, case.holder) == (S.ACCEPTED, ANNA.name)
    assert await status(stand) is S.ACCEPTED
    assert names(await feed(stand))[-2:] == ["handoff.accepted", "status"]


async def test_what_is_resolved_cannot_be_claimed(stand: Stand) -> None:
    """It opens again with the customer's next message."""
    await human(stand)
    await stand.service.casework.resolve(SITE, stand.conversation, ANNA)
    with pytest.raises(WrongStatus, match="opens again with the customer"):
        await stand.service.casework.claim(SITE, stand.conversation, BEN)


async def test_an_unknown_conversation_is_said_to_be_unknown(stand: Stand) -> None:
    """By every action."""
    casework = stand.service.casework
    for acting in (
        casework.case(SITE, "c_none"),
        casework.claim(SITE, "c_none", ANNA),
        casework.reply(SITE, "c_none", ANNA, "hello", "k"),
        casework.release(SITE, "c_none", ANNA, ReleasedTo.BOT),
        casework.resolve(SITE, "c_none", ANNA),
    ):
        with pytest.raises(UnknownConversation):
            await acting


# ------------------------------------------------------------------------------------------------ reply


async def test_a_persons_words_reach_the_customer_as_they_are(stand: Stand) -> None:
    """With the public name, and no output check reads them: a person is responsible for a person's words."""
    await claimed(stand)
    after = await head(stand)
    words = "I will refund the €49.00 today. There is no human but me."
    message = await stand.service.casework.reply(SITE, stand.conversation, ANNA, words, "r1")
    assert (message.role, message.text) == (Role.OPERATOR, words)
    told = await feed(stand, after)
    assert only(told, StatusChanged).status is S.HUMAN
    said = only(told, MessageCompleted)
    assert (said.message_id, said.role, said.text, said.name, said.turn_id) == (
        message.message_id, Role.OPERATOR, words, "Anna", None,
    )  # fmt: skip
    assert await status(stand) is S.HUMAN
    assert logged(stand)[-1] == {
        "action": "reply", "reasons": ["OPERATOR_REPLIED"], "by": "anna.bauer", "status": "human",
        "characters": len(words),
    }  # fmt: skip
    assert "no human but me" not in whole_log(stand)


async def test_the_same_key_is_the_same_message_once(stand: Stand) -> None:
    """Also later, when others have been written; another text under it is refused."""
    await claimed(stand)
    casework = stand.service.casework
    first = await casework.reply(SITE, stand.conversation, ANNA, "Hello.", "r1")
    await casework.reply(SITE, stand.conversation, ANNA, "How can I help?", "r2")
    after = await head(stand)
    assert await casework.reply(SITE, stand.conversation, ANNA, "Hello.", "r1") == first
    assert await head(stand) == after
    with pytest.raises(KeyReused):
        await casework.reply(SITE, stand.conversation, ANNA, "Something else.", "r1")
    case = await casework.case(SITE, stand.conversation)
    assert [one.text for one in case.messages if one.role is Role.OPERATOR] == ["Hello.", "How can I help?"]


async def test_the_status_is_told_once(stand: Stand) -> None:
    """The second reply changes nothing about who speaks."""
    await human(stand)
    after = await head(stand)
    await stand.service.casework.reply(SITE, stand.conversation, ANNA, "How can I help?", "r2")
    assert names(await feed(stand, after)) == ["message.completed"]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("", MessageEmpty), ("  \n ", MessageEmpty), ("\x00\x07", MessageEmpty), ("x" * 8001, MessageTooLong)],
)
async def test_unfit_texts_are_refused(stand: Stand, text: str, refusal: type[Exception]) -> None:
    """With words that say what to do; nothing is stored."""
    await claimed(stand)
    after = await head(stand)
    with pytest.raises(refusal):
        await stand.service.casework.reply(SITE, stand.conversation, ANNA, text, "r1")
    assert await head(stand) == after


async def test_what_cannot_be_shown_is_left_out(stand: Stand) -> None:
    """NUL, other control characters and lone surrogates; lines stay lines."""
    await claimed(stand)
    message = await stand.service.casework.reply(
        SITE, stand.conversation, ANNA, " one\x00\ntwo\x1b[31m\tthree\ud800 ", "r1"
    )
    assert message.text == "one\ntwo[31m\tthree"


async def test_only_the_holder_writes(stand: Stand) -> None:
    """Nobody before a claim, nobody but the holder after it, nobody once it is over."""
    casework = stand.service.casework
    await stand.button()
    with pytest.raises(WrongStatus, match="claim it first"):
        await casework.reply(SITE, stand.conversation, ANNA, "hello", "r1")
    await casework.claim(SITE, stand.conversation, ANNA)
    with pytest.raises(NotHolder):
        await casework.reply(SITE, stand.conversation, BEN, "hello", "r2")
    await casework.resolve(SITE, stand.conversation, ANNA)
    with pytest.raises(WrongStatus):
        await casework.reply(SITE, stand.conversation, ANNA, "one more thing", "r3")
    case = await casework.case(SITE, stand.conversation)
    assert not [one for one in case.messages if one.role is Role.OPERATOR]


# ---------------------------------------------------------------------------------- while a person has it


@pytest.mark.parametrize("spoken", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "thanks, I will wait",
        "I want to speak to a person",
        "There is an unauthorised charge, this is fraud!",
        "Ich möchte bitte mein Konto kündigen",
    ],
)
async def test_the_machine_does_not_speak_over_a_person(stand: Stand, text: str, spoken: bool) -> None:
    """Whatever the customer writes: it is stored and shown, nothing is said, and the person keeps it (S9.2)."""
    await (human(stand) if spoken else claimed(stand))
    after, held = await head(stand), await status(stand)
    result = await stand.say(text)
    assert (result.reply, result.handoff, result.status) == ("", None, held)
    (said,) = await feed(stand, after)
    assert isinstance(said, MessageCompleted)
    assert (said.role, said.text) == (Role.CUSTOMER, text)
    case = await stand.service.casework.case(SITE, stand.conversation)
    assert (case.holder, case.messages[-1].text) == (ANNA.name, text)
    assert {"REPLY_NONE", "HANDOFF_STANDS"} & set(case.turns[-1].reasons)
    assert stand.model.calls["complete"] == 0


async def test_the_button_does_not_take_the_conversation_from_the_person(stand: Stand) -> None:
    """The customer has a person already; they keep their place and their person."""
    await human(stand)
    after = await head(stand)
    result = await stand.button()
    assert (result.reply, result.status) == ("", S.HUMAN)
    assert "HANDOFF_STANDS" in result.reasons
    assert names(await feed(stand, after)) == ["message.completed"]


@pytest.mark.parametrize("port", ["detectors", "context", "retriever", "model"])
async def test_a_fault_does_not_take_it_either(stand: Stand, port: str) -> None:
    """Something breaks while a person speaks with the customer: the person goes on."""
    await human(stand)
    for method in ("detect", "attributes", "search", "complete"):
        stand.port(port).fail(method, Fault.BUG)
    result = await stand.say("and another thing")
    assert (result.reply, result.status, result.handoff) == ("", S.HUMAN, None)
    assert (await stand.service.casework.case(SITE, stand.conversation)).holder == ANNA.name


async def test_a_turn_that_runs_out_of_time_does_not_take_it(stand: Stand) -> None:
    """The last line, too, leaves the person where they are."""
    await human(stand)
    stand.shorten(3.2)
    stand.context.fail("attributes", Fault.HANGS)
    result = await stand.say("and another thing")
    assert (result.reply, result.status) == ("", S.HUMAN)


# ---------------------------------------------------------------------------------- release and resolve


async def test_after_a_release_the_bot_answers_and_says_so(stand: Stand) -> None:
    """The customer hears who speaks, once."""
    await human(stand)
    after = await head(stand)
    case = await stand.service.casework.release(SITE, stand.conversation, ANNA, ReleasedTo.BOT)
    assert (case.status, case.holder) == (S.RETURNED_TO_BOT, None)
    assert await feed(stand, after) == (
        HandoffEnded(outcome="returned_to_bot"), StatusChanged(status=S.RETURNED_TO_BOT),
    )  # fmt: skip
    assert logged(stand)[-1]["reasons"] == ["HANDOFF_RELEASED"]
    words = stand.service.bundle.text("returned", None)
    first = await stand.say(HOW_TO)
    assert first.reply.startswith(words)
    assert first.citations
    assert first.status is S.BOT
    second = await stand.say("How do I set up SSO with Okta?")
    assert words not in second.reply


async def test_released_to_the_queue_it_waits_with_its_packet(stand: Stand) -> None:
    """For another person, in the place it had."""
    await human(stand)
    packet = (await stand.service.casework.case(SITE, stand.conversation)).packet
    after = await head(stand)
    case = await stand.service.casework.release(SITE, stand.conversation, ANNA, ReleasedTo.QUEUE)
    assert (case.status, case.holder, case.packet) == (S.QUEUED, None, packet)
    told = await feed(stand, after)
    assert names(told) == ["handoff.ended", "handoff.queued", "status"]
    assert only(told, HandoffEnded).outcome == "queued"
    assert only(told, HandoffQueued).position == 1
    (waiting,) = await stand.service.casework.queue(SITE, statuses={S.QUEUED})
    assert waiting.conversation_id == stand.conversation
    assert (await stand.service.casework.claim(SITE, stand.conversation, BEN)).holder == BEN.name


async def test_the_place_in_line_is_kept(stand: Stand) -> None:
    """Who came later with the same priority is not let in before."""
    first = stand.conversation
    await claimed(stand)
    await stand.open(stand.customer)
    await stand.button()
    stand.conversation = first
    after = await head(stand)
    await stand.service.casework.release(SITE, first, ANNA, ReleasedTo.QUEUE)
    assert only(await feed(stand, after), HandoffQueued).position == 1
    waiting = await stand.service.casework.queue(SITE, statuses={S.QUEUED})
    assert waiting[0].conversation_id == first


async def test_resolving_asks_for_a_rating(stand: Stand) -> None:
    """The matter is over; the note is for colleagues and not told."""
    await human(stand)
    after = await head(stand)
    case = await stand.service.casework.resolve(SITE, stand.conversation, ANNA, "explained the invoice")
    assert (case.status, case.holder) == (S.RESOLVED, None)
    told = await feed(stand, after)
    assert names(told) == ["handoff.ended", "status", "rating.requested"]
    assert only(told, HandoffEnded).outcome == "resolved"
    assert logged(stand)[-1]["reasons"] == ["HANDOFF_RESOLVED"]
    assert logged(stand)[-1]["note"] == "explained the invoice"


async def test_a_message_after_that_opens_it_again(stand: Stand) -> None:
    """The bot answers, says who it is, and the status says so."""
    await human(stand)
    await stand.service.casework.resolve(SITE, stand.conversation, ANNA)
    after = await head(stand)
    result = await stand.say(HOW_TO)
    assert result.status is S.BOT
    assert result.reply.startswith(stand.service.bundle.text("returned", None))
    assert only(await feed(stand, after), StatusChanged).status is S.BOT


async def test_resolving_denies_what_waits_for_approval(stand: Stand) -> None:
    """And the customer is told, before the end."""
    await stand.reach("approve")
    await claimed(stand)
    after = await head(stand)
    await stand.service.casework.resolve(SITE, stand.conversation, ANNA)
    (held,) = await (await stand.stored()).approvals(SITE)
    assert (held.state, held.decided_by) == (ApprovalState.DENIED, ANNA.name)
    told = await feed(stand, after)
    assert only(told, MessageCompleted).text == stand.service.bundle.text("approval_denied", None)
    assert names(told)[-3:] == ["handoff.ended", "status", "rating.requested"]
    assert await stand.writes() == 0


async def test_who_does_not_hold_it_denies_nothing_by_resolving(stand: Stand) -> None:
    """The refusal comes before anything is decided."""
    await stand.reach("approve")
    await claimed(stand)
    with pytest.raises(NotHolder):
        await stand.service.casework.resolve(SITE, stand.conversation, BEN)
    assert (await stand.pending_approval()).state is ApprovalState.PENDING


@pytest.mark.parametrize("to", list(ReleasedTo))
async def test_only_the_holder_releases(stand: Stand, to: ReleasedTo) -> None:
    """Neither somebody else nor anybody before a claim."""
    casework = stand.service.casework
    await stand.button()
    with pytest.raises(WrongStatus):
        await casework.release(SITE, stand.conversation, ANNA, to)
    await casework.claim(SITE, stand.conversation, ANNA)
    with pytest.raises(NotHolder):
        await casework.release(SITE, stand.conversation, BEN, to)
    assert await status(stand) is S.ACCEPTED


async def test_a_note_that_is_too_long_is_refused(stand: Stand) -> None:
    """Before anything happens."""
    await human(stand)
    with pytest.raises(MessageTooLong):
        await stand.service.casework.resolve(SITE, stand.conversation, ANNA, "x" * 1001)
    assert await status(stand) is S.HUMAN


# ---------------------------------------------------------------------------------- approvals and the queue


async def test_an_approval_is_carried_out_while_a_person_speaks(stand: Stand) -> None:
    """The call runs and the customer is told; the person keeps the conversation."""
    await stand.reach("approve")
    approval = await stand.pending_approval()
    await claimed(stand)
    after = await head(stand)
    result = await stand.service.casework.approve(SITE, approval.approval_id, ANNA)
    assert await stand.writes() == 1
    assert result.status is S.ACCEPTED
    assert only(await feed(stand, after), MessageCompleted).text == result.reply
    assert (await stand.service.casework.case(SITE, stand.conversation)).holder == ANNA.name


async def test_a_call_in_doubt_leaves_it_with_the_person(stand: Stand) -> None:
    """The customer is told that something went wrong; the person learns from the reasons that they must look."""
    await stand.reach("approve")
    approval = await stand.pending_approval()
    await claimed(stand)
    stand.toolbox.fail("execute", Fault.PORT_ERROR)
    stand.toolbox.fail("outcome", Fault.PORT_ERROR)
    result = await stand.service.casework.approve(SITE, approval.approval_id, ANNA)
    assert {"SYS_TOOL_UNKNOWN", "HANDOFF_STANDS"} <= set(result.reasons)
    assert result.reply
    assert result.status is S.ACCEPTED


async def test_the_queue_can_be_narrowed(stand: Stand) -> None:
    """By status, by holder, by queue; by default all that people look after."""
    first = stand.conversation
    await claimed(stand)
    await stand.open(stand.customer)
    await stand.button()
    casework = stand.service.casework
    everything = await casework.queue(SITE)
    assert {one.conversation_id for one in everything} == {first, stand.conversation}
    assert [one.conversation_id for one in await casework.queue(SITE, holder=ANNA.name)] == [first]
    assert [one.conversation_id for one in await casework.queue(SITE, statuses={S.QUEUED})] == [stand.conversation]
    assert await casework.queue(SITE, queue="security") == ()


async def test_a_store_that_fails_is_one_kind_of_error(stand: Stand) -> None:
    """Whatever it raises, the caller is told to try again."""
    await human(stand)
    for method in ("case", "cases", "move_case", "snapshot"):
        stand.store.fail(method, Fault.BUG)
    casework = stand.service.casework
    for acting in (
        casework.queue(SITE),
        casework.case(SITE, stand.conversation),
        casework.claim(SITE, stand.conversation, BEN),
        casework.reply(SITE, stand.conversation, ANNA, "hello", "r9"),
        casework.release(SITE, stand.conversation, ANNA, ReleasedTo.QUEUE),
        casework.resolve(SITE, stand.conversation, ANNA),
    ):
        with pytest.raises(StoreError):
            await acting
    stand.mend()
    assert await status(stand) is S.HUMAN


async def test_what_a_model_says_is_not_read_while_people_have_it(stand: Stand) -> None:
    """A claim in the middle: the next message calls no model."""
    await stand.say(CANCEL)
    calls = stand.model.calls["complete"]
    await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    await stand.say("what about my invoice?")
    assert stand.model.calls["complete"] == calls
