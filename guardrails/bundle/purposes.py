"""Which family of attributes may be used for what (spec S3.2), and what each decision dimension is a use of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handrail.guardrails.bundle.sections import Attribute, Family, Purpose
from handrail.guardrails.policy.rule import Rule

_ALL = frozenset(Purpose)

ALLOWED: Mapping[Family, frozenset[Purpose]] = {
    Family.DEMOGRAPHIC: frozenset({Purpose.LANGUAGE, Purpose.ACCESSIBILITY, Purpose.TIME_ZONE}),
    # Role and plan stand on documents (S6.1), so firmographics may choose what is read, never how far to automate.
    Family.FIRMOGRAPHIC: frozenset({Purpose.SLA, Purpose.QUEUE, Purpose.COMPLIANCE, Purpose.RETRIEVAL}),
    Family.GEOGRAPHIC: frozenset(
        {Purpose.INCIDENT_ROUTING, Purpose.DATA_RESIDENCY, Purpose.LEGAL_COPY, Purpose.RETRIEVAL}
    ),
    Family.TECHNOGRAPHIC: frozenset({Purpose.TROUBLESHOOTING, Purpose.INTEGRATION_ROUTING, Purpose.RETRIEVAL}),
    Family.PSYCHOGRAPHIC: frozenset({Purpose.STYLE}),
    Family.VALUE: frozenset({Purpose.PRIORITY, Purpose.SLA}),
    Family.BEHAVIOURAL: _ALL,
    Family.NEED: _ALL,
    Family.RISK: _ALL,
}

_DUTIES = frozenset({Purpose.PERMISSION, Purpose.COMPLIANCE, Purpose.TROUBLESHOOTING})
_MANNER = frozenset({Purpose.STYLE, Purpose.ACCESSIBILITY})
_QUEUE = frozenset({Purpose.QUEUE, Purpose.INTEGRATION_ROUTING, Purpose.INCIDENT_ROUTING, Purpose.LANGUAGE})
_READING = frozenset(
    {Purpose.RETRIEVAL, Purpose.DATA_RESIDENCY, Purpose.LEGAL_COPY, Purpose.LANGUAGE, Purpose.COMPLIANCE}
)


def family_problems(attribute: Attribute) -> Iterator[str]:
    """What an attribute's own declaration does wrong."""
    for purpose in attribute.purposes:
        if purpose not in ALLOWED[attribute.family]:
            allowed = ", ".join(sorted(ALLOWED[attribute.family]))
            yield f"a {attribute.family} attribute may not be used for {purpose}; allowed: {allowed}"
    if attribute.scope_family is not None and not _READING & set(attribute.purposes):
        lacking = " or ".join(sorted(_READING))
        yield f"scope_family chooses what is read, which lacks the purpose {lacking}"
    if attribute.family is Family.PSYCHOGRAPHIC and attribute.inferred:
        yield "a psychographic attribute must be an explicit preference: set inferred: false"


def uses(rule: Rule) -> Iterator[tuple[str, frozenset[Purpose]]]:
    """(dimension, purposes of which one is needed) for everything the rule sets."""
    asked, wanted = rule.restrictions, rule.selections
    named: tuple[tuple[str, object, frozenset[Purpose]], ...] = (
        ("effect", rule.permits or asked.effect, frozenset({Purpose.PERMISSION})),
        ("obligations", asked.obligations, _DUTIES),
        ("automation", asked.automation, frozenset({Purpose.AUTOMATION})),
        ("risk", asked.risk, frozenset({Purpose.RISK})),
        ("queue", wanted.queue or wanted.skills or wanted.tags, _QUEUE),
        ("commitments", wanted.commitments, frozenset({Purpose.PERMISSION, Purpose.SLA})),
        ("priority", wanted.priority or wanted.first_response_minutes, frozenset({Purpose.PRIORITY, Purpose.SLA})),
        ("scope", wanted.scope, _READING),
        ("tone", wanted.tone, _MANNER),
        ("depth", wanted.depth, _MANNER),
        ("flow", wanted.flow, frozenset({Purpose.TROUBLESHOOTING, Purpose.AUTOMATION})),
    )
    yield from ((dimension, needed) for dimension, content, needed in named if content)


def rule_problems(
    rule: Rule, attributes: Mapping[str, Attribute], segment_facts: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """Uses of attributes, direct or through a segment, that their declared purposes do not cover."""
    asked = {name for fact in rule.names() for name in segment_facts.get(fact, frozenset({fact}))}
    for name in sorted(asked & attributes.keys()):
        attribute = attributes[name]
        for dimension, needed in uses(rule):
            if needed.isdisjoint(attribute.purposes):
                lacking, declared = " or ".join(sorted(needed)), ", ".join(sorted(attribute.purposes))
                yield (
                    f"{rule.id} sets {dimension} by the {attribute.family} attribute {name}, which lacks the purpose "
                    f"{lacking} (it is for {declared}); remove {dimension}, or ask for something else"
                )
