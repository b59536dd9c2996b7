"""The graph as a node of somebody else's graph, under somebody else's checkpointer (spec S1.4)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph

from handrail.agent.channels import CAUSE, JOURNAL, RESULT, SNAPSHOT, TURN, TurnState, View
from handrail.agent.conversation import Received
from handrail.agent.flow import LEADS, build_graph
from handrail.agent.flow import TURN as STEPS
from handrail.agent.turns import Cause
from handrail.guardrails.vocabulary import Stage
from tests.flow.stand import SITE, Stand


def start_of(received: Received) -> TurnState:
    """The input of the graph, as an embedding application puts it together."""
    return {
        "cause": CAUSE.put(Cause()).content,
        "turn": TURN.put(received.turn).content,
        "snapshot": SNAPSHOT.put(received.snapshot).content,
        "journal": JOURNAL.put(received.journal).content,
        "trail": [],
        "audit": [],
    }


@pytest.mark.parametrize("text", ["How do I add a member to a project?", "I want to speak to a person"])
async def test_an_embedded_turn_comes_to_the_same(stands: Callable[..., Awaitable[Stand]], text: str) -> None:
    """Every step's state goes through a checkpointer and is JSON; the trail is that of a turn of the service."""
    stand, other = await stands(), await stands()
    store = await other.stored()
    received = await store.receive(SITE, other.conversation, other.customer, "k", text, other.clock.now())
    outer: StateGraph[TurnState, None, TurnState, TurnState] = StateGraph(TurnState)
    outer.add_node("support", build_graph(other.room))
    outer.set_entry_point("support")
    graph = outer.compile(checkpointer=InMemorySaver())
    state = cast(TurnState, await graph.ainvoke(start_of(received), {"configurable": {"thread_id": "1"}}))
    assert json.loads(json.dumps(state)) == state
    served = await stand.say(text)
    assert View(state)[RESULT].reply == served.reply
    reasons = dict.fromkeys(code for said in View(state).trail() for code in said.reasons)
    assert [*reasons] == [code for code in served.reasons if code in reasons]


def test_the_drawing_shows_every_way_through_the_turn(stand: Stand) -> None:
    """The router's table and the graph that LangGraph draws are one."""
    edges = {(edge.source, edge.target) for edge in build_graph(stand.room).get_graph().edges}
    expected = {(stage.value, target.value) for stage, targets in LEADS.items() for target in targets}
    ends = {(stage.value, "__end__") for stage in (Stage.REPLY, Stage.HAND_OFF)}
    assert edges == expected | ends | {("__start__", STEPS[0][0].value)}
