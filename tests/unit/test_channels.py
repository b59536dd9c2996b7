"""The state of a turn: plain JSON in the graph's channels, values at the edge of every node."""

import json
from datetime import UTC, datetime
from typing import get_type_hints

import pytest

from handrail.agent import channels
from handrail.agent.channels import (
    DRAFT,
    FACTS,
    LAST,
    PLACE,
    POLICY,
    RESULTS,
    ROUNDS,
    TURN,
    Channel,
    MissingReason,
    Step,
    TurnState,
    View,
)
from handrail.guardrails.vocabulary import (
    Decision,
    Dimensions,
    Draft,
    Effect,
    FactUsed,
    IdentityLevel,
    Obligation,
    Report,
    RiskTier,
    Stage,
    ToolCall,
    ToolOutcome,
    ToolResult,
    Turn,
)

DECISION = Decision(
    stage=Stage.APPLY_POLICY,
    subject="turn",
    effect=Effect.NOT_YET,
    reasons=("ONE", "TWO"),
    rules=("a.b",),
    obligations=(Obligation.CONFIRM,),
    dimensions=Dimensions(risk=RiskTier.HIGH, scope={"role": ("admin",)}, determined_by={"risk": ("a.b",)}),
    facts=(
        FactUsed(name="flag", content=True, source="x"),
        FactUsed(name="count", content=1, source="x"),
        FactUsed(name="share", content=1.0, source="x", age_seconds=2.5),
        FactUsed(name="words", content=("a", "b"), source="x"),
        FactUsed(name="gone", content=None, source="x", why="missing", on_unknown="ignore"),
    ),
    revision="r",
)
REPORT = Report(stage=Stage.DETECT_INTENT, reasons=("INTENT_READ",), details={"count": 1})
MESSAGE = Turn(
    turn_id="t",
    site="s",
    conversation_id="c",
    customer_id=None,
    identity=IdentityLevel.ANONYMOUS,
    channel="widget",
    text="Grüße",
    at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
)
CALL = ToolCall(call_id="1", tool="refund", arguments={"amount": "49.00", "lines": [1, None, {"a": True}]})
EXAMPLES: tuple[tuple[Channel[object], object], ...] = (
    (POLICY, DECISION),  # type: ignore[assignment]  # a channel of one value stands among channels of others
    (TURN, MESSAGE),
    (FACTS, DECISION.facts),
    (RESULTS, (ToolResult(call=CALL, outcome=ToolOutcome.UNKNOWN, content={"a": [1]}, reasons=("X",)),)),
    (DRAFT, Draft(text="Hello", calls=(CALL,), author="model:x")),
    (PLACE, None),
    (ROUNDS, 3),
    (LAST, DECISION),
    (LAST, REPORT),
)


def every_channel() -> list[Channel[object]]:
    """All channels that the module declares."""
    return [value for value in vars(channels).values() if isinstance(value, Channel)]


@pytest.mark.parametrize(("channel", "value"), EXAMPLES)
def test_a_value_survives_any_checkpointer(channel: Channel[object], value: object) -> None:
    """Written, stored as JSON text and read back it is the same, to the type of every number."""
    write = channel.put(value)
    stored = json.loads(json.dumps(write.content))
    assert stored == write.content
    read = View({write.name: stored})[channel]  # type: ignore[misc]  # the name of a channel is a key of the state
    assert read == value
    assert type(read) is type(value)
    assert json.dumps(channel.put(read).content) == json.dumps(write.content)


def test_every_channel_has_a_place_in_the_state() -> None:
    """LangGraph drops writes to keys that the state does not declare."""
    names = [channel.name for channel in every_channel()]
    assert set(names) <= set(get_type_hints(TurnState))
    assert len(names) == len(set(names))


def test_every_place_in_the_state_is_used() -> None:
    """Beside the channels there are the two that grow, trail and audit."""
    assert set(get_type_hints(TurnState)) - {channel.name for channel in every_channel()} == {"trail", "audit"}


def test_a_view_reads_what_was_written_and_says_what_was_not() -> None:
    """Asking for what no node has written is an error, or the value given instead."""
    view = View({"rounds": 2})
    assert (view[ROUNDS], view.get(ROUNDS, 0), view.has(ROUNDS)) == (2, 2, True)
    assert (view.get(DRAFT, Draft(text="", author="text:x")).author, view.has(DRAFT)) == ("text:x", False)
    with pytest.raises(KeyError):
        view[DRAFT]


def test_a_view_reads_nonsense_as_an_error() -> None:
    """A spoilt checkpoint is not passed on."""
    with pytest.raises(ValueError, match="valid integer"):
        View({"rounds": "many"})[ROUNDS]


def test_a_step_leaves_its_trail_and_routes_by_the_last() -> None:
    """Everything said is kept in order, and the last of it is what the router sees."""
    state = Step((REPORT, DECISION), (ROUNDS.put(1),)).to_state(Stage.APPLY_POLICY)
    assert state["rounds"] == 1
    assert state["trail"] == [REPORT.model_dump(mode="json"), DECISION.model_dump(mode="json")]
    assert View(state)[LAST] == DECISION
    assert state["audit"] == []
    json.dumps(state)


def test_a_step_without_a_reason_is_a_programming_error() -> None:
    """S1.1: a node that says nothing, or says it without a reason, does not pass for a node that decided."""
    with pytest.raises(MissingReason, match="generate"):
        Step(()).to_state(Stage.GENERATE)
    silent = DECISION.model_copy(update={"reasons": ()})
    with pytest.raises(MissingReason):
        Step((REPORT, silent)).to_state(Stage.GENERATE)
