"""Asks policy what may be done with the message at all, and notices what it answers of a pending call."""

from __future__ import annotations

import re

from handrail.agent.channels import ANSWERED, CAUSE, DETECTION, DRAFT, GATE, POLICY, SNAPSHOT, TURN, Step, View
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.room import Room
from handrail.agent.turns import Answered, CauseKind
from handrail.agent.waiting import waiting_text
from handrail.guardrails.gate.agreeing import agrees, takes_back
from handrail.guardrails.vocabulary import Decision, Draft, Effect, Obligation, Stage

_CODE = re.compile(r"(?<!\d)(\d{3})[\s-]?(\d{3})(?!\d)")
SURE = 0.6
"""Confidence from which a new need interrupts what was asked."""


async def apply_policy(view: View, room: Room) -> Step:
    """A refusal of the whole message is answered in fixed words: the conversation is with a person."""
    decision = room.bundle.policy.decide(Stage.APPLY_POLICY, facts_of(view))
    answer = answered(view)
    writes = [POLICY.put(both(view[GATE], decision)), ANSWERED.put(answer)]
    if decision.effect is Effect.REFUSE and answer is not Answered.DECISION:
        text = await waiting_text(view, room)
        writes.append(DRAFT.put(Draft(text=text, author="text:waiting")))
    return Step((decision,), tuple(writes))


def both(gate: Decision, policy: Decision) -> Decision:
    """What holds for the rest of the turn: the duties of both decisions, and the stricter of each dimension."""
    duties = {*gate.obligations, *policy.obligations}
    dimensions = policy.dimensions.model_copy(
        update={
            "automation": max(gate.dimensions.automation, policy.dimensions.automation),
            "risk": max(gate.dimensions.risk, policy.dimensions.risk),
            "priority": max(gate.dimensions.priority, policy.dimensions.priority),
        }
    )
    obligations = tuple(duty for duty in Obligation if duty in duties)
    return policy.model_copy(update={"obligations": obligations, "dimensions": dimensions})


def answered(view: View) -> Answered:  # noqa: PLR0911 - one line a case reads best
    """How the message relates to the pending call; a yes counts only as the very next message (S7.3)."""
    if view[CAUSE].kind is CauseKind.OPERATOR_DECISION:
        return Answered.DECISION
    state, detection = view[SNAPSHOT].state, view[DETECTION]
    pending = state.pending
    if pending is None or view[CAUSE].kind is not CauseKind.MESSAGE:
        return Answered.NOTHING
    codes = {signal.code for signal in detection.signals}
    if pending.awaiting is Obligation.VERIFY_IDENTITY:
        if _CODE.search(view[TURN].text):
            return Answered.CODE
        return Answered.NO if "ANSWER_NO" in codes or takes_back(view[TURN].text) else _again(view)
    if view[CAUSE].overtaken:
        return Answered.ASKS_AGAIN
    if pending.awaiting is Obligation.CONFIRM:
        if state.turns != pending.asked_turn or view[TURN].at >= pending.expires_at:
            return Answered.NOTHING
        if "ANSWER_NO" not in codes and agrees(view[TURN].text, pending.call.tool):
            return Answered.YES
        if "ANSWER_YES" in codes:
            return Answered.ASKS_AGAIN
        return Answered.NO if "ANSWER_NO" in codes or takes_back(view[TURN].text) else Answered.NOTHING
    return Answered.NO if "ANSWER_NO" in codes or takes_back(view[TURN].text) else _again(view)


def code_in(text: str) -> str | None:
    """The six-digit code in `text`, without the space or hyphen people put in the middle."""
    match = _CODE.search(text)
    return None if match is None else match[1] + match[2]


def _again(view: View) -> Answered:
    """A message about the same matter is answered with where the matter stands; another matter goes its own way."""
    detection, state = view[DETECTION], view[SNAPSHOT].state
    other = detection.need_state not in (None, state.need_state) and detection.confidence >= SURE
    return Answered.NOTHING if other else Answered.ASKS_AGAIN
