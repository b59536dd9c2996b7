"""Asks policy what may be done with the message at all, and notices what it answers of a pending call."""

from __future__ import annotations

import re

from handrail.agent.channels import ANSWERED, CAUSE, DETECTION, DRAFT, POLICY, SNAPSHOT, TURN, Step, View
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.room import Room
from handrail.agent.turns import Answered, CauseKind
from handrail.agent.waiting import waiting_text
from handrail.guardrails.vocabulary import Draft, Effect, Obligation, Stage

_CODE = re.compile(r"(?<!\d)(\d{3})[\s-]?(\d{3})(?!\d)")
SURE = 0.6
"""Confidence from which a new need interrupts what was asked."""


async def apply_policy(view: View, room: Room) -> Step:
    """A refusal of the whole message is answered in fixed words: the conversation is with a person."""
    decision = room.bundle.policy.decide(Stage.APPLY_POLICY, facts_of(view))
    writes = [POLICY.put(decision), ANSWERED.put(answered(view))]
    if decision.effect is Effect.REFUSE:
        text = await waiting_text(view, room)
        writes.append(DRAFT.put(Draft(text=text, author="text:waiting")))
    return Step((decision,), tuple(writes))


def answered(view: View) -> Answered:
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
        return Answered.NO if "ANSWER_NO" in codes else _again(view)
    if pending.awaiting is Obligation.CONFIRM:
        if state.turns != pending.asked_turn or view[TURN].at >= pending.expires_at:
            return Answered.NOTHING
        if {"ANSWER_YES", "ANSWER_NO"} <= codes:
            return Answered.ASKS_AGAIN
        if "ANSWER_YES" in codes:
            return Answered.YES
        return Answered.NO if "ANSWER_NO" in codes else Answered.NOTHING
    return _again(view)


def code_in(text: str) -> str | None:
    """The six-digit code in `text`, without the space or hyphen people put in the middle."""
    match = _CODE.search(text)
    return None if match is None else match[1] + match[2]


def _again(view: View) -> Answered:
    """A message about the same matter is answered with where the matter stands; another matter goes its own way."""
    detection, state = view[DETECTION], view[SNAPSHOT].state
    other = detection.need_state not in (None, state.need_state) and detection.confidence >= SURE
    return Answered.NOTHING if other else Answered.ASKS_AGAIN
