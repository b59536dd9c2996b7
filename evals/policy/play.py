"""A turn played on facts alone: segments, risk gate and policy in the order of the flow, without models or tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.gate.facts import tool_facts
from handrail.guardrails.policy.builtin import UNKNOWN_NEED
from handrail.guardrails.policy.facts import FactKind, Facts, OnUnknown, fact, ignorable
from handrail.guardrails.policy.policyset import TURN, Resolution
from handrail.guardrails.segments import Assignment, assign
from handrail.guardrails.vocabulary import FactContent, FactUsed, Stage

SOURCE = "given"

ORDINARY: Mapping[str, FactContent] = {
    "need_state": UNKNOWN_NEED,
    "intent": UNKNOWN_NEED,
    "confidence": 0.9,
    "signals": (),
    "language": "en",
    "identity": "identified",
    "channel": "web",
    "conversation": "bot",
    "unresolved_turns": 1,
    "clarifications": 0,
    "failed_attempts": 0,
    "in_flow": False,
    "person_offered": False,
    "earlier_risk": "low",
    "pending": "nothing",
    "assistance": "accepted",
    "company_open": True,
    "passages_good": 1,
    "passages_fresh": 1,
    "speaker": "model",
    "findings": (),
    "repairs_left": 1,
    "call_schema_valid": True,
    "call_provenance_ok": True,
    "call_confirmed": False,
    "call_approvals": 0,
    "call_repeated": False,
    "call_over_rate": False,
    "call_edit": "none",
}
"""An ordinary first message of a signed-in customer of whom nothing else is known, and a well-formed first call."""


def ordinary(bundle: Bundle) -> dict[str, FactContent]:
    """The facts of an ordinary turn: windows count and sum nothing, attributes are unknown."""
    counts, sums = [one.fact for one in bundle.windows], [one.fact for one in bundle.amounts]
    return {**ORDINARY, **dict.fromkeys((*counts, *sums), 0)}


def completed(contents: Mapping[str, FactContent | None]) -> dict[str, FactContent | None]:
    """`contents` with what follows from them unless it is given: a main need state is the only one, findings count."""
    whole = dict(contents)
    need, findings = whole.get("need_state"), whole.get("findings")
    whole.setdefault("need_states", () if need in (None, UNKNOWN_NEED) else (str(need),))
    whole.setdefault("findings_count", len(findings) if isinstance(findings, tuple | list) else None)
    return whole


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a turn: who is in which segment, and the facts with segments and risk."""

    assignment: Assignment
    gate: Resolution
    facts: Facts


def given(bundle: Bundle, contents: Mapping[str, FactContent | None]) -> Facts:
    """These contents as facts; what is unknown may be ignored where the bundle declares it so.

    Attributes that are not named are unknown, as they are for a customer of whom nothing is known.
    """
    named = {name: _typed(bundle, name, content) for name, content in contents.items()}
    missing = {name: None for name in bundle.attributes if name not in named}
    return Facts.of(_stated(bundle, name, content) for name, content in {**missing, **named}.items())


def _typed(bundle: Bundle, name: str, content: FactContent | None) -> FactContent | None:
    spec = bundle.facts.get(name)
    whole_set = spec is not None and spec.kind is FactKind.SET and content is not None
    return tuple(sorted(str(one) for one in content)) if whole_set and isinstance(content, Iterable) else content


def _stated(bundle: Bundle, name: str, content: FactContent | None) -> FactUsed:
    spec = bundle.facts.get(name)
    if content is None and spec is not None and spec.on_unknown is OnUnknown.IGNORE:
        return ignorable(name, SOURCE, "unknown")
    return fact(name, content, SOURCE)


def opened(bundle: Bundle, facts: Facts, earlier: Mapping[str, float]) -> Opening:
    """Assign segments and ask the risk gate, as the flow does; the tier becomes a fact.

    `earlier` are the segments of the turn before, with the seconds since they began. A segment or a tier that is given
    among the facts is replaced: both follow from the others.
    """
    assignment = assign(bundle.segments, facts, earlier)
    with_segments = facts.with_facts(assignment.facts)
    gate = bundle.policy.resolve(Stage.GATE_RISK, with_segments)
    risk = fact("risk", gate.risk.value, "gate_risk")
    return Opening(assignment, gate, with_segments.with_facts([risk]))


def of_tool(bundle: Bundle, tool: str) -> tuple[FactUsed, ...]:
    """What the bundle itself says of a tool, as facts of its calls."""
    spec = bundle.tools[tool]
    stated = tool_facts(spec)
    return tuple(fact(name, content, "bundle") for name, content in stated.items())


def subjects(bundle: Bundle, stage: Stage) -> tuple[str, ...]:
    """What is decided on at `stage`: every tool, or the turn."""
    return tuple(sorted(bundle.tools)) if stage is Stage.AUTHORIZE_TOOLS else (TURN,)
