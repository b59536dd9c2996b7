"""Asks policy what may be done with the message at all, and notices what it answers of a pending call."""

from __future__ import annotations

import re

from handrail.agent.channels import (
    ANSWERED,
    CAUSE,
    DETECTION,
    DRAFT,
    GATE,
    POLICY,
    QUEUED,
    SNAPSHOT,
    TURN,
    Step,
    View,
    Write,
)
from handrail.agent.conversation import ASSISTANCE, PendingCall
from handrail.agent.nodes.dressing import SILENCE
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.room import Room
from handrail.agent.standing import WITH_A_PERSON
from handrail.agent.turns import Answered, CauseKind
from handrail.agent.waiting import waiting_now
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
    if decision.effect is Effect.REFUSE and not _carried_out(view, answer):
        writes += await _with_people(view, room)
    return Step((decision,), tuple(writes))


def _carried_out(view: View, answer: Answered) -> bool:
    """Whether a person's decision is carried out all the same: theirs, or the customer's answer to their edit."""
    pending = view[SNAPSHOT].state.pending
    return answer is Answered.DECISION or (answer is not Answered.NOTHING and pending is not None and pending.edited)


async def _with_people(view: View, room: Room) -> list[Write]:
    """Who waits is told where they stand. A person who has come is not spoken over, nor a refusal of the machine."""
    if view[SNAPSHOT].state.status in WITH_A_PERSON:
        return [DRAFT.put(SILENCE)]
    waiting = await waiting_now(view, room)
    draft = Draft(text=waiting.text, author="text:waiting")
    return [DRAFT.put(SILENCE if ASSISTANCE in view[SNAPSHOT].refused else draft), QUEUED.put(waiting.queued)]


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


def answered(view: View) -> Answered:
    """How the message relates to the pending call; a yes counts only as the next message after the question (S7.3)."""
    answer = _answer(view)
    # INVARIANT: nobody agrees to a question that was put after they had written.
    return Answered.ASKS_AGAIN if answer is Answered.YES and view[CAUSE].early else answer


def _answer(view: View) -> Answered:  # noqa: PLR0911, C901 - one line a case reads best
    """What the words say of the pending call."""
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
        if pending.edited:
            return _of_edit(view, pending)
        if state.turns != pending.asked_turn or view[TURN].at >= pending.expires_at:
            return Answered.NOTHING
        if "ANSWER_NO" not in codes and agrees(view[TURN].text, pending.call.tool):
            return Answered.YES
        if "ANSWER_YES" in codes:
            return Answered.ASKS_AGAIN
        return Answered.NO if "ANSWER_NO" in codes or takes_back(view[TURN].text) else Answered.NOTHING
    return Answered.NO if "ANSWER_NO" in codes or takes_back(view[TURN].text) else _again(view)


def _of_edit(view: View, pending: PendingCall) -> Answered:
    """How the message answers what a colleague changed.

    The question stands until it is answered or its time is over. Once somebody has spoken in between, a yes may mean
    something else, so the question is put again, and a no is read only where it takes something back.
    """
    text, codes = view[TURN].text, {signal.code for signal in view[DETECTION].signals}
    agreed = "ANSWER_NO" not in codes and agrees(text, pending.call.tool)
    if view[TURN].at >= pending.expires_at:
        return Answered.NOTHING
    if takes_back(text):
        return Answered.NO
    if view[SNAPSHOT].state.turns != pending.asked_turn:
        return Answered.ASKS_AGAIN if agreed else Answered.NOTHING
    if agreed:
        return Answered.YES
    if "ANSWER_YES" in codes:
        return Answered.ASKS_AGAIN
    return Answered.NO if "ANSWER_NO" in codes else Answered.NOTHING


def code_in(text: str) -> str | None:
    """The six-digit code in `text`, without the space or hyphen people put in the middle."""
    match = _CODE.search(text)
    return None if match is None else match[1] + match[2]


def _again(view: View) -> Answered:
    """A message about the same matter is answered with where the matter stands; another matter goes its own way."""
    detection, state = view[DETECTION], view[SNAPSHOT].state
    other = detection.need_state not in (None, state.need_state) and detection.confidence >= SURE
    return Answered.NOTHING if other else Answered.ASKS_AGAIN
