"""What policy makes of a detection of which nothing else is known: the risk tier, and whether a person must decide."""

from __future__ import annotations

from collections.abc import Callable

from handrail.agent.facts import message_facts
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.vocabulary import Detection, Frozen, Obligation, RiskTier, Stage


class Assessment(Frozen):
    """What policy makes of a detection: the risk tier, and whether only a person may resolve it."""

    risk: RiskTier
    always_human: bool


Assess = Callable[[Detection], Assessment]


def assess_with(policy: PolicySet) -> Assess:
    """Ask `policy` for the risk of a message of which nothing else is known: no customer, no conversation.

    Only a person may resolve what the risk gate obliges to a person's decision, even where details may be collected
    before (spec S5.2, S4.4).
    """

    def assess(detection: Detection) -> Assessment:
        decision = policy.decide(Stage.GATE_RISK, _facts(detection))
        by_person = Obligation.PERSON_DECIDES in decision.obligations
        return Assessment(risk=decision.dimensions.risk, always_human=by_person)

    return assess


def _facts(detection: Detection) -> Facts:
    """What the risk gate may ask about a message that begins a matter."""
    used = [*message_facts(detection), fact("earlier_risk", RiskTier.LOW.value, "conversation")]
    return Facts.of(used)
