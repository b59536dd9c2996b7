"""The facts about a call that policy may ask for at the stage authorize_tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from handrail.guardrails.gate.declared import fit_facts
from handrail.guardrails.gate.editing import Edit
from handrail.guardrails.gate.inspection import CallInspection
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import FactContent, Frozen


class Standing(Frozen):
    """What has been agreed to and what has run, as the conversation and the journal say.

    `confirmed` is the digest of the call the customer said yes to with this very message. `approved` holds, for each of
    the different people who approved something, the digest of what they approved. `succeeded` are digests of the calls
    that succeeded in this conversation. `runs` are the times at which this tool ran for this customer; those before the
    rate window do no harm. `edit` is what an operator's edit of the call means for the customer. `totals` are the sums
    over earlier calls, by the policy name of the fact; None for one that cannot be known.
    """

    now: datetime
    confirmed: str | None = None
    approved: tuple[str, ...] = ()
    succeeded: tuple[str, ...] = ()
    runs: tuple[datetime, ...] = ()
    edit: Edit = Edit.NONE
    totals: dict[str, int | None] = {}


def gate_facts(
    spec: ToolSpec, inspection: CallInspection, standing: Standing, declared: Mapping[str, FactContent]
) -> dict[str, FactContent]:
    """All facts of the call by their policy names. `declared` is what the toolbox said; what is unfit is left out.

    INVARIANT: a fact that cannot be established is absent, so that it is unknown and restrictions apply.
    """
    facts: dict[str, FactContent] = {
        **tool_facts(spec),
        "call_schema_valid": inspection.schema_valid,
        "call_provenance_ok": not inspection.unvouched,
        "call_confirmed": standing.confirmed == inspection.digest,
        "call_approvals": standing.approved.count(inspection.digest),
        "call_repeated": inspection.digest in standing.succeeded,
        "call_over_rate": over_rate(spec, standing.runs, standing.now),
        "call_edit": standing.edit.value,
    }
    facts.update({name: content for name, content in standing.totals.items() if content is not None})
    facts.update({f"call_{name}": content for name, content in fit_facts(spec, declared).items()})
    return facts


def tool_facts(spec: ToolSpec) -> dict[str, FactContent]:
    """What policy may ask about the tool itself, whatever the call."""
    return {
        "tool": spec.id,
        "tool_access": spec.access.value,
        "tool_sensitivity": spec.sensitivity.value,
        "tool_reversible": spec.reversible,
        "tool_needs_customer": spec.requires_customer,
    }


def over_rate(spec: ToolSpec, runs: Sequence[datetime], now: datetime) -> bool:
    """Whether one more run would exceed the tool's limit."""
    if spec.rate_limit is None:
        return False
    since = now - timedelta(minutes=spec.rate_limit.within_minutes)
    return sum(1 for at in runs if at > since) >= spec.rate_limit.count
