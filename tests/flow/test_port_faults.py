"""Every method of every port fails in every way, in a conversation that really reaches it (spec S1.2).

The cases are generated from the protocols: a new method without a conversation here fails the first test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pytest

from handrail.agent.conversation import ApprovalState
from handrail.agent.ports import PortError
from handrail.agent.room import Patience
from handrail.agent.store_port import StoreError, UnknownApproval
from handrail.guardrails.scope import Retrieved
from handrail.guardrails.vocabulary import ConversationStatus, Draft, ToolCall, ToolOutcome, TurnResult
from tests.flow.aloud import Aloud, Line, never
from tests.flow.ports import ALL_METHODS, CERTAIN, HUGE, Fault, ways_to_fail
from tests.flow.stand import CANCEL, OFFICE_HOURS, SHORT, SITE, UNREAD, Opinionated, Scripted, Stand
from tests.unit.server.waiting import until

HOW_TO = "How do I add a member to a project?"
SECRET = "MODEL-TEXT-THAT-NOBODY-MAY-SEE"

Event = Callable[[Stand], Awaitable[TurnResult]]


@dataclass(frozen=True)
class Reach:
    """A conversation up to the event that calls the method, and what then stands in the result.

    `reason` "" means that the turn can do without the method.
    """

    event: Event
    reason: str
    upto: str = "ask"
    spared: int = 0


def _ask(stand: Stand) -> Awaitable[TurnResult]:
    return stand.say(CANCEL)


def _how_to(stand: Stand) -> Awaitable[TurnResult]:
    return stand.say(HOW_TO)


def _unread(stand: Stand) -> Awaitable[TurnResult]:
    stand.detectors.replaced["detect"] = lambda *_, **__: UNREAD
    return stand.say("It went sideways with the other one")


def _unscreened(stand: Stand) -> Awaitable[TurnResult]:
    real = stand.room.retriever.search

    async def search(*positional: object, **named: object) -> Retrieved:
        found = await real(*positional, **named)  # type: ignore[arg-type]
        bare = (passage.model_copy(update={"screened_by": ""}) for passage in found.passages)
        return found.model_copy(update={"passages": tuple(bare)})

    stand.retriever.replaced["search"] = search
    return stand.say(HOW_TO)


def _aloud(method: str, *rest: Line) -> Event:
    """A model that is heard while it writes: something, then `rest` when the store's `method` has been called."""

    async def event(stand: Stand) -> TurnResult:
        pause = partial(until, lambda: stand.store.calls[method] > 0)
        model = Aloud([[f"{SECRET} is here. And then", pause, *rest]])

        async def complete(*given: object, **named: object) -> object:
            return await model.complete(*given, **named)  # type: ignore[arg-type] # handed on as they came

        stand.model.replaced["complete"] = complete
        return await stand.say(HOW_TO)

    return event


async def _code(stand: Stand) -> TurnResult:
    return await stand.say(await stand.code())


def _approve(stand: Stand) -> Awaitable[TurnResult]:
    return stand.decide()


async def _refund(stand: Stand) -> TurnResult:
    """A model that proposes a refund, of which policy asks how much there has been before."""
    call = ToolCall(call_id="r", tool="issue_refund", arguments={"invoice_id": "INV-2049", "amount": "112.00"})

    async def complete(*_: object, **__: object) -> object:
        return Draft(text="", calls=(call,), author="model:refunding")

    stand.model.replaced["complete"] = complete
    await stand.open("farid")
    return await stand.say("could we have 112.00 of our money for the invoice INV-2049 back please")


async def _human(stand: Stand) -> TurnResult:
    return await stand.say("I want to speak to a person")


REACHES: Mapping[tuple[str, str], Reach] = {
    ("detectors", "detect"): Reach(_how_to, "SYS_DETECTION"),
    ("detectors", "screen_passage"): Reach(_unscreened, "SYS_DETECTION"),
    ("detectors", "screen_json"): Reach(_ask, "SYS_DETECTION"),
    ("context", "attributes"): Reach(_how_to, "SYS_CONTEXT"),
    ("context", "events"): Reach(_how_to, "SYS_CONTEXT"),
    ("retriever", "search"): Reach(_how_to, "SYS_RETRIEVAL"),
    ("model", "complete"): Reach(_how_to, "SYS_MODEL"),
    ("second_opinion", "ask"): Reach(_unread, ""),
    ("toolbox", "call_facts"): Reach(_ask, "SYS_TOOL"),
    ("toolbox", "execute"): Reach(_approve, "SYS_TOOL_UNKNOWN", upto="approve"),
    ("toolbox", "outcome"): Reach(_approve, "SYS_TOOL_UNKNOWN", upto="approve"),
    ("step_up", "start"): Reach(_ask, "SYS_STEP_UP"),
    ("step_up", "check"): Reach(_code, "SYS_STEP_UP", upto="code"),
    ("store", "granted"): Reach(_refund, "SYS_STORE"),
    ("store", "intend"): Reach(_approve, "SYS_STORE", upto="approve"),
    ("store", "conclude"): Reach(_approve, "SYS_STORE", upto="approve"),
    ("store", "release"): Reach(_aloud("release", never), "SYS_STORE"),
    ("store", "may_write"): Reach(_aloud("may_write", " it goes on."), ""),
    ("store", "finish"): Reach(_how_to, "SYS_STORE"),
    ("store", "handoffs"): Reach(_human, ""),
    ("store", "approval"): Reach(_approve, "SYS_STORE", upto="approve", spared=1),
    ("store", "attributes"): Reach(_how_to, "SYS_CONTEXT"),
    ("store", "events"): Reach(_how_to, "SYS_CONTEXT"),
    ("store", "abandon"): Reach(_how_to, ""),
}
"""Where a turn calls the method, once its message is stored."""

