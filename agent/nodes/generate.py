"""Writes the draft: a fixed question, the step of a guided flow, or the model's text. Nothing of it has left yet."""

from __future__ import annotations

from handrail.agent.channels import (
    CHECKLIST,
    CLARIFIED,
    COLLECTED,
    DETECTION,
    DRAFT,
    DUTIES,
    ESCALATION,
    FOUND,
    GUIDANCE,
    PLACE,
    POLICY,
    QUICK_REPLIES,
    RESULTS,
    ROUNDS,
    SNAPSHOT,
    SOLVED,
    TRIED,
    TURN,
    Step,
    View,
    Write,
)
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.models.overlap import rests_on
from handrail.agent.nodes.dressing import SILENCE
from handrail.agent.nodes.flow_step import advance_flow
from handrail.agent.nodes.prompting import model_prompt, withheld
from handrail.agent.nodes.retrieve import chosen_flow
from handrail.agent.nodes.writing import written
from handrail.agent.ports import PortError, Prompt
from handrail.agent.releasing import left
from handrail.agent.room import Room
from handrail.guardrails.flows.place import FlowEvent
from handrail.guardrails.gate.canonical import digest
from handrail.guardrails.vocabulary import Draft, Obligation, Report, Stage, ToolCall

STATUS_TOOL = "get_status"
FIXED_WORDS = {Obligation.CLOSE: "resolved", Obligation.COURTESY: "courtesy"}
"""Obligations that are carried out in the bundle's own words, by the key of the text."""
MAX_CALLS = 8
MAX_DRAFT = 20_000
"""Characters of a draft that are read at all; a longer one is cut there and then fails the output checks."""


async def generate(view: View, room: Room) -> Step:
    """Who speaks, in this order: a fixed word, a clarifying question, a guided flow, the status look-up, the model."""
    for obligation, key in FIXED_WORDS.items():
        if obligation in view[POLICY].obligations:
            return fixed_words(view, room, key, solved=obligation is Obligation.CLOSE)
    found = view.get(FOUND, view[POLICY])
    if Obligation.CLARIFY in found.obligations:
        return _clarify(view, room)
    if chosen_flow(view, room) is not None and not view.get(GUIDANCE, ()):
        step = _flow(view, room)
        if step is not None:
            return step
    if Obligation.STATUS_FIRST in view[POLICY].obligations and not view.get(RESULTS, ()):
        return _status_first(view)
    return await ask_model(view, room)


def fixed_words(view: View, room: Room, key: str, *, solved: bool) -> Step:
    """The bundle's own words for `key` as the draft."""
    text = room.bundle.text(key, view[DETECTION].language)
    report = Report(stage=Stage.GENERATE, reasons=("DRAFT_TEXT",), details={"text": key})
    return Step((report,), (DRAFT.put(Draft(text=text, author=f"text:{key}")), SOLVED.put(solved)))


def _clarify(view: View, room: Room) -> Step:
    asked = view[SNAPSHOT].state.clarifications
    key = "clarify_first" if asked == 0 else "clarify_second"
    text = room.bundle.text(key, view[DETECTION].language)
    report = Report(stage=Stage.GENERATE, reasons=("DRAFT_TEXT",), details={"text": key})
    return Step((report,), (DRAFT.put(Draft(text=text, author=f"text:{key}")), CLARIFIED.put(True)))


def _flow(view: View, room: Room) -> Step | None:
    """The next step of the flow; None when the flow leaves the matter to the model."""
    flow, step = advance_flow(view, room)
    report = Report(
        stage=Stage.GENERATE,
        reasons=("DRAFT_FLOW", *step.reasons),
        details={"flow": flow.id, "version": flow.version, "step": step.place.step if step.place else "end"},
    )
    calls = (step.call,) if step.call is not None else ()
    writes: list[Write] = [
        PLACE.put(step.place),
        COLLECTED.put(step.collected),
        TRIED.put((*view.get(TRIED, view[SNAPSHOT].state.tried), *step.tried)[-12:]),
        QUICK_REPLIES.put(step.quick_replies),
        CHECKLIST.put(step.checklist),
        DRAFT.put(Draft(text=step.text, calls=calls, author=f"flow:{flow.id}")),
        DUTIES.put(step.obligations),
        SOLVED.put(step.event is FlowEvent.DONE),
    ]
    if step.event is FlowEvent.HAND_OFF:
        writes.append(ESCALATION.put(step.reasons))
    return Step((report,), tuple(writes))


def _status_first(view: View) -> Step:
    """Looks at the status page before anything is said about an incident."""
    call = ToolCall(call_id=f"status.{view[TURN].turn_id}", tool=STATUS_TOOL, arguments={})
    report = Report(stage=Stage.GENERATE, reasons=("DRAFT_TEXT",), details={"text": "status_first"})
    return Step((report,), (DRAFT.put(Draft(text="", calls=(call,), author="text:status_first")),))


async def ask_model(view: View, room: Room) -> Step:
    """The model's draft."""
    before = room.clock.now()
    said = left()
    try:
        prompt = await _prompt(view, room)
        draft = await written(prompt, view, room)
    except (PortError, TimeoutError):
        if left() == said:
            raise
        # The beginning is out: the model is asked once more, for the rest of it.
        prompt = await _prompt(view, room)
        draft = await written(prompt, view, room)
    if draft is None:
        report = Report(stage=Stage.GENERATE, reasons=("DRAFT_CALLED_OFF",), details={"model": room.model.name})
        return Step((report,), (DRAFT.put(SILENCE),))
    # Calls beyond the limit are not decided at all: what is not proposed to the gate does not run.
    kept = {
        "text": draft.text[:MAX_DRAFT],
        "calls": draft.calls[:MAX_CALLS],
        "cites": tuple(dict.fromkeys((*rests_on(prompt.said, prompt.passages), *draft.cites))),
        "author": f"model:{room.model.name}",
    }
    draft = draft.model_copy(update=kept)
    now = room.clock.now()
    event = AuditEvent(
        kind=EventKind.MODEL_CALL,
        turn_id=view[TURN].turn_id,
        at=now,
        payload={
            "model": room.model.name,
            "template": prompt.template,
            "calls": [{"tool": call.tool, "digest": digest(call)} for call in draft.calls],
            "seconds": round((now - before).total_seconds(), 3),
            "repair": bool(prompt.guidance),
            "goes_on": bool(prompt.said),
        },
    )
    report = Report(stage=Stage.GENERATE, reasons=("DRAFT_MODEL",), details={"model": room.model.name})
    return Step((report,), (DRAFT.put(draft), ROUNDS.put(view.get(ROUNDS, 0) + 1)), (event,))


async def _prompt(view: View, room: Room) -> Prompt:
    full = model_prompt(view, room)
    # INVARIANT: a model is given the masked prompt and nothing else.
    return await room.compute(lambda: withheld(full, room.masked), room.patience.detection)
