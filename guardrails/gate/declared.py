"""Facts that a tool declares: what the toolbox says is taken only as far as it fits the declaration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from handrail.guardrails.toolspec import CallFact, FactType, ToolSpec
from handrail.guardrails.vocabulary import FactContent

_LONGEST_TEXT = 500
_MOST_TEXTS = 1000


def fit_facts(spec: ToolSpec, values: Mapping[str, FactContent]) -> dict[str, FactContent]:
    """Those of `values` that the tool declares and that have the declared type."""
    return {
        fact.name: values[fact.name] for fact in spec.facts if fact.name in values and _fits(fact, values[fact.name])
    }


def _fits(fact: CallFact, content: FactContent) -> bool:
    if fact.type is FactType.BOOLEAN:
        return isinstance(content, bool)
    if fact.type in {FactType.INTEGER, FactType.MONEY}:
        return isinstance(content, int) and not isinstance(content, bool)
    if fact.type is FactType.NUMBER:
        return isinstance(content, int | float) and not isinstance(content, bool) and math.isfinite(content)
    if fact.type is FactType.TEXTS:
        return isinstance(content, tuple) and len(content) <= _MOST_TEXTS and all(map(_short, content))
    if not _short(content):
        return False
    if fact.type is FactType.ENUM:
        return content in fact.values
    return fact.type is not FactType.DATE or _is_date(content)


def _short(content: FactContent) -> bool:
    return isinstance(content, str) and len(content) <= _LONGEST_TEXT


def _is_date(content: FactContent) -> bool:
    text = str(content)
    try:
        return len(text) == 10 and date.fromisoformat(text) is not None
    except ValueError:
        return False
