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
    SOLVED,
    TURN,
    Channel,
    MissingReason,
    Step,
    TurnState,
    View,
    advanced,
)
from handrail.agent.memory import remembering
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


def test_a_turn_validates_a_value_once() -> None:
    """Every view of a turn finds the value that the first one read, also where it stands in several places."""
    with remembering():
        state = Step((DECISION,), (POLICY.put(DECISION), TURN.put(MESSAGE))).to_state(Stage.APPLY_POLICY)
        first, second = View(state), View(state)
        assert first[TURN] == MESSAGE
        assert second[TURN] is first[TURN]
        assert first[POLICY] == DECISION
        assert second[LAST] is first[POLICY]
        assert second.trail()[0] is first[POLICY]


def test_what_nobody_validated_is_validated_before_it_is_seen() -> None:
    """A port may answer with a changed copy, which pydantic does not check: it stops at the next reader."""
    spoilt = DECISION.model_copy(update={"effect": "anything"})
    with remembering(), pytest.warns(UserWarning, match="effect"), pytest.raises(ValueError, match="effect"):
        View({"policy": POLICY.put(spoilt).content})[POLICY]


def test_only_the_very_same_plain_value_is_known() -> None:
    """What went through a checkpointer, or was put there by somebody else, is validated, within a turn as well."""
    with remembering():
        plain = TURN.put(MESSAGE).content
        known = View({"turn": plain})[TURN]
        copied = json.loads(json.dumps(plain))
        assert View({"turn": copied})[TURN] == known
        assert View({"turn": copied})[TURN] is not known
        with pytest.raises(ValueError, match="identity"):
            View({"turn": {**copied, "identity": "root"}})[TURN]


def test_nothing_is_known_after_the_turn_or_without_one() -> None:
    """A value belongs to its turn: the next one, and a graph that is embedded elsewhere, read it anew."""
    with remembering():
        plain = TURN.put(MESSAGE).content
        known = View({"turn": plain})[TURN]
    assert View({"turn": plain})[TURN] is not known
    with remembering():
        assert View({"turn": plain})[TURN] is not known


def test_equal_values_keep_their_own_kinds() -> None:
    """Values that are equal and empty, or equal numbers, are not taken for each other."""
    with remembering():
        empty = View({"results": RESULTS.put(()).content, "facts": FACTS.put(()).content, "rounds": 1, "solved": True})
        assert (empty[RESULTS], empty[FACTS], empty[ROUNDS], empty[SOLVED]) == ((), (), 1, True)
        assert type(empty[ROUNDS]) is int


def test_a_step_changes_the_state_as_the_graph_does() -> None:
    """Trail and audit grow, everything else is replaced."""
    first = Step((REPORT,), (ROUNDS.put(1),)).to_state(Stage.DETECT_INTENT)
    second = Step((DECISION,), (ROUNDS.put(2),)).to_state(Stage.APPLY_POLICY)
    state = advanced(advanced({}, first), second)
    assert View(state)[ROUNDS] == 2
    assert View(state).trail() == (REPORT, DECISION)
    assert View(state)[LAST] == DECISION
