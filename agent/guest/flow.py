"""The turn of a guest: the same stages and the same router, without the search, and with the guest as the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from pydantic import JsonValue

from handrail.agent.channels import (
    INSTRUCTIONS,
    POLICY,
    RESULTS,
    RETRIEVED,
    ROUNDS,
    SNAPSHOT,
    Step,
    TurnState,
    View,
    Write,
    advanced,
)
from handrail.agent.flow import TURN, Table
from handrail.agent.guest.guest import Guest, present
from handrail.agent.nodes.generate import FIXED_WORDS, ask_model, fixed_words
from handrail.agent.room import Room
from handrail.agent.screening import WITHHELD
from handrail.guardrails.gate.canonical import canonical, digest
from handrail.guardrails.gate.results import recorded
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Obligation, Report, Stage, ToolOutcome, ToolResult


async def speak(view: View, room: Room) -> Step:
    """A fixed word where policy wants one, else the guest's draft. Guided flows and search are the product's own."""
    for obligation, key in FIXED_WORDS.items():
        if obligation in view[POLICY].obligations:
            return fixed_words(view, room, key, solved=obligation is Obligation.CLOSE)
    guest = present()
    brought = _brought(guest, view, room)
    written = cast(TurnState, {write.name: write.content for write in brought})
    step = await ask_model(View(advanced(view.state, written)), room)
    writes = (*brought, *step.writes, INSTRUCTIONS.put(guest.instructions))
    return Step((*_withheld(brought, guest), *step.said), writes, step.audit)


def _brought(guest: Guest, view: View, room: Room) -> tuple[Write, ...]:
    """What the guest brings, written with the first draft."""
    if view.has(RETRIEVED) or view.has(RESULTS):
        return ()
    found = guest.brought.documents
    results = tuple(_judged(one.result, view, room) for one in guest.brought.results)
    # The rounds of the turns that went before count: a model that never stops asking does not begin anew.
    return (RESULTS.put(results), ROUNDS.put(guest.brought.rounds), *(() if found is None else (RETRIEVED.put(found),)))


def _withheld(brought: tuple[Write, ...], guest: Guest) -> Iterator[Report]:
    """What was brought and may be read by no model, for the log."""
    for one in guest.brought.results if brought else ():
        if WITHHELD in one.result.reasons:
            signals: list[JsonValue] = [signal.model_dump(mode="json") for signal in one.signals]
            details: dict[str, JsonValue] = {"tool": one.result.call.tool, "signals": signals}
            yield Report(stage=Stage.GENERATE, reasons=(WITHHELD,), details=details)


def _judged(result: ToolResult, view: View, room: Room) -> ToolResult:
    """A result that the caller attests, as far as it counts.

    INVARIANT: no claim rests on a write that was not handed over in this conversation, nor on one whose result holds
    nothing that the tool declares as a record; and nothing at all rests on a tool that the bundle does not know.
    """
    spec = room.bundle.tools.get(result.call.tool)
    known = spec is not None
    if spec is not None and spec.access is Access.WRITE:
        handed_over = digest(canonical(result.call, spec)) in view[SNAPSHOT].ran
        known = handed_over and recorded(spec, result.content) is not None
    return result if known else result.model_copy(update={"outcome": ToolOutcome.UNKNOWN})


GUEST_TURN: Table = tuple(
    (stage, speak if stage is Stage.GENERATE else node) for stage, node in TURN if stage is not Stage.RETRIEVE
)
