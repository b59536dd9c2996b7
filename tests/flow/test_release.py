"""A reply leaves while the model writes: what leaves when, and what happens when a turn does not go on as it began."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from handrail.agent import releasing
from handrail.agent.conversation import EventKind
from handrail.agent.feed import MessageCompleted, MessageDelta
from handrail.agent.ports import PortError
from handrail.agent.room import Patience
from handrail.agent.store_port import UnknownConversation
from handrail.guardrails.vocabulary import ConversationStatus, Role, ToolCall, TurnResult
from tests.flow.aloud import FIRST, HOW_TO, PROMISE, SECOND, THIRD, Aloud, Line, left, never, pieces, told
from tests.flow.people import ANNA, whole_log
from tests.flow.ports import Fault
from tests.flow.stand import SITE, Parts, Stand, standing

Stands = Callable[..., Awaitable[Stand]]
STATUS = ToolCall(call_id="s", tool="get_status", arguments={})


async def whole(stand: Stand) -> str:
    """The bot's newest message, which must be all that is there: no piece is left over, and no refused word."""
    items = await told(stand)
    assert not [item for item in items if isinstance(item, MessageDelta)]
    *_, last = [item for item in items if isinstance(item, MessageCompleted) and item.role is Role.BOT]
    messages = await (await stand.stored()).messages(SITE, stand.conversation, 0, 100)
    assert messages[-1].text == last.text
    assert "500.00" not in whole_log(stand)
    return last.text


def released(stand: Stand) -> list[list[str]]:
    """The sentences of every release, as the log has them in order, each with or behind the decision for it."""
    assert stand.audit_breaks() == ()
    with closing(sqlite3.connect(stand.folder / "handrail.db")) as store:
        rows = store.execute(
            "select e.kind, p.payload from audit_events e join audit_payloads p using (site, conversation_id, seq) "
            "where e.conversation_id = ? order by e.seq",
            (stand.conversation,),
        ).fetchall()
    found, decided = [], False
    for kind, text in rows:
        decided |= kind == EventKind.DECISION
        if kind == EventKind.RELEASE:
            payload = json.loads(text)
            assert decided or (payload["reasons"], payload["rules"]) == (["OUTPUT_CLEAN"], ["output.clean"])
            found.append(payload["sentences"])
    return found


async def test_a_sentence_leaves_before_the_next_is_written(stands: Stands) -> None:
    """Each when the model has begun the next; the last, and what policy adds, when all has been checked."""
    seen: list[str] = []

    async def look(words: str) -> None:
        await left(stand, words)
        seen.append(await pieces(stand))

    script: list[Line] = [
        FIRST,
        " Then choose",
        partial(look, FIRST),
        SECOND.removeprefix("Then choose"),
        f" {THIRD[:12]}",
    ]
    stand = await stands(model=Aloud([[*script, partial(look, SECOND), THIRD[12:]]]))
    result = await stand.say(HOW_TO)
    assert seen == [FIRST, f"{FIRST} {SECOND}"]
    assert result.reply.startswith(f"{FIRST} {SECOND} {THIRD}")
    assert await whole(stand) == result.reply
    log = released(stand)
    assert log[:2] == [[FIRST], [SECOND]]
    assert log[2][0] == THIRD
    assert [line for entry in log for line in entry if line in result.reply] == [
        line for entry in log for line in entry
    ]


async def test_a_refused_sentence_is_mended_behind_what_has_left(stands: Stands) -> None:
    """The model is shown what has left and told what was wrong; what it adds is checked as its continuation."""
    model = Aloud([[f"{FIRST} And so on", lambda: left(stand, FIRST), f" it goes. {PROMISE} {SECOND}"], [SECOND]])
    stand = await stands(model=model)
    result = await stand.say(HOW_TO)
    assert [prompt.said for prompt in model.prompts] == ["", FIRST]
    assert model.prompts[1].guidance
    assert result.reply.startswith(f"{FIRST}\n\n{SECOND}")
    assert "OUTPUT_REPAIR" in result.reasons
    assert await whole(stand) == result.reply
    assert released(stand)[0] == [FIRST]


