"""Decides every proposed call, runs what is allowed, and asks for the next step of what is not allowed yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import JsonValue

from handrail.agent.channels import (
    APPROVAL,
    DETECTION,
    DRAFT,
    ESCALATION,
    JOURNAL,
    NOTE,
    PENDING,
    PLACE,
    QUICK_REPLIES,
    REOPENED,
    RESULTS,
    ROUNDS,
    SNAPSHOT,
    USED_APPROVAL,
    WITHDRAWN,
    Step,
    View,
    Write,
)
from handrail.agent.conversation import AuditEvent, JournalState, PendingCall
from handrail.agent.nodes.agreement import Agreement, agreement_of
from handrail.agent.nodes.deciding import Weighed, weigh
from handrail.agent.nodes.dressing import SILENCE
from handrail.agent.nodes.execution import HANDED_OVER, Ran, run_call
from handrail.agent.nodes.next_step import ask_next_step
from handrail.agent.room import PortFault, Room
from handrail.agent.screening import WITHHELD
from handrail.agent.store_port import GrantsMoved
from handrail.guardrails.vocabulary import (
    Decision,
    Draft,
    Effect,
    Report,
    Stage,
    ToolCall,
    ToolOutcome,
    ToolResult,
)

NO_CALL = "TOOLS_NONE"
OVERTAKEN_TRIES = 3
"""How often a call is decided anew because the customer was granted something elsewhere in between."""


@dataclass(slots=True)
class Progress:
    """What this visit of the node has come to so far."""

    said: list[Decision | Report] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    audit: list[AuditEvent] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)
    stopped: bool = False
    notes: list[str] = field(default_factory=list)
    handed_over: bool = False

    def report(self, *reasons: str, details: dict[str, JsonValue] | None = None) -> None:
        """Note what happened, without a decision."""
        self.said.append(Report(stage=Stage.AUTHORIZE_TOOLS, reasons=tuple(reasons), details=details or {}))

    def told(self, ran: Ran) -> None:
        """Note how a call ended, and by which signals its content was withheld."""
        details: dict[str, JsonValue] = {"tool": ran.result.call.tool}
        if ran.signals:
            details["signals"] = [signal.model_dump(mode="json") for signal in ran.signals]
        withheld = tuple(code for code in ran.result.reasons if code == WITHHELD)
        self.said.append(Report(stage=Stage.AUTHORIZE_TOOLS, reasons=(ran.reason, *withheld), details=details))

    def speak(self, text: str, key: str) -> None:
        """Answer in fixed words; nothing else of this draft happens."""
        self.writes.append(DRAFT.put(Draft(text=text, author=f"text:{key}")))
        self.stopped = True

    def note(self, text: str) -> None:
        """Say `text` before whatever is said of this turn."""
        self.notes.append(text)
        self.writes.append(NOTE.put("\n\n".join(self.notes)))

    def hush(self) -> None:
        """Say nothing; nothing else of this draft happens."""
        self.writes.append(DRAFT.put(SILENCE))
        self.stopped = True

    def escalate(self, *reasons: str) -> None:
        """Bring a person; nothing else of this draft happens."""
        self.writes.append(ESCALATION.put(tuple(reasons)))
        self.stopped = True


async def authorize_tools(view: View, room: Room) -> Step:
    """First what the customer or an operator agreed to, else the calls of the draft, one after the other (S7)."""
    progress = Progress(results=[*view[RESULTS]] if view.has(RESULTS) else [])
    agreement = await agreement_of(view, room, progress)
    calls = (agreement.call,) if agreement is not None else view[DRAFT].calls if view.has(DRAFT) else ()
    if agreement is None and progress.stopped:
        calls = ()
    if calls and agreement is None and view.get(ROUNDS, 0) >= room.bundle.manifest.limits.tool_rounds:
        progress.report("TOOL_ROUNDS_USED")
        progress.speak(room.bundle.text("safe_reply", view[DETECTION].language), "safe_reply")
        calls = ()
    for call in calls:
        await _one(call, view, room, progress, agreement)
        if progress.stopped:
            break
    if progress.handed_over and not progress.stopped:
        # The caller runs what it was given and comes back with the results; until then there is nothing to say.
        progress.hush()
    progress.writes.append(RESULTS.put(tuple(progress.results)))
    if not progress.said:
        progress.report(NO_CALL)
    return Step(tuple(progress.said), tuple(progress.writes), tuple(progress.audit))


async def _one(call: ToolCall, view: View, room: Room, progress: Progress, agreement: Agreement | None) -> None:
    """Decide `call` and do what the decision says; again on fresh facts when another call overtook it."""
    for _ in range(OVERTAKEN_TRIES):
        try:
            return await _decided(call, view, room, progress, agreement)
        except GrantsMoved:
            progress.report("TOOL_OVERTAKEN")
    raise PortFault("SYS_STORE")


async def _decided(call: ToolCall, view: View, room: Room, progress: Progress, agreement: Agreement | None) -> None:
    weighed = await weigh(call, view, room, tuple(progress.results), agreement)
    if _has_ended(weighed, view):
        # It ran before a worker died in the middle of this turn, and has changed the facts it would be decided on.
        await _run(weighed, view, room, progress, agreement)
        return
    if progress.handed_over and not weighed.decision.allowed:
        # One answer cannot both wait for the caller and ask the customer: the model may propose this one again.
        progress.report(HANDED_OVER)
        return
    progress.said.append(weighed.decision)
    effect = weighed.decision.effect
    if effect is Effect.ESCALATE:
        if agreement is not None:
            # A person decides the matter now: what was agreed to or approved is not carried out any more.
            progress.writes.append(PENDING.put(None))
        progress.escalate(*weighed.decision.reasons)
    elif effect is Effect.REFUSE:
        _refused(weighed, view, room, progress, agreement)
    elif effect is Effect.NOT_YET:
        asked = await ask_next_step(weighed, view, room, agreement)
        progress.writes.append(PENDING.put(asked.pending))
        if replaced := superseded(view, asked.pending):
            progress.writes.append(WITHDRAWN.put(replaced))
            progress.note(room.bundle.text("superseded", view[DETECTION].language))
        if asked.approval is not None:
            progress.writes.append(APPROVAL.put(asked.approval))
        if asked.reopened is not None:
            progress.writes.append(REOPENED.put(asked.reopened))
        progress.writes.append(QUICK_REPLIES.put(asked.quick_replies))
        progress.results.append(
            ToolResult(call=weighed.call, outcome=ToolOutcome.NOT_YET, reasons=weighed.decision.reasons)
        )
        progress.speak(asked.text, "next_step")
    else:
        await _run(weighed, view, room, progress, agreement)


def superseded(view: View, new: PendingCall) -> str | None:
    """The request for approval that a new question takes the place of: one matter at a time waits for an answer."""
    old = view[SNAPSHOT].state.pending
    if old is None or old.approval_id in (None, new.approval_id) or old.digest == new.digest:
        return None
    return old.approval_id


def _refused(weighed: Weighed, view: View, room: Room, progress: Progress, agreement: Agreement | None) -> None:
    """The model gets a typed refusal; the customer gets safe words where they had agreed to the call (S7.5)."""
    reasons = weighed.decision.reasons
    progress.results.append(ToolResult(call=weighed.call, outcome=ToolOutcome.REFUSED, reasons=reasons))
    if agreement is None:
        return
    progress.writes.append(PENDING.put(None))
    if not _flow_waits(view):
        words = room.bundle.customer_text(reasons[0], view[DETECTION].language)
        progress.speak(words or room.bundle.text("tool_failed", view[DETECTION].language), "tool_refused")


async def _run(weighed: Weighed, view: View, room: Room, progress: Progress, agreement: Agreement | None) -> None:
    ran: Ran = await run_call(weighed, view, room, _trail_of(progress))
    progress.audit.extend(ran.audit)
    progress.results.append(ran.result)
    progress.told(ran)
    if agreement is not None:
        progress.writes.append(PENDING.put(None))
        # What may have run has used its approval up.
        if agreement.approval_id is not None and ran.result.outcome is not ToolOutcome.FAILED:
            progress.writes.append(USED_APPROVAL.put(agreement.approval_id))
    if ran.reason.startswith("SYS_"):
        progress.escalate(ran.reason)
        return
    if ran.result.outcome is ToolOutcome.HANDED_OVER:
        progress.handed_over = True
        return
    if agreement is None:
        return
    done = weighed.done_text(view[DETECTION].language) if ran.result.outcome is ToolOutcome.SUCCEEDED else None
    if not _flow_waits(view):
        progress.speak(done or room.bundle.text("tool_failed", view[DETECTION].language), "tool_done")
    elif done is not None:
        progress.note(done)


def _has_ended(weighed: Weighed, view: View) -> bool:
    """Whether this very call was carried out, or came to be in doubt, in an earlier run of this turn."""
    return any(
        entry.digest == weighed.digest and entry.state is not JournalState.INTENDED for entry in view.get(JOURNAL, ())
    )


def _flow_waits(view: View) -> bool:
    """Whether a guided flow goes on with the result, so that it speaks and not a fixed text."""
    return view.get(PLACE, view[SNAPSHOT].state.flow) is not None


def _trail_of(progress: Progress) -> tuple[Decision, ...]:
    """The tool decisions that led to a run, for the audit event before it."""
    return tuple(said for said in progress.said if isinstance(said, Decision))
