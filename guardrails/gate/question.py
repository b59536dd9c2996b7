"""The words of a confirmation and of a success, rendered from the call and its facts, never by a model (spec S7.3)."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.guardrails.gate.argument import Texts
from handrail.guardrails.gate.declared import fit_facts
from handrail.guardrails.gate.template import placeholders
from handrail.guardrails.gate.writing import argument_words, fact_words, in_language
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import FactContent, ToolCall


def render_question(
    spec: ToolSpec, call: ToolCall, facts: Mapping[str, FactContent], language: str | None
) -> str | None:
    """What the customer is asked to agree to. `call` is canonical; `facts` are named without `call_`.

    None when the tool has no question, or when a value that the words need is unknown: then nobody can agree to it.
    """
    return _render(spec.question, spec, call, facts, language)


def render_done(spec: ToolSpec, call: ToolCall, facts: Mapping[str, FactContent], language: str | None) -> str | None:
    """What the customer is told after success; `facts` are those the call was decided on. None as in the question."""
    return _render(spec.done, spec, call, facts, language)


def _render(
    texts: Texts | None, spec: ToolSpec, call: ToolCall, facts: Mapping[str, FactContent], language: str | None
) -> str | None:
    if texts is None:
        return None
    template = in_language(texts, language)
    fit = fit_facts(spec, facts)
    values: dict[str, str] = {}
    for name in placeholders(template):
        words = _words(name, spec, call, fit, language)
        if words is None:
            return None
        values[name] = words
    return template.format_map(values)


def _words(
    name: str, spec: ToolSpec, call: ToolCall, facts: Mapping[str, FactContent], language: str | None
) -> str | None:
    argument = spec.argument(name)
    if argument is not None:
        value = call.arguments.get(name)
        return None if value is None else argument_words(argument, value, _currency(argument.currency, facts), language)
    fact = spec.fact(name)
    content = facts.get(name)
    if fact is None or content is None:
        return None
    return fact_words(fact, content, _currency(fact.currency, facts), language)


def _currency(name: str | None, facts: Mapping[str, FactContent]) -> str | None:
    content = facts.get(name) if name is not None else None
    return content if isinstance(content, str) else None