async def test_a_repair_that_begins_again_is_no_repetition(stands: Stands) -> None:
    """Who writes the same beginning once more goes on where it ended: nobody reads it twice."""
    script: list[Line] = [f"{FIRST} {PROMISE}", lambda: left(stand, FIRST), f" {SECOND}"]
    stand = await stands(model=Aloud([script, [f"{FIRST} {SECOND}"]]))
    result = await stand.say(HOW_TO)
    assert result.reply.count(FIRST) == 1
    assert result.reply.startswith(f"{FIRST} {SECOND}")
    await whole(stand)


async def test_what_cannot_be_mended_ends_in_fixed_words(stands: Stands) -> None:
    """What has left stays; nothing refused follows it."""
    stand = await stands(model=Aloud([[f"{FIRST} {PROMISE}", lambda: left(stand, FIRST)]]))
    result = await stand.say(HOW_TO)
    assert result.reply.startswith(f"{FIRST}\n\n")
    assert "OUTPUT_WITHHELD" in result.reasons
    assert await whole(stand) == result.reply
    assert [FIRST] in released(stand)


async def test_text_around_calls_leaves_too(stands: Stands) -> None:
    """What stands before a call leaves while the model goes on to it; the answer follows when the result is there."""
    looked: list[str] = []

    async def look() -> None:
        await left(stand, FIRST)
        looked.append(await pieces(stand))

    model = Aloud([[f"{FIRST} One more moment", look, ".", STATUS], [f"{SECOND} {THIRD}"]])
    stand = await stands(model=model)
    result = await stand.say(HOW_TO)
    assert looked == [FIRST]
    assert [prompt.said for prompt in model.prompts] == ["", f"{FIRST} One more moment."]
    assert [one.call.tool for one in model.prompts[1].results] == ["get_status"]
    assert result.reply.startswith(f"{FIRST} One more moment.\n\n{SECOND} {THIRD}")
    await whole(stand)


async def test_what_is_said_before_a_call_is_read_while_it_runs(stands: Stands) -> None:
    """One sentence, which ends because the model has turned to its tools; a claim stays inside all the same."""
    for said, leaves in (("Let me look at the status page.", True), ("I have refunded your invoice.", False)):
        stand = await stands(model=Aloud([[said, STATUS], [SECOND]]))
        real = stand.toolbox.real.execute  # type: ignore[attr-defined] # the company's toolbox
        seen: list[str] = []

        async def execute(
            *given: object,
            where: Stand = stand,
            to: list[str] = seen,
            run: Callable[..., Awaitable[object]] = real,
        ) -> object:
            to.append(await pieces(where))
            return await run(*given)

        stand.toolbox.replaced["execute"] = execute  # type: ignore[assignment] # takes what the toolbox takes
        result = await stand.say(HOW_TO)
        assert seen == [said if leaves else ""]
        assert result.reply.startswith(f"{said}\n\n{SECOND}" if leaves else SECOND)
        await whole(stand)


async def test_a_claim_before_its_call_does_not_leave(stands: Stands) -> None:
    """Nothing is said to be done because the call comes next."""
    done = "I have cancelled your subscription for you."
    script: list[Line] = [f"{FIRST} {done} That is all there is to it.", lambda: left(stand, FIRST), STATUS]
    stand = await stands(model=Aloud([script, [SECOND]]))
    result = await stand.say(HOW_TO)
    assert "cancelled" not in result.reply
    assert result.reply.startswith(f"{FIRST}\n\n{SECOND}")
    assert done not in whole_log(stand)


