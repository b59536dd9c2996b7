"""Asks policy for the risk tier."""

from __future__ import annotations

from handrail.agent.channels import FACTS, GATE, Step, View
from handrail.agent.room import Room
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.vocabulary import Stage


async def gate_risk(view: View, room: Room) -> Step:
    """The tier becomes a fact for every later stage; nothing lowers it (S5.2)."""
    decision = room.bundle.policy.decide(Stage.GATE_RISK, facts_of(view))
    risk = fact("risk", decision.dimensions.risk.value, "gate_risk")
    return Step((decision,), (GATE.put(decision), FACTS.put((*view[FACTS], risk))))


def facts_of(view: View) -> Facts:
    """The facts gathered so far in this turn."""
    used = view[FACTS]
    return Facts.of(used)
