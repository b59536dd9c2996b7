"""Reads the message: need state, intent and signals. Decides nothing."""

from __future__ import annotations

import re

from handrail.agent.channels import CAUSE, DETECTION, SNAPSHOT, TURN, Step, View
from handrail.agent.opinion import consult
from handrail.agent.room import Room, sensible
from handrail.agent.turns import CauseKind
from handrail.guardrails.gate.agreeing import agrees
from handrail.guardrails.vocabulary import Detection, NeedState, Obligation, Report, Role, Signal, Stage

_CODE = re.compile(r"\d{3}[\s-]?\d{3}")
EARLIER_MESSAGES = 4
"""Customer messages before this one that detection may look at."""

INTERRUPTED = "SYS_INTERRUPTED"
"""Says that a worker died in the middle of this turn and that it runs again."""

PERSON_BUTTON = Signal(code="HUMAN_REQUESTED", detector="person_button", score=1.0)


async def detect_intent(view: View, room: Room) -> Step:
    """One detection for the whole turn. The button for a person needs no detector and cannot fail (S5.3)."""
    if view[CAUSE].kind not in (CauseKind.MESSAGE, CauseKind.RESULTS):
        return _without_reading(view)
    turn = view[TURN]
    if _only_a_code(view):
        return _without_reading(view)
    earlier = [
        message.text
        for message in view[SNAPSHOT].history
        if message.role is Role.CUSTOMER and message.message_id != turn.turn_id
    ][-EARLIER_MESSAGES:]
    answer = await room.compute(lambda: room.detectors.detect(turn.text, earlier), room.patience.detection)
    local = _of_matter(view, sensible(answer, Detection, "the detectors"))
    consulted = await consult(local, view, room)
    detection = consulted.detection
    reasons = dict.fromkeys(
        (
            "INTENT_READ" if local.need_state is not None else "INTENT_UNKNOWN",
            *(signal.code for signal in detection.signals),
            *consulted.reasons,
            *((INTERRUPTED,) if view[CAUSE].resumed else ()),
        )
    )
    unknown = [code for code in reasons if code not in room.bundle.reasons]
    if unknown:
        raise ValueError(f"detectors reported codes that are not in the catalogue: {', '.join(unknown)}")
    details = detection.model_dump(mode="json")
    if consulted.details is not None:
        details["second_opinion"] = consulted.details
    report = Report(stage=Stage.DETECT_INTENT, reasons=tuple(reasons), details=details)
    return Step((report,), (DETECTION.put(detection),), consulted.audit)


def _only_a_code(view: View) -> bool:
    """Whether the message is nothing but the code that was asked for: digits say nothing about a need."""
    pending = view[SNAPSHOT].state.pending
    asked = pending is not None and pending.awaiting is Obligation.VERIFY_IDENTITY
    return asked and _CODE.fullmatch(view[TURN].text.strip()) is not None


def _of_matter(view: View, detection: Detection) -> Detection:
    """The reading, with the need of the matter for a message that only agrees to what was asked.

    Such a message says nothing about a need by itself, and what it answers may have left the history since.
    """
    state, asked = view[SNAPSHOT].state, view[SNAPSHOT].state.pending
    if asked is None or asked.awaiting is not Obligation.CONFIRM or not agrees(view[TURN].text, asked.call.tool):
        return detection
    needs = () if state.need_state is None else (state.need_state,)
    return detection.model_copy(update={"need_state": state.need_state, "intent": state.intent, "need_states": needs})


_REASONS = {
    CauseKind.PERSON_BUTTON: PERSON_BUTTON.code,
    CauseKind.MESSAGE: "CODE_GIVEN",
    CauseKind.OPERATOR_DECISION: "OPERATOR_DECIDED",
    CauseKind.CONSENT_REFUSED: "CONSENT_REFUSED",
}


def _without_reading(view: View) -> Step:
    """The reading of an event that is no text: a button, or an operator's decision."""
    pressed = view[CAUSE].kind is CauseKind.PERSON_BUTTON
    state = view[SNAPSHOT].state
    detection = Detection(
        need_state=NeedState.HUMAN_REQUEST if pressed else state.need_state,
        intent="talk_to_person" if pressed else state.intent,
        confidence=1.0,
        need_states=(NeedState.HUMAN_REQUEST,) if pressed else ((state.need_state,) if state.need_state else ()),
        alternatives=(),
        signals=(PERSON_BUTTON,) if pressed else (),
        language=None,
    )
    kind = view[CAUSE].kind
    reason = _REASONS[kind]
    return Step((Report(stage=Stage.DETECT_INTENT, reasons=(reason,)),), (DETECTION.put(detection),))
