"""Bundles of which rules are left out, as a fault in memory would have it: the revision stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.matcher import ALWAYS
from handrail.guardrails.policy.policyset import PolicySet


def without(bundle: Bundle, rules: Iterable[str]) -> Bundle:
    """The bundle without some rules, which it must have."""
    gone = set(rules)
    kept = [rule for rule in bundle.policy.rules if rule.id not in gone]
    assert len(kept) == len(bundle.policy.rules) - len(gone), "a rule that is left out must be there"
    return replace(bundle, policy=PolicySet(kept, bundle.policy.revision))


def permitting(bundle: Bundle, permits: Iterable[str]) -> Bundle:
    """The bundle with some permits given to everybody, whatever they ask for."""
    opened = set(permits)
    rules = [replace(rule, when=ALWAYS) if rule.id in opened else rule for rule in bundle.policy.rules]
    return replace(bundle, policy=PolicySet(rules, bundle.policy.revision))