async def test_a_model_that_breaks_goes_on_once(stands: Stands) -> None:
    """It is asked for the rest; what has left is neither repeated nor lost."""
    looks: list[Line] = [f"{FIRST} And then", lambda: left(stand, FIRST), PortError("broken")]
    model = Aloud([looks, [SECOND]])
    stand = await stands(model=model)
    result = await stand.say(HOW_TO)
    assert [prompt.said for prompt in model.prompts] == ["", FIRST]
    assert result.reply.startswith(f"{FIRST}\n\n{SECOND}")
    assert result.handoff is None
    await whole(stand)


async def test_a_model_that_breaks_again_brings_a_person(stands: Stands) -> None:
    """The reply says so behind what has left."""
    stand = await stands(model=Aloud([[f"{FIRST} And then", lambda: left(stand, FIRST), PortError("broken")]]))
    result = await stand.say(HOW_TO)
    assert result.handoff is not None
    assert "SYS_MODEL" in result.reasons
    assert result.reply.startswith(f"{FIRST}\n\n")
    assert len(result.reply) > len(FIRST) + 2
    await whole(stand)


async def test_a_deadline_in_the_middle_brings_a_person(stands: Stands) -> None:
    """What has left by then stays."""
    model = Aloud([[f"{FIRST} And then", never]])
    stand = await stands(model=model, turn_seconds=4.5)
    result = await stand.say(HOW_TO)
    assert "SYS_DEADLINE" in result.reasons
    assert result.handoff is not None
    assert result.reply.startswith(f"{FIRST}\n\n")
    assert model.stopped
    await whole(stand)


async def test_a_cancelled_turn_goes_on_where_it_was(stands: Stands) -> None:
    """A caller that goes away: recovery finishes the turn behind what has left, and the key gives the same answer."""
    model = Aloud([[f"{FIRST} And then", never], [SECOND]])
    stand = await stands(model=model)
    saying = asyncio.create_task(stand.say(HOW_TO, key="k"))
    await left(stand, FIRST)
    saying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying
    assert model.stopped
    assert await pieces(stand) == FIRST
    assert await stand.service.recover() == 1
    assert model.prompts[1].said == FIRST
    text = await whole(stand)
    assert text.startswith(f"{FIRST}\n\n{SECOND}")
    assert (await stand.say(HOW_TO, key="k")).reply == text
    assert released(stand)[0] == [FIRST]


async def test_a_resumed_turn_that_repeats_itself_is_mended(stands: Stands) -> None:
    """Other words around the same sentence are found, and the model has to leave them out."""
    again = f"Sure. {FIRST} {SECOND}"
    model = Aloud([[f"{FIRST} And then", never], [again], [SECOND]])
    stand = await stands(model=model)
    saying = asyncio.create_task(stand.say(HOW_TO, key="k"))
    await left(stand, FIRST)
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    await stand.service.recover()
    text = await whole(stand)
    assert text.count(FIRST) == 1
    assert SECOND in text


