"""Bugs inside the flow: a node without a reason, one that raises, a turn that takes too long (spec S1.1, S1.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from handrail.agent import flow, summary
from handrail.agent.channels import Step, TurnState, View
from handrail.agent.composition import serving
from handrail.agent.flow import SYSTEM_REASONS
from handrail.agent.room import Patience, Room
from handrail.agent.service import Service
from handrail.guardrails.vocabulary import ConversationStatus, Detection, Stage
from tests.flow.ports import Fault
from tests.flow.stand import SITE, Scripted, Stand
from tests.support.screens import NothingFound

HOW_TO = "How do I add a member to a project?"
GATES = [stage for stage, _ in flow.TURN if stage not in (Stage.REPLY, Stage.HAND_OFF)]


async def _silent(view: View, room: Room) -> Step:
    return Step(())


async def _broken(view: View, room: Room) -> Step:
    raise IndexError("a bug in a node")


def with_node(monkeypatch: pytest.MonkeyPatch, stand: Stand, stage: Stage, node: flow.Node) -> Service:
    """The service with another node at one stage."""
    table = tuple((at, node if at is stage else real) for at, real in flow.TURN)
    monkeypatch.setattr(flow, "TURN", table)
    stand.service = serving(stand.room, SITE)
    return stand.service


def reaches(stage: Stage) -> str:
    """A message whose turn passes the stage."""
    return "please cancel my subscription" if stage is Stage.AUTHORIZE_TOOLS else HOW_TO


@pytest.mark.parametrize("stage", GATES)
async def test_a_node_without_a_reason_brings_a_person(
    monkeypatch: pytest.MonkeyPatch, stand: Stand, stage: Stage
) -> None:
    """Whichever gate forgets its reason, the turn ends with a person and names the fault."""
    with_node(monkeypatch, stand, stage, _silent)
    result = await stand.say(reaches(stage))
    assert "SYS_NO_REASON" in result.reasons
    assert result.handoff is not None
    assert result.reply.strip()


@pytest.mark.parametrize("stage", GATES)
async def test_a_bug_in_a_node_brings_a_person(monkeypatch: pytest.MonkeyPatch, stand: Stand, stage: Stage) -> None:
    """Every gate has its own reason, and the turn is stored."""
    with_node(monkeypatch, stand, stage, _broken)
    result = await stand.say(reaches(stage))
    assert SYSTEM_REASONS[stage] in result.reasons
    assert result.handoff is not None
    assert (await (await stand.stored()).interrupted()) == ()


@pytest.mark.parametrize("node", [_silent, _broken])
@pytest.mark.parametrize("stage", [Stage.REPLY, Stage.HAND_OFF])
async def test_a_bug_in_the_last_nodes_still_answers(
    monkeypatch: pytest.MonkeyPatch, stand: Stand, stage: Stage, node: flow.Node
) -> None:
    """When the handoff itself is broken, one made from the bundle alone takes its place."""
    with_node(monkeypatch, stand, stage, node)
    result = await stand.say(HOW_TO if stage is Stage.REPLY else "I want to speak to a person")
    assert "SYS_BUG" in result.reasons
    assert result.status is ConversationStatus.QUEUED
    assert result.handoff is not None
    assert "asked" in result.reply


async def test_a_turn_that_takes_too_long_is_ended(stands: Callable[..., Awaitable[Stand]]) -> None:
    """The deadline holds although every port is still within its own patience."""
    stand = await stands(patience=Patience(model=60.0), model=Scripted(text="late"))
    stand.shorten(1.0)
    stand.model.fail("complete", Fault.HANGS)
    result = await stand.say(HOW_TO)
    assert "SYS_DEADLINE" in result.reasons
    assert result.handoff is not None
    assert "late" not in result.reply


async def test_a_deadline_in_the_middle_of_a_write_says_so(stands: Callable[..., Awaitable[Stand]]) -> None:
    """The call may have happened: the person learns it, and the request can never run a second time."""
    stand = await stands(patience=Patience(tool=60.0))
    await stand.reach("approve")
    stand.shorten(1.0)
    stand.toolbox.fail("execute", Fault.HANGS)
    result = await stand.decide()
    assert {"SYS_DEADLINE", "SYS_TOOL_UNKNOWN"} <= set(result.reasons)
    assert result.handoff is not None
    assert "cancel_subscription: unknown" in result.handoff.tools
    stand.mend()
    snapshot = await stand.service.snapshot("fernwell", stand.conversation, stand.customer)
    assert snapshot.state.pending is None
    assert stand.audit_breaks() == ()


async def test_a_bug_after_the_graph_still_answers(monkeypatch: pytest.MonkeyPatch, stand: Stand) -> None:
    """The next state cannot be put together: the customer reaches a person all the same, and the turn is stored."""

    def broken(*_: object) -> object:
        raise KeyError("a bug in the summing up")

    monkeypatch.setattr(summary, "next_state", broken)
    result = await stand.say(HOW_TO)
    assert "SYS_BUG" in result.reasons
    assert result.handoff is not None
    assert (await (await stand.stored()).interrupted()) == ()
    assert stand.audit_breaks() == ()


async def test_a_way_that_the_table_does_not_name_is_not_taken(monkeypatch: pytest.MonkeyPatch, stand: Stand) -> None:
    """A router that jumps over the gates ends with a person, before the step it jumped to."""
    real = flow.route

    def jumping(stage: Stage, state: TurnState) -> str:
        return Stage.GENERATE if stage is Stage.DETECT_INTENT else real(stage, state)

    monkeypatch.setattr(flow, "route", jumping)
    stand.service = serving(stand.room, SITE)
    result = await stand.say(HOW_TO)
    assert "SYS_BUG" in result.reasons
    assert result.handoff is not None
    assert stand.model.calls["complete"] == 0


class _Overconfident(NothingFound):
    """Detectors whose answer was changed after it was validated."""

    def detect(self, text: str, earlier: Sequence[str] = ()) -> Detection:
        sure = Detection(
            need_state=None, intent=None, confidence=1.0, need_states=(), alternatives=(), signals=(), language="en"
        )
        return sure.model_copy(update={"confidence": 7.0})


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
async def test_an_answer_that_nobody_validated_decides_nothing(stand: Stand) -> None:
    """A confidence of 7 is nonsense, whichever way it came about: a person, and no reply by the bot."""
    stand.service = serving(replace(stand.room, detectors=_Overconfident()), SITE)
    result = await stand.say(HOW_TO)
    assert any(code.startswith("SYS_") for code in result.reasons)
    assert result.handoff is not None
    assert stand.model.calls["complete"] == 0
