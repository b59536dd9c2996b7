"""What a customer is granted of the knowledge base: by policy, and by the attributes that stand for a family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handrail.guardrails.bundle.sections import Attribute
from handrail.guardrails.policy.facts import Facts
from handrail.guardrails.vocabulary import FactContent


def families(
    granted: Mapping[str, Iterable[str]], attributes: Iterable[Attribute], facts: Facts
) -> dict[str, tuple[str, ...]]:
    """The classes of each family: those that policy `granted`, and those of the attributes that stand for it."""
    found = {family: set(classes) for family, classes in granted.items()}
    for attribute in attributes:
        content: FactContent | None = facts.content(attribute.name)
        if attribute.scope_family is None or content is None:
            continue
        classes = content if isinstance(content, tuple) else (str(content),)
        found.setdefault(attribute.scope_family, set()).update(classes)
    return {family: tuple(sorted(classes)) for family, classes in found.items()}
