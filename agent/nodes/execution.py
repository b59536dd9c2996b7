"""Runs an allowed call. A write is journalled before and concluded after, at most once whatever crashes (S7.4)."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from dataclasses import dataclass, replace

from pydantic import JsonValue, TypeAdapter

from handrail.agent.channels import CAUSE, JOURNAL, TURN, View
from handrail.agent.conversation import AuditEvent, EventKind, JournalEntry, JournalState
from handrail.agent.nodes.deciding import Weighed, key_of
from handrail.agent.ports import ToolRefused
from handrail.agent.room import Hands, PortFault, Room, bounded, faults_as
from handrail.agent.screening import screened, without_content
from handrail.agent.store_port import GrantsMoved
from handrail.agent.turns import CauseKind
from handrail.guardrails.gate.amounts import amounts_of
from handrail.guardrails.toolspec import Access, ToolSpec
from handrail.guardrails.vocabulary import Decision, Signal, ToolCall, ToolOutcome, ToolResult

log = logging.getLogger(__name__)

HANDED_OVER = "TOOL_HANDED_OVER"
MAX_RESULT = 64_000
"""Characters of JSON that a tool may answer with."""

IN_DOUBT: ContextVar[list[JournalEntry] | None] = ContextVar("IN_DOUBT", default=None)
"""Writes of this turn that have begun and not ended, for whoever must end the turn when the graph was broken off."""

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a call ended. `signals` are why its content was withheld."""

    result: ToolResult
    reason: str
    signals: tuple[Signal, ...] = ()
    audit: tuple[AuditEvent, ...] = ()


async def run_call(weighed: Weighed, view: View, room: Room, led: tuple[Decision, ...]) -> Ran:
    """Run the weighed call, which policy allowed. `led` are the decisions for the audit event before a write.

    INVARIANT: of what a tool answers, only declared fields without instructions to the model get any further.
    Raises GrantsMoved, before anything ran, when the customer was granted something since the call was weighed.
    """
    if weighed.spec is None:
        raise LookupError("an undeclared tool cannot run")
    ran = await _run(weighed, weighed.spec, view, room, led)
    return await _screened(ran, weighed.spec, room)


async def _screened(ran: Ran, spec: ToolSpec, room: Room) -> Ran:
    try:
        found = await room.compute(lambda: screened(ran.result, spec, room.detectors), room.patience.detection)
    except Exception as error:  # noqa: BLE001 - what has happened must reach the person, screened or not
        log.error("result not screened", extra={"tool": spec.id, "error": type(error).__name__})
        return replace(ran, result=without_content(ran.result), reason="SYS_DETECTION")
    return replace(ran, result=found.result, signals=found.signals)


async def _run(weighed: Weighed, spec: ToolSpec, view: View, room: Room, led: tuple[Decision, ...]) -> Ran:
    call = weighed.call
    turn = view[TURN]
    customer = turn.customer_id or ""
    key = key_of(turn, weighed.digest)
    # What an operator approved has no caller waiting for it any more: Handrail runs it.
    if room.hands is Hands.CALLER and view[CAUSE].kind is not CauseKind.OPERATOR_DECISION:
        return await _hand_over(call, weighed, spec, view, room, key, led)
    if spec.access is Access.READ:
        return await _read(call, customer, key, room)
    return await _write(call, weighed, spec, view, room, key, led)


async def _read(call: ToolCall, customer: str, key: str, room: Room) -> Ran:
    try:
        content = await bounded(room.toolbox.execute(call, customer, key), room.patience.tool)
    except ToolRefused:
        return Ran(ToolResult(call=call, outcome=ToolOutcome.FAILED, reasons=("TOOL_FAILED",)), "TOOL_FAILED")
    return Ran(ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED, content=_sound(content)), "TOOL_SUCCEEDED")


async def _write(
    call: ToolCall, weighed: Weighed, spec: ToolSpec, view: View, room: Room, key: str, led: tuple[Decision, ...]
) -> Ran:
    turn = view[TURN]
    begun = next((entry for entry in view.get(JOURNAL, ()) if entry.key == key), None)
    if begun is None:
        begun = _intent(weighed, spec, view, room, key)
        await _intend(begun, weighed, view, room, led)
    elif begun.state is not JournalState.INTENDED:
        return _from_journal(begun, call)
    elif not spec.idempotent:
        # A dead worker may have run it, and the system cannot tell by the key: a person looks (S7.4).
        doubt = begun.model_copy(update={"state": JournalState.UNKNOWN, "at": room.clock.now()})
        after = [_event(EventKind.TOOL_OUTCOME, view, room, doubt, ())]
        with faults_as("SYS_STORE"):
            await bounded(room.store.conclude(turn, doubt, after), room.patience.store)
        return _from_journal(doubt, call)
    open_writes = IN_DOUBT.get()
    if open_writes is not None:
        open_writes.append(begun)
    state, content = await _execute_once(call, turn.customer_id or "", key, room)
    ended = begun.model_copy(update={"state": state, "content": content, "at": room.clock.now()})
    after = [_event(EventKind.TOOL_OUTCOME, view, room, ended, ())]
    try:
        await bounded(room.store.conclude(turn, ended, after), room.patience.store)
    except Exception:  # noqa: BLE001 - what has happened must reach the person, journalled or not
        return Ran(_from_journal(ended, call).result, "SYS_STORE")
    if open_writes is not None:
        open_writes.remove(begun)
    return _from_journal(ended, call)


