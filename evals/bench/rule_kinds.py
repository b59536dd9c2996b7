"""What generated rules say, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from handrail.guardrails.bundle.sections import Purpose

Written: TypeAlias = dict[str, JsonValue]
"""A condition or a rule as it stands in YAML."""


@dataclass(frozen=True, slots=True)
class RuleKind:
    """Something a rule can say, its weight among the others, and what an attribute it asks for must be declared for.

    An `exception` takes something away from few, and so has more conditions than what shapes an answer.
    """

    weight: int
    purposes: frozenset[Purpose]
    says: tuple[Written, ...]
    exception: bool = False


_EFFECT = frozenset({Purpose.PERMISSION})
_DUTY = frozenset({Purpose.COMPLIANCE})

OF_TURNS = (
    RuleKind(14, _EFFECT, ({"effect": "allow"},)),
    RuleKind(
        20,
        _EFFECT,
        ({"effect": "escalate"}, {"effect": "refuse"}, {"effect": "not_yet", "obligations": ["verify_identity"]}),
        exception=True,
    ),
    RuleKind(
        20,
        _DUTY,
        tuple({"obligations": [duty]} for duty in ("cite_sources", "no_commitments", "status_first", "offer_human")),
    ),
    RuleKind(8, frozenset({Purpose.AUTOMATION}), ({"automation": "guided"}, {"automation": "restricted"})),
    RuleKind(
        14,
        frozenset({Purpose.QUEUE}),
        ({"queue": "general"}, {"queue": "billing_disputes", "skills": ["billing"]}, {"tags": ["campaign"]}),
    ),
    RuleKind(
        12,
        frozenset({Purpose.PRIORITY, Purpose.SLA}),
        ({"priority": "high"}, {"first_response_minutes": 60}, {"priority": "urgent", "first_response_minutes": 15}),
    ),
    RuleKind(6, frozenset({Purpose.RETRIEVAL}), ({"scope": {"authority": ["standard"]}}, {"scope": {"role": ["it"]}})),
    RuleKind(6, frozenset({Purpose.STYLE}), ({"tone": "warm"}, {"tone": "formal"}, {"depth": "brief"})),
)
"""Rules about the turn."""

OF_CALLS = (
    RuleKind(20, _EFFECT, ({"effect": "allow"},)),
    RuleKind(25, _EFFECT, ({"effect": "refuse"},), exception=True),
    RuleKind(15, _EFFECT, ({"effect": "not_yet", "obligations": ["verify_identity"]},), exception=True),
    RuleKind(20, _EFFECT, ({"effect": "escalate"},), exception=True),
    RuleKind(20, _DUTY, ({"obligations": ["person_decides"]}, {"obligations": ["offer_human"]})),
)
"""Rules about the call of a tool."""
