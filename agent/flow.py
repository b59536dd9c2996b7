"""The whole turn: an ordered table of steps and one router. Who reads only this file knows what a message meets.

    detect_intent → assign_segments → gate_risk → apply_policy → retrieve → generate → authorize_tools ⟲ → guard_output
    → reply, with hand_off reachable from every step.

A step that raises, times out or gives no reason becomes an escalation with a `SYS_*` reason here and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from handrail.agent.channels import (
    ANSWERED,
    DRAFT,
    ESCALATION,
    LAST,
    MissingReason,
    Step,
    TurnState,
    View,
    advanced,
)
from handrail.agent.nodes.apply_policy import apply_policy
from handrail.agent.nodes.assign_segments import assign_segments
from handrail.agent.nodes.authorize_tools import authorize_tools
from handrail.agent.nodes.detect_intent import detect_intent
from handrail.agent.nodes.gate_risk import gate_risk
from handrail.agent.nodes.generate import generate
from handrail.agent.nodes.guard_output import guard_output
from handrail.agent.nodes.hand_off import hand_off
from handrail.agent.nodes.reply import reply
from handrail.agent.nodes.retrieve import retrieve
from handrail.agent.room import PortFault, Room
from handrail.agent.turns import Answered
from handrail.guardrails.vocabulary import Decision, Effect, Obligation, Report, Stage

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import Command

Node = Callable[[View, Room], Awaitable[Step]]
Table = tuple[tuple[Stage, Node], ...]
Ways = Mapping[Stage, tuple[Stage, ...]]
log = logging.getLogger(__name__)

TURN: Table = (
    (Stage.DETECT_INTENT, detect_intent),
    (Stage.ASSIGN_SEGMENTS, assign_segments),
    (Stage.GATE_RISK, gate_risk),
    (Stage.APPLY_POLICY, apply_policy),
    (Stage.RETRIEVE, retrieve),
    (Stage.GENERATE, generate),
    (Stage.AUTHORIZE_TOOLS, authorize_tools),
    (Stage.GUARD_OUTPUT, guard_output),
    (Stage.REPLY, reply),
    (Stage.HAND_OFF, hand_off),
)

END = "__end__"

LEADS: Ways = {
    Stage.DETECT_INTENT: (Stage.ASSIGN_SEGMENTS, Stage.HAND_OFF),
    Stage.ASSIGN_SEGMENTS: (Stage.GATE_RISK, Stage.HAND_OFF),
    Stage.GATE_RISK: (Stage.APPLY_POLICY, Stage.HAND_OFF),
    Stage.APPLY_POLICY: (
        Stage.RETRIEVE,
        Stage.GENERATE,
        Stage.AUTHORIZE_TOOLS,
        Stage.GUARD_OUTPUT,
        Stage.HAND_OFF,
    ),
    Stage.RETRIEVE: (Stage.GENERATE, Stage.HAND_OFF),
    Stage.GENERATE: (Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT, Stage.HAND_OFF),
    Stage.AUTHORIZE_TOOLS: (Stage.GENERATE, Stage.GUARD_OUTPUT, Stage.HAND_OFF),
    Stage.GUARD_OUTPUT: (Stage.REPLY, Stage.GENERATE, Stage.HAND_OFF),
}

NO_SEARCH = frozenset({Obligation.CLOSE, Obligation.COURTESY})
"""Obligations that are carried out in fixed words, without a look into the knowledge base."""

SYSTEM_REASONS: Mapping[Stage, str] = {
    Stage.DETECT_INTENT: "SYS_DETECTION",
    Stage.ASSIGN_SEGMENTS: "SYS_CONTEXT",
    Stage.GATE_RISK: "SYS_POLICY",
    Stage.APPLY_POLICY: "SYS_POLICY",
    Stage.RETRIEVE: "SYS_RETRIEVAL",
    Stage.GENERATE: "SYS_MODEL",
    Stage.AUTHORIZE_TOOLS: "SYS_TOOL",
    Stage.GUARD_OUTPUT: "SYS_OUTPUT",
}


def route(stage: Stage, state: TurnState) -> str:  # noqa: PLR0911 - the whole routing in one place
    """Where a turn goes after `stage`. Decisions are carried out here, never interpreted."""
    view = View(state)
    last = view[LAST]
    if stage is Stage.APPLY_POLICY and not view.has(ESCALATION) and view[ANSWERED] is Answered.DECISION:
        # What an operator decided is carried out and told, whoever speaks with the customer now.
        return Stage.AUTHORIZE_TOOLS
    if view.has(ESCALATION) or (isinstance(last, Decision) and last.effect is Effect.ESCALATE):
        return Stage.HAND_OFF
    if stage is Stage.APPLY_POLICY and isinstance(last, Decision) and last.effect is Effect.REFUSE:
        # An answer to what a colleague changed has no draft yet: it is carried out, whoever speaks with the customer.
        answers = view[ANSWERED] is not Answered.NOTHING and not view.has(DRAFT)
        return Stage.AUTHORIZE_TOOLS if answers else Stage.GUARD_OUTPUT
    if stage is Stage.APPLY_POLICY and view.get(ANSWERED, Answered.NOTHING) is not Answered.NOTHING:
        return Stage.AUTHORIZE_TOOLS
    if stage is Stage.APPLY_POLICY and isinstance(last, Decision) and {*last.obligations} & NO_SEARCH:
        return Stage.GENERATE
    if stage is Stage.GENERATE and not view[DRAFT].calls:
        return Stage.GUARD_OUTPUT
    if stage is Stage.AUTHORIZE_TOOLS:
        return Stage.GUARD_OUTPUT if _spoken(view) else Stage.GENERATE
    if stage is Stage.GUARD_OUTPUT and isinstance(last, Decision) and last.effect is Effect.NOT_YET:
        return Stage.GENERATE
    return LEADS[stage][0]


def _spoken(view: View) -> bool:
    """Whether the draft is something to say; a draft that only called tools has had its answer and is written anew."""
    return view.has(DRAFT) and not view[DRAFT].calls


async def _step(stage: Stage, node: Node, room: Room, ways: Ways, state: TurnState) -> Command[str]:
    """One step and where the turn goes after it."""
    from langgraph.types import Command

    update = await _run(stage, node, room, state)
    if stage not in ways:
        return Command(update=update)
    # Routed here and not by conditional edges: for each of those LangGraph copies the whole state and hops threads.
    target = route(stage, advanced(state, update))
    if target == Stage.RETRIEVE and Stage.RETRIEVE not in ways:
        target = LEADS[Stage.RETRIEVE][0]
    if target not in ways[stage]:
        raise LookupError(f"no way leads from {stage.value} to {target}")
    return Command(update=update, goto=target)


async def _run(stage: Stage, node: Node, room: Room, state: TurnState) -> TurnState:
    """One step, fail closed: whatever goes wrong in it brings a person (spec S1.2)."""
    try:
        return (await node(View(state), room)).to_state(stage)
    except asyncio.CancelledError:
        raise
    except MissingReason as error:
        return _failed(stage, "SYS_NO_REASON", error)
    except PortFault as error:
        return _failed(stage, error.reason, error)
    except Exception as error:  # noqa: BLE001 - the one place where faults become a person
        return _failed(stage, SYSTEM_REASONS.get(stage, "SYS_BUG"), error)


def _failed(stage: Stage, reason: str, error: Exception) -> TurnState:
    # The type says what happened; the message may hold personal data, so it stays out of the log and the audit.
    log.error("step failed", extra={"stage": stage.value, "reason": reason, "error": type(error).__name__})
    if stage in (Stage.HAND_OFF, Stage.REPLY):
        raise error
    report = Report(stage=stage, reasons=(reason,), details={"error": type(error).__name__})
    return Step((report,), (ESCALATION.put((reason,)),)).to_state(stage)


def build_graph(room: Room, turn: Table | None = None) -> CompiledStateGraph[TurnState, None, TurnState, TurnState]:
    """The compiled LangGraph graph: no checkpointer, state plain JSON, one function of snapshot and event.

    Without a `turn` it is that of the product. One may lack the search, and goes on where that would have led.
    """
    from langgraph.graph import StateGraph

    turn = turn or TURN
    here = {stage for stage, _ in turn}
    ways: Ways = {stage: tuple(to for to in leads if to in here) for stage, leads in LEADS.items() if stage in here}
    graph: StateGraph[TurnState, None, TurnState, TurnState] = StateGraph(TurnState)
    for stage, node in turn:
        leads = tuple(target.value for target in ways.get(stage, ()))
        graph.add_node(stage.value, partial(_step, stage, node, room, ways), destinations=leads)
    graph.set_entry_point(turn[0][0].value)
    graph.add_edge(Stage.REPLY.value, END)
    graph.add_edge(Stage.HAND_OFF.value, END)
    return graph.compile()
