"""Asks policy about an inspected call: the one place where the facts of a call become a decision (spec S7.1)."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.guardrails.gate.facts import Standing, gate_facts
from handrail.guardrails.gate.inspection import CallInspection
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import Decision, Effect, FactContent, FactUsed, IdentityLevel, Stage


def decide_call(
    policy: PolicySet,
    spec: ToolSpec,
    inspection: CallInspection,
    standing: Standing,
    identity: IdentityLevel,
    declared: Mapping[str, FactContent],
    around: Facts,
) -> Decision:
    """The decision about a call of a declared tool.

    `declared` is what the tool says of the call, `around` what is known of the turn; what the gate itself establishes
    replaces anything of the same name. A declared fact that nobody states is unknown.
    """
    stated = gate_facts(spec, inspection, standing, declared)
    own = {f"call_{one.name}" for one in spec.facts}
    facts = (
        fact("identity", identity.value, "authentication"),
        *(_stated(name, content, spec, own) for name, content in stated.items()),
        *(
            FactUsed(name=name, content=None, source=f"tool:{spec.id}", why="the tool does not say")
            for name in sorted(own - set(stated))
        ),
        *(
            FactUsed(name=name, content=None, source="gate", why="the amount of a call is not known")
            for name, content in sorted(standing.totals.items())
            if content is None
        ),
    )
    return policy.decide(Stage.AUTHORIZE_TOOLS, around.with_facts(facts), spec.id)


def decide_undeclared(policy: PolicySet, tool: str, around: Facts) -> Decision:
    """The decision about a call of a tool that nobody has declared."""
    decision = policy.decide(Stage.AUTHORIZE_TOOLS, around, tool)
    # INVARIANT: an undeclared tool is never allowed, whatever a bundle's rules permit in general.
    return decision if decision.effect is not Effect.ALLOW else decision.model_copy(update={"effect": Effect.REFUSE})


def decide_unavailable(policy: PolicySet, spec: ToolSpec, around: Facts, reason: str) -> Decision:
    """The decision about a call of which the owner of the tool states no facts, for `reason`."""
    decision = policy.decide(Stage.AUTHORIZE_TOOLS, around, spec.id)
    # INVARIANT: such a call does not run. What the rules said rests on facts that nobody knows: it counts for nothing.
    return decision.model_copy(update={"effect": Effect.REFUSE, "reasons": (reason,), "rules": (), "obligations": ()})


def _stated(name: str, content: FactContent, spec: ToolSpec, own: set[str]) -> FactUsed:
    if name in own:
        return FactUsed(name=name, content=content, source=f"tool:{spec.id}", age_seconds=0.0)
    return fact(name, content, "gate" if name.startswith("call_") else "bundle")
