"""Writes that were begun and have no end yet: what can be found out about them, and what is in doubt (S7.4)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from pydantic import JsonValue

from handrail.agent.channels import JOURNAL, RESULTS, View
from handrail.agent.conversation import Approval, ApprovalState, JournalEntry, JournalState, Received
from handrail.agent.nodes.execution import outcome_event
from handrail.agent.room import Hands, Room, bounded, sensible
from handrail.guardrails.gate.canonical import digest
from handrail.guardrails.vocabulary import Role, ToolOutcome, ToolResult

_ENDS = frozenset({ToolOutcome.SUCCEEDED, ToolOutcome.FAILED, ToolOutcome.UNKNOWN, ToolOutcome.HANDED_OVER})
_OPEN = frozenset({JournalState.INTENDED, JournalState.UNKNOWN})


def ours(received: Received, room: Room) -> bool:
    """Whether Handrail itself runs the writes of a turn; its caller gets them with the answer, and not before."""
    return room.hands is Hands.OURS or received.turn.sender is Role.OPERATOR


async def settled(received: Received, room: Room) -> tuple[JournalEntry, ...]:
    """The turn's journal, with what became of writes that a dead worker had begun, as far as it can be found out."""
    if not ours(received, room):
        return received.journal
    return tuple([await _settled(entry, received, room) for entry in received.journal])


async def _settled(entry: JournalEntry, received: Received, room: Room) -> JournalEntry:
    if entry.state is not JournalState.INTENDED:
        return entry
    try:
        found = await bounded(room.toolbox.outcome(entry.key), room.patience.tool)
    except Exception:  # noqa: BLE001 - nobody can tell now; the same key may be tried where the system heeds keys
        found = None
    if found is not None:
        return await _concluded(entry, JournalState.SUCCEEDED, received, room, room.patience.store, found)
    spec = room.bundle.tools.get(entry.call.tool)
    if spec is None or not spec.idempotent:
        # INVARIANT: settled before anything is decided. It may have run, and then the facts are those after it: the
        # call would be refused as one too many, and nobody would hear that it may have run.
        return await _concluded(entry, JournalState.UNKNOWN, received, room, room.patience.store)
    # The worker is dead and its key unknown to the system: nothing happened, and the call may run again under the same
    # key.
    return entry


def left_open(view: View) -> tuple[JournalEntry, ...]:
    """Writes of an earlier run of the turn that this run has not brought to an end that anybody is told of."""
    results = view.get(RESULTS, ())
    ended = {digest(result.call) for result in results if result.outcome in _ENDS}
    return tuple(entry for entry in view.get(JOURNAL, ()) if entry.state in _OPEN and entry.digest not in ended)


async def never_given(entries: Iterable[JournalEntry], received: Received, room: Room) -> None:
    """Journal writes as not run whose caller has never got them."""
    for entry in entries:
        await _concluded(entry, JournalState.FAILED, received, room, room.patience.handoff)


async def doubted(entries: Iterable[JournalEntry], received: Received, room: Room) -> tuple[ToolResult, ...]:
    """Journal the writes as unknown; what a person is told of them."""
    seconds = room.patience.handoff
    known = [await _concluded(entry, JournalState.UNKNOWN, received, room, seconds) for entry in entries]
    return tuple(
        ToolResult(call=entry.call, outcome=ToolOutcome.UNKNOWN, reasons=("SYS_TOOL_UNKNOWN",)) for entry in known
    )


async def used_up(entries: Iterable[JournalEntry], received: Received, room: Room) -> str | None:
    """The approval that one of the writes has used up, by having run, perhaps."""
    pending = received.snapshot.state.pending
    if pending is None or pending.approval_id is None:
        return None
    with suppress(Exception):
        asking = room.store.approval(received.turn.site, pending.approval_id)
        held = sensible(await bounded(asking, room.patience.handoff), Approval, "the store")
        if held.state is ApprovalState.APPROVED and held.digest in {entry.digest for entry in entries}:
            return held.approval_id
    return None


async def _concluded(
    entry: JournalEntry,
    state: JournalState,
    received: Received,
    room: Room,
    seconds: float,
    content: JsonValue = None,
) -> JournalEntry:
    known = entry.model_copy(update={"state": state, "content": content, "at": room.clock.now()})
    if known.state is not entry.state:
        with suppress(Exception):
            event = outcome_event(received.turn.turn_id, known)
            await bounded(room.store.conclude(received.turn, known, [event]), seconds)
    return known
