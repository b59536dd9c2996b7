"""Brings the engine of guided flows together with what this turn knows."""

from __future__ import annotations

from handrail.agent.channels import DETECTION, PLACE, POLICY, RESULTS, SNAPSHOT, TURN, View
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.nodes.retrieve import chosen_flow
from handrail.agent.room import Room
from handrail.guardrails.flows.engine import advance
from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.flows.place import FlowAnswer, FlowPlace, FlowStep, Said
from handrail.guardrails.vocabulary import Role


def advance_flow(view: View, room: Room) -> tuple[FlowSpec, FlowStep]:
    """One step of the flow of this turn, with the customer's messages, signals, records and the last result."""
    name = chosen_flow(view, room)
    if name is None:
        raise LookupError("no guided flow is chosen")
    flow = room.bundle.flows[name]
    turn, snapshot = view[TURN], view[SNAPSHOT]
    said = [
        Said(message_id=message.message_id, text=message.text)
        for message in snapshot.history
        if message.role is Role.CUSTOMER and message.message_id != turn.turn_id
    ]
    results = view.get(RESULTS, ())
    answer = FlowAnswer(
        messages=(*said, Said(message_id=turn.turn_id, text=turn.text)),
        signals=frozenset(signal.code for signal in view[DETECTION].signals),
        known=_known(view),
        result=results[-1] if results else None,
        intent=view[DETECTION].intent,
        language=view[DETECTION].language,
    )
    return flow, advance(flow, standing(view, name), answer)


def standing(view: View, flow: str) -> FlowPlace | None:
    """Where `flow` stands: as an earlier step of this turn left it, else as the last turn did."""
    place = view.get(PLACE, view[SNAPSHOT].state.flow)
    return place if place is not None and place.flow == flow else None


def _known(view: View) -> dict[str, str]:
    """Single-valued facts of the customer, and fields of records read in this turn, by name."""
    known: dict[str, str] = {}
    if view.has(POLICY):
        for one in facts_of(view).used.values():
            if one.content is not None and not isinstance(one.content, tuple | bool):
                known[one.name] = str(one.content)
    for result in view.get(RESULTS, ()):
        if isinstance(result.content, dict):
            for name, value in result.content.items():
                if isinstance(value, str | int | float) and not isinstance(value, bool):
                    known[name] = str(value)
    return known
