"""Checks what would be said, sentence by sentence, and asks policy what follows from the findings."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.channels import (
    DETECTION,
    DRAFT,
    FOUND,
    GUIDANCE,
    INSTRUCTIONS,
    POLICY,
    RELEASE,
    REPAIRS,
    RESULTS,
    RETRIEVED,
    SNAPSHOT,
    TURN,
    Step,
    View,
)
from handrail.agent.nodes.dressing import SILENCE, by_model, closing, dress, goes_on, opening, said_before
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.nodes.prompting import NOTHING_FOUND, allowed_commitments, system_text
from handrail.agent.releasing import left
from handrail.agent.room import Room, sensible
from handrail.agent.standing import WITH_PEOPLE
from handrail.guardrails.detect.config import INJECTION
from handrail.guardrails.output.commitments import promises
from handrail.guardrails.output.evidence import Evidence, PersonState
from handrail.guardrails.output.feedback import feedback
from handrail.guardrails.output.review import Review, review
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import (
    Decision,
    Draft,
    Effect,
    Report,
    Role,
    Stage,
    ToolResult,
)

MAX_REPAIRS = 1


async def guard_output(view: View, room: Room) -> Step:
    """What passes becomes the release; what does not is repaired once, replaced by fixed words, or handed over."""
    draft = view[DRAFT]
    said = left()
    if draft == SILENCE:
        # There is no sentence to check, and nothing may be said instead.
        return Step((Report(stage=Stage.GUARD_OUTPUT, reasons=("REPLY_NONE",)),), (RELEASE.put(""),))
    text = dress(draft, view, room, said)
    rest = text[len(said) :]
    if by_model(draft):
        evidence = evidence_of(view, room, around=(*opening(draft, view, room), *closing(draft, view, room)))
    else:
        evidence = evidence_of(view, room, fixed=(rest,))
    if goes_on(draft, view, room, said):
        evidence = going_on(evidence, said)
    answer = await room.compute(lambda: review(rest, evidence, room.bundle.wording, said), room.patience.detection)
    found = sensible(answer, Review, "the output checks")
    decision = decide(found, draft, view, room)
    details: dict[str, JsonValue] = {
        "findings": [one.model_dump(mode="json") for one in found.findings],
        "sentences": len(found.released),
        "author": draft.author,
    }
    report = Report(stage=Stage.GUARD_OUTPUT, reasons=found.codes or ("OUTPUT_CHECKED",), details=details)
    if decision.allowed:
        return Step((report, decision), (RELEASE.put(text),))
    if decision.effect is Effect.NOT_YET:
        writes = (REPAIRS.put(view.get(REPAIRS, 0) + 1), GUIDANCE.put(feedback(found.findings, room.bundle.wording)))
        return Step((report, decision), writes)
    safe = Draft(text=room.bundle.text("safe_reply", view[DETECTION].language), author="text:safe_reply")
    return Step((report, decision), (RELEASE.put(safe.text), DRAFT.put(safe)))


def going_on(evidence: Evidence, said: str) -> Evidence:
    """The evidence of a text that a model was asked to go on with: what has left is not to be said again."""
    return evidence.model_copy(update={"said": said})


def promised(text: str, view: View, room: Room) -> tuple[str, ...]:
    """Commitments in what a model said and policy let through, for the ledger and the handoff packet."""
    return promises(text, room.bundle.wording, evidence_of(view, room)) if text else ()


def decide(found: Review, draft: Draft, view: View, room: Room) -> Decision:
    """Policy's answer to the findings."""
    repairs_left = max(0, MAX_REPAIRS - view.get(REPAIRS, 0))
    facts = found.facts(repairs_left, draft.author.partition(":")[0])
    return room.bundle.policy.decide(Stage.GUARD_OUTPUT, facts_of(view).with_facts(facts))


def evidence_of(view: View, room: Room, *, fixed: tuple[str, ...] = (), around: tuple[str, ...] = ()) -> Evidence:
    """Everything that a text of this turn may rest on.

    `fixed` are the bundle's own words, as rendered, where they are the whole text, and `around` those that stand before
    and after a model's text.
    """
    turn, snapshot = view[TURN], view[SNAPSHOT]
    results = view.get(RESULTS, ())
    state = snapshot.state
    suspect = distrusted(view)
    handed = state.status in WITH_PEOPLE
    asked = any(signal.code == "HUMAN_REQUESTED" for signal in view[DETECTION].signals)
    own = tuple(str(one.content) for one in facts_of(view).used.values() if isinstance(one.content, str))
    return Evidence(
        passages=view.get(RETRIEVED, NOTHING_FOUND).passages,
        tool_results=results,
        actions=tuple(result for result in results if is_write(result, room)),
        customer_texts=(
            *(one.text for one in snapshot.history if one.role is Role.CUSTOMER and one.message_id not in suspect),
            *((turn.text,) if turn.sender is Role.CUSTOMER and turn.turn_id not in suspect else ()),
        ),
        fixed_texts=(*fixed, *around),
        allowed=allowed_commitments(view, room),
        promised=tuple(promise.text for promise in state.promises),
        own=own,
        # The bundle's own words may be said again: where a matter stands does not change by being asked twice.
        shown=() if fixed else state.shown_passages,
        earlier_replies=() if fixed else said_before(view),
        system_prompt=_told(view, room),
        # A word that could be anybody's is no name of a tool.
        tool_ids=tuple(name for name in room.bundle.tools if "_" in name),
        person=PersonState.HANDED_OFF if handed else PersonState.ASKED if asked else PersonState.NOT_ASKED,
        obligations=view[POLICY].obligations if view.has(POLICY) else (),
        now=turn.at.date(),
    )


def distrusted(view: View) -> tuple[str, ...]:
    """Ids of the customer's messages that hold instructions to the model, this turn's among them.

    INVARIANT: such a text is no source, as a passage that addresses the model is none: anybody may have written it.
    """
    known = view[SNAPSHOT].state.distrusted
    signals = view[DETECTION].signals if view.has(DETECTION) else ()
    suspected = any(signal.code == INJECTION for signal in signals)
    return (*known, view[TURN].turn_id) if suspected else known


def _told(view: View, room: Room) -> str:
    """Everything that only the model is told: a guest's instructions, or our system text and what the tools are for."""
    if view.has(INSTRUCTIONS):
        return view[INSTRUCTIONS]
    if not (view.has(POLICY) and view.has(FOUND)):
        return ""
    return "\n".join((system_text(view, room), *(spec.description for spec in room.bundle.tools.values())))


def is_write(result: ToolResult, room: Room) -> bool:
    """Whether the call of `result` is of a tool that changes something."""
    spec = room.bundle.tools.get(result.call.tool)
    return spec is not None and spec.access is Access.WRITE
