"""Brings together the facts of one proposed call, fresh, and asks policy about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from handrail.agent.channels import JOURNAL, RETRIEVED, SNAPSHOT, TURN, View
from handrail.agent.conversation import Approval, Granted
from handrail.agent.facts import identity_now
from handrail.agent.nodes.agreement import Agreement
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.nodes.prompting import NOTHING_FOUND
from handrail.agent.ports import CallFacts, ToolRefused
from handrail.agent.room import Room, bounded, faults_as, sensible
from handrail.guardrails.gate.amounts import amounts_of, reach, total, windows_of
from handrail.guardrails.gate.canonical import canonical, digest
from handrail.guardrails.gate.editing import Edit, changed, edit_of, kept
from handrail.guardrails.gate.facts import Standing
from handrail.guardrails.gate.inspection import inspect
from handrail.guardrails.gate.question import render_done, render_question
from handrail.guardrails.gate.results import sources
from handrail.guardrails.gate.weighing import decide_call, decide_unavailable, decide_undeclared
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import (
    Decision,
    FactContent,
    Role,
    ToolCall,
    ToolOutcome,
    ToolResult,
    Turn,
)

TOOL_EVENT = "tool_run"
DONE = (ToolOutcome.SUCCEEDED, ToolOutcome.HANDED_OVER)
"""Outcomes after which the same write is a repeat."""
UNAVAILABLE = "TOOL_UNAVAILABLE"
"""Says that the owner of the tool declined before anything was decided: there is no such tool there as declared."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A decided call with what its decision rests on. `call` is canonical: what is shown, agreed to and run.

    `approvals` is how many people's approvals it saw, `granted` what the customer had been granted by then, where a sum
    over earlier calls is asked for.
    """

    call: ToolCall
    spec: ToolSpec | None
    digest: str
    decision: Decision
    values: dict[str, FactContent]
    approvals: int = 0
    granted: Granted | None = None

    def question(self, language: str | None) -> str:
        """The words the customer agrees to, rendered from the call; LookupError when it cannot be put into words."""
        words = None if self.spec is None else render_question(self.spec, self.call, self.values, language)
        if words is None:
            raise LookupError("the call cannot be put into a question, so nobody can agree to it")
        return words

    def done_text(self, language: str | None) -> str | None:
        """What is told after success, rendered from the call; None when it cannot be put into words."""
        return None if self.spec is None else render_done(self.spec, self.call, self.values, language)


async def weigh(
    call: ToolCall, view: View, room: Room, results: tuple[ToolResult, ...], agreement: Agreement | None
) -> Weighed:
    """Decide `call` on fresh facts. A tool that the bundle does not know is refused without asking anybody."""
    spec = room.bundle.tools.get(call.tool)
    turn, snapshot = view[TURN], view[SNAPSHOT]
    if spec is None:
        return Weighed(call, None, digest(call), decide_undeclared(room.bundle.policy, call.tool, facts_of(view)), {})
    try:
        values = await _fresh(canonical(call, spec), spec, turn.customer_id, room)
    except ToolRefused:
        decision = decide_unavailable(room.bundle.policy, spec, facts_of(view), UNAVAILABLE)
        return Weighed(call, spec, digest(call), decision, {})
    words = [message.text for message in snapshot.history if message.role is Role.CUSTOMER]
    found = sources(
        customer_words=(*words, *((turn.text,) if turn.sender is Role.CUSTOMER else ())),
        results=results,
        passages=(passage.text for passage in view.get(RETRIEVED, NOTHING_FOUND).passages),
        tools=room.bundle.tools,
        known=snapshot.state.records,
        # What was asked about had its origins checked then; its words may have left the history since.
        established=() if agreement is None or agreement.before else (agreement.digest,),
    )
    if agreement is not None and agreement.before:
        # What an operator left as it was has had its origins checked; what they set comes from them.
        origins = {"operator": changed(agreement.before[0], call), "kept": kept(agreement.before[0], call)}
        found = found.model_copy(update=origins)
    inspection = inspect(call, spec, found, values)
    agreed = agreement is not None and agreement.digest == inspection.digest
    approved = await _approved(agreement, view, room) if agreement is not None else ()
    granted = await _granted(spec, inspection.digest, view, room)
    level = agreement.identity if agreed and agreement is not None and agreement.identity else None
    standing = Standing(
        now=turn.at,
        confirmed=inspection.digest if agreed and agreement is not None and agreement.confirmed else None,
        approved=approved,
        # A write of this very turn, seen again after a crash, is answered from the journal instead of being refused.
        succeeded=(
            *(bound for bound in snapshot.ran if bound not in _of_this_turn(view)),
            *(digest(result.call) for result in results if result.outcome in DONE),
        ),
        runs=await _runs(spec, view, room),
        edit=_edit(agreement, spec),
        totals=_totals(spec, values, granted, view, room),
    )
    identity = level or identity_now(turn, snapshot.state)
    decision = decide_call(room.bundle.policy, spec, inspection, standing, identity, values, facts_of(view))
    seen = approved.count(inspection.digest)
    return Weighed(inspection.call, spec, inspection.digest, decision, values, seen, granted)


def _edit(agreement: Agreement | None, spec: ToolSpec) -> Edit:
    """What the edits mean, compared with all that the customer has heard of: one loss is a loss."""
    found = set() if agreement is None else {edit_of(spec, before, agreement.call) for before in agreement.before}
    return next((edit for edit in (Edit.ADVERSE, Edit.FAVOURABLE) if edit in found), Edit.NONE)


def key_of(turn: Turn, bound: str) -> str:
    """The idempotency key of a call in a turn. The digest makes it: a model asked again may number a call anew."""
    return f"{turn.conversation_id}:{turn.turn_id}:{bound[:32]}"


async def _granted(spec: ToolSpec, bound: str, view: View, room: Room) -> Granted | None:
    """What the customer has been granted as far back as the windows over this tool look, but for this very call."""
    turn, windows = view[TURN], windows_of(room.bundle.amounts, spec)
    since = reach(windows, turn.at)
    if since is None or turn.customer_id is None:
        return None
    tools = tuple(sorted({tool for window in windows for tool in window.tools}))
    with faults_as("SYS_STORE"):
        asking = room.store.granted(turn.site, turn.customer_id, tools, since, key_of(turn, bound))
        return sensible(await bounded(asking, room.patience.store), Granted, "the store")


def _totals(
    spec: ToolSpec, values: dict[str, FactContent], granted: Granted | None, view: View, room: Room
) -> dict[str, int | None]:
    """The sums over earlier calls and this one; unknown for somebody of whom nothing can be known."""
    proposed = amounts_of(spec, values)
    return {
        window.fact: None if granted is None else total(window, proposed, granted.grants, view[TURN].at)
        for window in windows_of(room.bundle.amounts, spec)
    }


async def _fresh(call: ToolCall, spec: ToolSpec, customer: str | None, room: Room) -> dict[str, FactContent]:
    """The tool's own facts of this call, read now; none for somebody who is not signed in.

    Raises ToolRefused when there is no such tool where the call would run.
    """
    if not room.has_tool(spec.id):
        raise ToolRefused("who would run the call has no such tool")
    if not (spec.facts or spec.mcp) or (spec.requires_customer and customer is None):
        return {}
    found = await bounded(room.toolbox.call_facts(call, customer or ""), room.patience.tool)
    return dict(sensible(found, CallFacts, "the toolbox").values)


async def _approved(agreement: Agreement, view: View, room: Room) -> tuple[str, ...]:
    """The digest of the call that people approved, in time and not used yet: once for each of them."""
    if agreement.approval_id is None:
        return ()
    with faults_as("SYS_STORE"):
        answer = await bounded(room.store.approval(view[TURN].site, agreement.approval_id), room.patience.store)
        found = None if answer is None else sensible(answer, Approval, "the store")
    usable = found is not None and found.usable(agreement.digest, view[TURN].at)
    return (found.digest,) * len(found.approvers) if usable and found is not None else ()


def _of_this_turn(view: View) -> frozenset[str]:
    return frozenset(entry.digest for entry in view.get(JOURNAL, ()))


async def _runs(spec: ToolSpec, view: View, room: Room) -> tuple[datetime, ...]:
    """When this tool ran for this customer, as far back as its limit looks."""
    turn = view[TURN]
    if spec.rate_limit is None or turn.customer_id is None:
        return ()
    since = turn.at - timedelta(minutes=spec.rate_limit.within_minutes)
    with faults_as("SYS_CONTEXT"):
        events = await bounded(room.context.events(turn.site, turn.customer_id, since), room.patience.context)
    return tuple(event.at for event in events if event.kind == TOOL_EVENT and event.details.get("tool") == spec.id)
