"""Brings together the facts of one proposed call, fresh, and asks policy about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from handrail.agent.channels import RETRIEVED, SNAPSHOT, TURN, View
from handrail.agent.facts import identity_now
from handrail.agent.nodes.agreement import Agreement
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.nodes.prompting import NOTHING_FOUND, tool_facts
from handrail.agent.ports import CallFacts
from handrail.agent.room import Room, bounded
from handrail.guardrails.gate.digest import digest
from handrail.guardrails.gate.inspect import CallInspection, Sources, inspect
from handrail.guardrails.gate.question import render_done, render_question
from handrail.guardrails.policy.facts import fact
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import (
    Decision,
    Effect,
    FactContent,
    FactUsed,
    Role,
    Stage,
    ToolCall,
    ToolResult,
)

TOOL_EVENT = "tool_run"


@dataclass(frozen=True, slots=True)
class Weighed:
    """A decided call with what its decision rests on."""

    call: ToolCall
    spec: ToolSpec | None
    digest: str
    decision: Decision
    values: dict[str, FactContent]

    def question(self, language: str | None) -> str:
        """The words the customer agrees to, rendered from the call."""
        if self.spec is None:
            raise LookupError("an unknown tool has no question")
        return render_question(self.spec, self.call, self.values, language)

    def done_text(self, language: str | None) -> str:
        """What is told after success, rendered from the call."""
        if self.spec is None:
            raise LookupError("an unknown tool has no done text")
        return render_done(self.spec, self.call, self.values, language)


async def weigh(
    call: ToolCall, view: View, room: Room, results: tuple[ToolResult, ...], agreement: Agreement | None
) -> Weighed:
    """Decide `call` on fresh facts. A tool that the bundle does not know is refused without asking anybody."""
    spec = room.bundle.tools.get(call.tool)
    turn, snapshot = view[TURN], view[SNAPSHOT]
    bound = digest(call)
    if spec is None:
        facts = (fact("tool", None, "bundle"),)
        decision = room.bundle.policy.decide(Stage.AUTHORIZE_TOOLS, facts_of(view).with_facts(facts), call.tool)
        return Weighed(call, None, bound, _never_allow(decision), {})
    values = await _fresh(call, spec, turn.customer_id, room)
    inspection = inspect(call, spec, _sources(view, results, values, spec))
    agreed = agreement is not None and agreement.digest == bound
    level = agreement.identity if agreed and agreement is not None and agreement.identity else None
    facts = (
        *tool_facts(spec),
        fact("identity", (level or identity_now(turn, snapshot.state)).value, "authentication"),
        *_gate_facts(inspection),
        fact("call_confirmed", agreed and agreement is not None and agreement.confirmed, "conversation"),
        fact("call_approved", agreed and agreement is not None and await _approved(agreement, view, room), "approvals"),
        fact("call_repeated", await _repeated(bound, view, results), "journal"),
        fact("call_over_rate", await _over_rate(spec, view, room), "events"),
        *_declared(spec, values),
    )
    decision = room.bundle.policy.decide(Stage.AUTHORIZE_TOOLS, facts_of(view).with_facts(facts), spec.id)
    return Weighed(call, spec, bound, decision, values)


def _never_allow(decision: Decision) -> Decision:
    # INVARIANT: an undeclared tool is never allowed, whatever a bundle's rules permit in general.
    return decision if decision.effect is not Effect.ALLOW else decision.model_copy(update={"effect": Effect.REFUSE})


async def _fresh(call: ToolCall, spec: ToolSpec, customer: str | None, room: Room) -> dict[str, FactContent]:
    """The tool's own facts of this call, read now; none for somebody who is not signed in."""
    if spec.requires_customer and customer is None:
        return {}
    if not spec.facts:
        return {}
    found = await bounded(room.toolbox.call_facts(call, customer or ""), room.patience.tool)
    if not isinstance(found, CallFacts):
        raise TypeError("the toolbox did not answer with call facts")
    return dict(found.values)


def _declared(spec: ToolSpec, values: dict[str, FactContent]) -> tuple[FactUsed, ...]:
    return tuple(
        FactUsed(
            name=f"call_{declared.name}",
            content=values.get(declared.name),
            source=f"tool:{spec.id}",
            age_seconds=0.0,
            why=None if declared.name in values else "the tool does not say",
        )
        for declared in spec.facts
    )


def _gate_facts(inspection: CallInspection) -> tuple[FactUsed, ...]:
    return (
        fact("call_schema_valid", not inspection.problems, "gate"),
        fact("call_provenance_ok", inspection.provenance_ok, "gate"),
    )


def _sources(view: View, results: tuple[ToolResult, ...], values: dict[str, FactContent], spec: ToolSpec) -> Sources:
    turn, snapshot = view[TURN], view[SNAPSHOT]
    words = [message.text for message in snapshot.history if message.role is Role.CUSTOMER]
    return Sources(
        customer_texts=(*words, turn.text),
        results=results,
        passages=view.get(RETRIEVED, NOTHING_FOUND).passages,
        facts=values,
        on=turn.at.date(),
    )


async def _approved(agreement: Agreement, view: View, room: Room) -> bool:
    """Whether a person approved exactly this call, in time, and it has not been used."""
    if agreement.approval_id is None:
        return False
    found = await bounded(room.store.approval(view[TURN].site, agreement.approval_id), room.patience.store)
    return found is not None and found.usable(agreement.digest, view[TURN].at)


async def _repeated(bound: str, view: View, results: tuple[ToolResult, ...]) -> bool:
    """Whether exactly this call has already run in this conversation."""
    ran_now = any(result.outcome.value == "succeeded" and digest(result.call) == bound for result in results)
    return ran_now or bound in view[SNAPSHOT].ran


async def _over_rate(spec: ToolSpec, view: View, room: Room) -> bool:
    """Whether the tool's own limit for this customer is used up."""
    turn = view[TURN]
    if spec.rate_limit is None or turn.customer_id is None:
        return False
    since = turn.at - timedelta(minutes=spec.rate_limit.within_minutes)
    events = await bounded(room.context.events(turn.site, turn.customer_id, since), room.patience.context)
    runs = [event for event in events if event.kind == TOOL_EVENT and event.details.get("tool") == spec.id]
    return len(runs) >= spec.rate_limit.count