def _intent(weighed: Weighed, spec: ToolSpec, view: View, room: Room, key: str) -> JournalEntry:
    return JournalEntry(
        turn_id=view[TURN].turn_id,
        call=weighed.call,
        digest=weighed.digest,
        key=key,
        state=JournalState.INTENDED,
        amounts=amounts_of(spec, weighed.values),
        at=room.clock.now(),
    )


async def _intend(begun: JournalEntry, weighed: Weighed, view: View, room: Room, led: tuple[Decision, ...]) -> None:
    """Journal the call. INVARIANT: nothing runs on a sum over earlier calls that is no longer true."""
    before = [_event(EventKind.TOOL_INTENT, view, room, begun, led)]
    try:
        await bounded(room.store.intend(view[TURN], begun, before, weighed.granted), room.patience.store)
    except GrantsMoved:
        raise
    except Exception as error:
        raise PortFault("SYS_STORE") from error


async def _hand_over(
    call: ToolCall, weighed: Weighed, spec: ToolSpec, view: View, room: Room, key: str, led: tuple[Decision, ...]
) -> Ran:
    """Give the call to the caller, who runs it. A write is journalled before: it may have happened from now on."""
    turn = view[TURN]
    given = _intent(weighed, spec, view, room, key)
    ended = given.model_copy(update={"state": JournalState.HANDED_OVER})
    result = ToolResult(call=call, outcome=ToolOutcome.HANDED_OVER, reasons=(HANDED_OVER,))
    after = _event(EventKind.TOOL_OUTCOME, view, room, ended, ())
    if spec.access is Access.READ:
        return Ran(result, HANDED_OVER, audit=(after,))
    if all(entry.key != key for entry in view.get(JOURNAL, ())):
        await _intend(given, weighed, view, room, led)
    with faults_as("SYS_STORE"):
        await bounded(room.store.conclude(turn, ended, [after]), room.patience.store)
    return Ran(result, HANDED_OVER)


async def _execute_once(call: ToolCall, customer: str, key: str, room: Room) -> tuple[JournalState, JsonValue]:
    """Execute; when that ends in doubt, ask once what became of the key."""
    try:
        answer = _sound(await bounded(room.toolbox.execute(call, customer, key), room.patience.tool))
    except ToolRefused:
        return JournalState.FAILED, None
    except Exception:  # noqa: BLE001 - whatever went wrong after a write began, it may have happened
        answer = None
    if answer is not None:
        return JournalState.SUCCEEDED, answer
    try:
        found = _sound(await bounded(room.toolbox.outcome(key), room.patience.tool))
    except Exception:  # noqa: BLE001 - nobody can tell
        return JournalState.UNKNOWN, None
    # No record of the key may mean "not yet": only a person can tell, so it stays unknown.
    return (JournalState.SUCCEEDED, found) if found is not None else (JournalState.UNKNOWN, None)


def _sound(content: object) -> JsonValue:
    """`content` as plain JSON of a sensible size; ValueError for nonsense."""
    plain = _JSON.validate_python(content)
    if len(json.dumps(plain)) > MAX_RESULT:
        raise ValueError("the tool answered with more than can be read")
    return plain


def _from_journal(entry: JournalEntry, call: ToolCall) -> Ran:
    if entry.state is JournalState.SUCCEEDED:
        result = ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED, content=entry.content)
        return Ran(result, "TOOL_SUCCEEDED")
    if entry.state is JournalState.FAILED:
        return Ran(ToolResult(call=call, outcome=ToolOutcome.FAILED, reasons=("TOOL_FAILED",)), "TOOL_FAILED")
    result = ToolResult(call=call, outcome=ToolOutcome.UNKNOWN, reasons=("SYS_TOOL_UNKNOWN",))
    return Ran(result, "SYS_TOOL_UNKNOWN")


def outcome_event(turn_id: str, entry: JournalEntry) -> AuditEvent:
    """The audit event of how a call ended."""
    return AuditEvent(kind=EventKind.TOOL_OUTCOME, turn_id=turn_id, at=entry.at, payload=_payload(entry, ()))


def _event(kind: EventKind, view: View, room: Room, entry: JournalEntry, led: tuple[Decision, ...]) -> AuditEvent:
    return AuditEvent(kind=kind, turn_id=view[TURN].turn_id, at=room.clock.now(), payload=_payload(entry, led))


def _payload(entry: JournalEntry, led: tuple[Decision, ...]) -> dict[str, JsonValue]:
    return {
        "tool": entry.call.tool,
        "digest": entry.digest,
        "key": entry.key,
        "outcome": entry.state.value,
        "reasons": [reason for decision in led for reason in decision.reasons],
    }