async def test_a_person_who_takes_over_stops_the_model(stands: Stands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The turn ends with what has left, and the person has the conversation; nothing more is said."""
    monkeypatch.setattr(releasing, "LOOK_SECONDS", 0.02)
    model = Aloud([[f"{FIRST} And then", never]])
    stand = await stands(model=model)
    saying = asyncio.create_task(stand.say(HOW_TO))
    await left(stand, FIRST)
    case = await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    result = await saying
    assert model.stopped
    assert case.status is ConversationStatus.ACCEPTED
    assert case.holder == ANNA.name
    assert result.reply == FIRST
    assert "DRAFT_CALLED_OFF" in result.reasons
    assert await whole(stand) == FIRST
    assert released(stand) == [[FIRST]]


async def test_a_person_may_come_before_the_first_sentence(stands: Stands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the machine says nothing at all."""
    monkeypatch.setattr(releasing, "LOOK_SECONDS", 0.02)
    began = asyncio.Event()

    async def begin() -> None:
        began.set()
        await never()

    stand = await stands(model=Aloud([["Open the", begin]]))
    saying = asyncio.create_task(stand.say(HOW_TO))
    await began.wait()
    await stand.service.casework.claim(SITE, stand.conversation, ANNA)
    assert (await saying).reply == ""
    assert not [item for item in await told(stand) if getattr(item, "role", None) is Role.BOT]


async def test_a_claim_that_will_be_refused_stops_nobody(stands: Stands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only who may take the conversation calls off what is written in it."""
    monkeypatch.setattr(releasing, "LOOK_SECONDS", 0.02)
    asked = asyncio.Event()
    model = Aloud([[f"{FIRST} And then", asked.wait, " more."]])
    stand = await stands(model=model)
    saying = asyncio.create_task(stand.say(HOW_TO))
    await left(stand, FIRST)
    replying = asyncio.create_task(stand.service.casework.reply(SITE, stand.conversation, ANNA, "Hello", "r1"))
    await asyncio.sleep(0.1)
    asked.set()
    result = await saying
    assert "And then more." in result.reply
    await asyncio.gather(replying, return_exceptions=True)
    assert replying.exception() is not None


async def test_an_erased_conversation_stops_the_model(stands: Stands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written for somebody who is forgotten."""
    monkeypatch.setattr(releasing, "LOOK_SECONDS", 0.02)
    model = Aloud([[f"{FIRST} And then", never]])
    stand = await stands(model=model)
    saying = asyncio.create_task(stand.say(HOW_TO))
    await left(stand, FIRST)
    await (await stand.stored()).erase_conversation(SITE, stand.conversation)
    await asyncio.gather(saying, return_exceptions=True)
    assert model.stopped
    assert await told(stand) == []
    with pytest.raises(UnknownConversation):
        await stand.service.snapshot(SITE, stand.conversation, stand.customer)


async def test_two_messages_at_once_leave_one_after_the_other(stands: Stands) -> None:
    """No piece of the second stands before the first is whole."""
    model = Aloud([[f"{FIRST} And then", lambda: left(stand, FIRST), " it is done."], [f"{SECOND} {THIRD}"]])
    stand = await stands(model=model)
    first = asyncio.create_task(stand.say(HOW_TO))
    await left(stand, FIRST)
    second = asyncio.create_task(stand.say("and how do I remove one?"))
    one, two = await asyncio.gather(first, second)
    assert one.reply.startswith(FIRST)
    assert FIRST not in two.reply
    texts = [item.text for item in await told(stand) if isinstance(item, MessageCompleted) and item.role is Role.BOT]
    assert texts == [one.reply, two.reply]


async def test_a_model_that_drips_is_read_as_any_other(stands: Stands) -> None:
    """One character at a time, with time for everything in between."""

    async def a_moment() -> None:
        await asyncio.sleep(0)

    script: list[Line] = []
    for char in f"{FIRST} {SECOND} {THIRD}":
        script += [char, a_moment]
    stand = await stands(model=Aloud([script]))
    result = await stand.say(HOW_TO)
    assert result.reply.startswith(f"{FIRST} {SECOND} {THIRD}")
    assert await whole(stand) == result.reply


@pytest.mark.parametrize("text", ["word " * 5_000, f"{FIRST} " + "word " * 5_000, "x" * 200_000])
async def test_a_text_without_end_is_not_said(stands: Stands, text: str) -> None:
    """It is too long whatever it says; what had left before stays."""
    stand = await stands(model=Aloud([[text[at : at + 50] for at in range(0, len(text), 50)]]))
    result = await stand.say(HOW_TO)
    assert "word word" not in result.reply
    assert "xxx" not in result.reply
    assert result.reply
    assert "OUT_TOO_LONG" in result.reasons
    await whole(stand)


@pytest.mark.parametrize("fault", [Fault.PORT_ERROR, Fault.BUG, Fault.HANGS])
async def test_what_is_not_recorded_does_not_leave(stands: Stands, fault: Fault) -> None:
    """A store that refuses a piece: a person takes over, and nobody has read the piece."""
    stand = await stands(model=Aloud([[f"{FIRST} {SECOND} {THIRD}", never]]), patience=Patience(store=0.3))
    stand.store.fail("release", fault)
    result = await stand.say(HOW_TO)
    assert "SYS_STORE" in result.reasons
    assert result.handoff is not None
    assert FIRST not in result.reply
    assert FIRST not in await whole(stand)


async def test_a_record_that_came_late_counts(stands: Stands) -> None:
    """The store answers too late, but it has stored: the reply that ends the turn begins with what has left."""
    stand = await stands(model=Aloud([[f"{FIRST} {SECOND}", never], [THIRD]]), patience=Patience(store=0.5))
    real = (await stand.stored()).release

    async def late(*given: object, **named: object) -> None:
        await real(*given, **named)  # type: ignore[arg-type] # handed on as they came
        await never()

    stand.store.replaced["release"] = late
    result = await stand.say(HOW_TO, key="k")
    assert "SYS_STORE" in result.reasons
    assert await pieces(stand) == FIRST
    stand.store.mend()
    assert await stand.service.recover() == 1
    assert (await whole(stand)).startswith(FIRST)


async def test_a_reply_that_takes_back_what_has_left_is_not_stored(parts: Parts, stands: Stands) -> None:
    """The store holds the promise, whatever the flow does."""
    model = Aloud([[f"{FIRST} {SECOND}", lambda: left(stand, FIRST)]])
    stand = await stands(model=model)
    real = (await stand.stored()).finish

    async def other(finished: object) -> None:
        result: TurnResult = finished.result  # type: ignore[attr-defined] # a FinishedTurn
        changed = result.model_copy(update={"reply": "Something else."})
        await real(finished.model_copy(update={"result": changed}))  # type: ignore[attr-defined]

    stand.store.replaced["finish"] = other  # type: ignore[assignment] # takes what finish takes
    result = await stand.say(HOW_TO)
    assert result.reasons == ("SYS_STORE",)
    stand.store.mend()
    assert await stand.service.recover() == 1
    assert (await whole(stand)).startswith(FIRST)


async def test_followers_hear_pieces_and_then_the_whole(stands: Stands) -> None:
    """Numbered while they are written, not repeated when the message is whole; a later reader gets the whole only."""
    go = asyncio.Event()
    stand = await stands(model=Aloud([[f"{FIRST} And then", go.wait, " more."]]))
    heard: list[object] = []

    async def follow() -> None:
        async for each in stand.service.following.follow(SITE, stand.conversation, 0):
            item = getattr(each, "item", each)
            heard.append(item)
            if isinstance(item, MessageDelta):
                assert hasattr(each, "seq")
                go.set()
            if isinstance(item, MessageCompleted) and item.role is Role.BOT:
                return

    following = asyncio.create_task(follow())
    result = await stand.say(HOW_TO)
    await following
    texts = [item.text for item in heard if isinstance(item, MessageDelta)]
    assert texts == [FIRST]
    assert isinstance(heard[-1], MessageCompleted)
    assert heard[-1].text == result.reply
    assert heard[-1].begun
    assert [item.event for item in await told(stand)][:2] == ["message.completed", "message.completed"]


async def test_a_turn_survives_the_process_that_had_begun_to_answer(parts: Parts, tmp_path: Path) -> None:
    """Another service on the same store goes on from what has left."""
    model = Aloud([[f"{FIRST} And then", never]])
    async with standing(parts, tmp_path, model=model) as stand:
        saying = asyncio.create_task(stand.say(HOW_TO, key="k"))
        await left(stand, FIRST)
        # As if the process were gone: nothing of the turn is finished or given back by itself.
        stand.store.fail("abandon", Fault.PORT_ERROR)
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
    rest = Aloud([[SECOND]])
    async with standing(parts, tmp_path, model=rest, fresh=False) as again:
        again.conversation, again.clock.at = stand.conversation, stand.clock.now()
        assert await again.service.recover() == 1
        assert rest.prompts[0].said == FIRST
        assert (await whole(again)).startswith(f"{FIRST}\n\n{SECOND}")