AT_THE_DOOR = (
    ("store", "receive"), ("store", "approval"), ("store", "decide_approval"), ("store", "begin_operator_turn")
)  # fmt: skip
"""Before these have answered there is no turn: the caller gets a StoreError and tries again with the same key."""

NEVER_IN_A_TURN = {("retriever", "titles")} | {
    ("store", name)
    for name in (
        "open_conversation", "resume", "interrupted", "snapshot", "messages", "approvals", "put_attributes",
        "put_events", "record", "export_customer", "erase_customer", "erase_conversation", "close",
        "ensure_conversation", "latest_turn", "results", "feed", "heads", "standings", "cases", "case", "move_case",
        "moved_message", "edit_approval", "put_rating", "put_consent", "put_file", "file", "put_operator", "operators",
        "undone_approvals", "continue_turn", "put_session", "session", "drop_sessions",
    )
}  # fmt: skip
"""Proved below: a whole conversation works while all of them fail."""


def test_every_method_has_a_conversation_that_reaches_it() -> None:
    """A new method of a port must be placed here before it can be used."""
    placed = set(REACHES) | set(AT_THE_DOOR) | NEVER_IN_A_TURN
    assert placed == set(ALL_METHODS)


def impatient(port: str) -> Patience:
    """Short patience with one port only, so that a loaded machine makes no other one late."""
    names = {
        "detectors": "detection", "context": "context", "retriever": "retrieval", "model": "model",
        "second_opinion": "second_opinion", "toolbox": "tool", "step_up": "tool", "store": "store",
    }  # fmt: skip
    short = replace(Patience(), **{names[port]: SHORT if port != "model" else -0.9})
    return replace(short, context=SHORT, handoff=SHORT) if port == "store" else short


async def prepared(stands: Callable[..., Awaitable[Stand]], port: str, reach: Reach) -> Stand:
    """A stand just before the event."""
    asked = Opinionated() if port == "second_opinion" else None
    stand = await stands(model=Scripted(text=SECRET) if port != "model" else None, opinion=asked)
    await stand.reach(reach.upto)
    stand.hurry(impatient(port))
    return stand


async def assert_safe(stand: Stand, result: TurnResult) -> None:
    """What holds whatever failed: an answer, no model text, at most one write, and a record of all of it."""
    assert result.reply.strip(), "the customer was left without an answer"
    if result.handoff is not None or any(code.startswith("SYS_") for code in result.reasons):
        assert SECRET not in result.reply
    assert HUGE[:200] not in result.reply
    assert len(result.reply) < 4_000
    assert all(code in stand.service.bundle.reasons for code in result.reasons)
    assert await stand.writes() <= 1
    assert stand.toolbox.calls["execute"] <= 3, "two reads and the write"
    stand.mend()
    # Past the lease of a turn that could not even be given back.
    stand.clock.move(minutes=2)
    again = await stand.service.recover()
    store = await stand.stored()
    assert await store.interrupted() == ()
    told = await store.messages(SITE, stand.conversation, 0, 50)
    assert told[-1].role.value == "bot"
    assert again or told[-1].text == result.reply
    assert stand.audit_breaks() == ()


CASES = [(place, reach, fault) for place, reach in REACHES.items() for fault in ways_to_fail(*place)]


