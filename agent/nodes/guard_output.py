"""Checks what would be said, sentence by sentence, and asks policy what follows from the findings."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.channels import (
    DETECTION,
    DRAFT,
    FOUND,
    GUIDANCE,
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
from handrail.agent.nodes.dressing import SILENCE, dress, said_before
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.nodes.prompting import NOTHING_FOUND, allowed_commitments, system_text
from handrail.agent.room import Room, sensible
from handrail.agent.standing import WITH_PEOPLE
from handrail.guardrails.output.evidence import Evidence, PersonState
from handrail.guardrails.output.feedback import feedback
from handrail.guardrails.output.review import Review, review
from handrail.guardrails.policy.facts import fact
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
    if draft == SILENCE:
        # There is no sentence to check, and nothing may be said instead.
        return Step((Report(stage=Stage.GUARD_OUTPUT, reasons=("REPLY_NONE",)),), (RELEASE.put(""),))
    text = dress(draft, view, room)
    evidence = evidence_of(view, room, fixed=() if draft.author.startswith("model:") else (text,))
    answer = await room.compute(lambda: review(text, evidence, room.bundle.wording), room.patience.detection)
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


def decide(found: Review, draft: Draft, view: View, room: Room) -> Decision:
    """Policy's answer to the findings."""
    speaker = draft.author.partition(":")[0]
    facts = (
        fact("findings", found.codes, "output_checks"),
        fact("findings_count", len(found.findings), "output_checks"),
        fact("repairs_left", max(0, MAX_REPAIRS - view.get(REPAIRS, 0)), "flow"),
        fact("speaker", speaker, "flow"),
    )
    return room.bundle.policy.decide(Stage.GUARD_OUTPUT, facts_of(view).with_facts(facts))


def evidence_of(view: View, room: Room, fixed: tuple[str, ...]) -> Evidence:
    """Everything that a text of this turn may rest on; `fixed` are the bundle's own words, as rendered."""
    turn, snapshot = view[TURN], view[SNAPSHOT]
    results = view.get(RESULTS, ())
    state = snapshot.state
    handed = state.status in WITH_PEOPLE
    asked = any(signal.code == "HUMAN_REQUESTED" for signal in view[DETECTION].signals)
    own = tuple(str(one.content) for one in facts_of(view).used.values() if isinstance(one.content, str))
    return Evidence(
        passages=view.get(RETRIEVED, NOTHING_FOUND).passages,
        tool_results=results,
        actions=tuple(result for result in results if _writes(result, room)),
        customer_texts=(
            *(message.text for message in snapshot.history if message.role is Role.CUSTOMER),
            *((turn.text,) if turn.sender is Role.CUSTOMER else ()),
        ),
        fixed_texts=fixed,
        allowed=allowed_commitments(view, room),
        promised=tuple(promise.text for promise in state.promises),
        own=own,
        # The bundle's own words may be said again: where a matter stands does not change by being asked twice.
        shown=() if fixed else state.shown_passages,
        earlier_replies=() if fixed else said_before(view),
        system_prompt=system_text(view, room) if view.has(POLICY) and view.has(FOUND) else "",
        person=PersonState.HANDED_OFF if handed else PersonState.ASKED if asked else PersonState.NOT_ASKED,
        obligations=view[POLICY].obligations if view.has(POLICY) else (),
        now=turn.at.date(),
    )


def _writes(result: ToolResult, room: Room) -> bool:
    spec = room.bundle.tools.get(result.call.tool)
    return spec is not None and spec.access is Access.WRITE