@pytest.mark.parametrize(
    ("place", "reach", "fault"), CASES, ids=[f"{place[0]}.{place[1]}-{fault}" for place, _, fault in CASES]
)
async def test_a_failing_port_ends_in_safe_words_or_a_person(
    stands: Callable[..., Awaitable[Stand]], place: tuple[str, str], reach: Reach, fault: Fault
) -> None:
    """The customer is answered, the reason is named, the turn is recorded or finished later, nothing runs twice."""
    port, method = place
    stand = await prepared(stands, port, reach)
    if place == ("toolbox", "outcome"):
        stand.toolbox.fail("execute", Fault.PORT_ERROR)
    if place == ("store", "abandon"):
        stand.store.fail("finish", Fault.PORT_ERROR)
    stand.port(port).fail(method, fault, after=reach.spared)
    before = stand.port(port).calls[method]
    result = await reach.event(stand)
    called = stand.port(port).calls[method]
    assert called > before + reach.spared, f"the conversation does not reach the method: {result.reasons}"
    if fault in CERTAIN and reach.reason:
        assert reach.reason in result.reasons, result.reasons
        stored = reach.reason != "SYS_STORE" or method != "finish"
        assert (result.status is ConversationStatus.QUEUED) is stored
        assert (result.handoff is not None) is stored
        if result.handoff is not None:
            assert reach.reason in result.handoff.reasons
    await assert_safe(stand, result)


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("place", AT_THE_DOOR, ids=".".join)
async def test_a_message_that_could_not_be_taken_is_not_acknowledged(
    stands: Callable[..., Awaitable[Stand]], place: tuple[str, str], fault: Fault
) -> None:
    """One kind of error in time, and the same key or the same decision works once the store is back."""
    stand = await stands()
    operator = place[1] != "receive"
    if operator:
        await stand.reach("approve")
        approval = await stand.pending_approval()
    stand.hurry(impatient("store"))
    if fault is Fault.HANGS:
        stand.shorten(1.0)
    stand.store.fail(place[1], fault)

    async def event() -> TurnResult:
        if operator:
            return await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, "operator-1")
        return await stand.say(HOW_TO, key="the-key")

    with pytest.raises((StoreError, PortError, UnknownApproval)):
        await event()
    stand.mend()
    result = await event()
    assert result.reply
    assert await stand.writes() == (1 if operator else 0)


async def test_the_rest_of_the_store_is_not_needed_for_a_turn(stand: Stand) -> None:
    """With every other method failing, the cancellation still reaches its end."""
    await stand.reach("approve")
    approval = await stand.pending_approval()
    for port, method in NEVER_IN_A_TURN:
        stand.port(port).fail(method, Fault.BUG)
    await stand.service.decide(SITE, approval.approval_id, ApprovalState.APPROVED, "operator-1")
    assert await stand.subscription_status() == "ending"
    stand.mend()


@pytest.mark.parametrize("fault", list(Fault))
async def test_titles_of_sources_can_be_missing(stands: Callable[..., Awaitable[Stand]], fault: Fault) -> None:
    """A reply that is stored already does not fail over the names of its sources."""
    stand = await stands(patience=impatient("retriever"))
    stand.retriever.fail("titles", fault)
    assert dict(await stand.service.titles(("sso-okta-admin",))) == {}


@pytest.mark.parametrize("fault", CERTAIN)
async def test_a_read_that_fails_brings_a_person(stands: Callable[..., Awaitable[Stand]], fault: Fault) -> None:
    """The first look at the subscription fails: nothing is guessed."""
    stand = await stands(patience=impatient("toolbox"))
    stand.toolbox.fail("execute", fault)
    result = await stand.say(CANCEL)
    assert "SYS_TOOL" in result.reasons
    assert result.handoff is not None
    await assert_safe(stand, result)


async def test_a_write_in_doubt_is_told_to_the_person(stand: Stand) -> None:
    """The packet says that the call may have happened, and the request for approval cannot be used again."""
    await stand.reach("approve")
    stand.toolbox.fail("execute", Fault.PORT_ERROR)
    stand.toolbox.fail("outcome", Fault.PORT_ERROR)
    result = await stand.decide()
    assert result.handoff is not None
    assert f"cancel_subscription: {ToolOutcome.UNKNOWN.value}" in result.handoff.tools
    snapshot = await stand.service.snapshot(SITE, stand.conversation, stand.customer)
    assert snapshot.state.pending is None


async def test_a_write_whose_record_failed_is_not_forgotten(stand: Stand) -> None:
    """The effect happened and its conclusion could not be journalled: the person learns that it ran."""
    await stand.reach("approve")
    stand.store.fail("conclude", Fault.BUG)
    result = await stand.decide()
    assert await stand.subscription_status() == "ending"
    assert result.handoff is not None
    assert any(line.startswith("cancel_subscription: ") for line in result.handoff.tools)


async def test_the_button_for_a_person_needs_nothing_but_the_store(stand: Stand) -> None:
    """Every other port is down: the first press works."""
    for port, method in ALL_METHODS:
        if port != "store":
            stand.port(port).fail(method, Fault.BUG)
    result = await stand.button()
    assert result.status is ConversationStatus.QUEUED
    assert result.handoff is not None
    assert "HUMAN_REQUESTED" in result.reasons
    assert stand.clock.now() > OFFICE_HOURS
