"""Attributes, windows and open words: what policy reads about a customer, and what it should not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from handrail.evals.policy.domains import tests
from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.guardrails.bundle.purposes import uses
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.policy.matcher import Matcher
from handrail.guardrails.vocabulary import Stage

RISK_BY_ATTRIBUTE = Code(
    "LINT_RISK_BY_ATTRIBUTE",
    Level.ERROR,
    "A rule of the risk gate asks for an attribute of the customer, directly or through a segment.",
    "Ask for signals instead: risk comes from what is said, not from who says it.",
)
INFERRED_DECIDES = Code(
    "LINT_INFERRED_DECIDES",
    Level.WARNING,
    "An attribute that is only inferred decides about permissions, automation or risk.",
    "Ask for something that is known, or leave that decision out.",
)
OPEN_WORD = Code(
    "LINT_OPEN_WORD",
    Level.WARNING,
    "A condition compares a word whose values nobody declared; a misspelt value would silently never match.",
    "Declare the values of the fact, or ask for something else.",
)
ATTRIBUTE_UNUSED = Code(
    "LINT_ATTRIBUTE_UNUSED",
    Level.NOTE,
    "No condition reads an attribute, and it chooses no documents: it is fetched for every customer for nothing.",
    "Use it, remove it, or waive the finding with the reason why it stays.",
)
WINDOW_UNUSED = Code(
    "LINT_WINDOW_UNUSED",
    Level.NOTE,
    "No condition reads a window, so events are counted for nothing.",
    "Use it, or remove it.",
)
WEIGHTY = frozenset({"effect", "automation", "risk"})
"""The dimensions that an attribute nobody is sure of may not decide."""


def risk_by_attribute(context: Context) -> Iterator[LintFinding]:
    """What may never hang on who somebody is (S5.2)."""
    for rule in context.tried:
        about = sorted(context.read_by(rule.names()) & context.bundle.attributes.keys())
        if rule.stage is Stage.GATE_RISK and about:
            message = f"decides about risk by {', '.join(about)}. Risk comes from signals only."
            yield context.about(RISK_BY_ATTRIBUTE, rule, message)


def inferred(context: Context) -> Iterator[LintFinding]:
    """Guesses about people that decide what they may do."""
    guessed = {name for name, attribute in context.bundle.attributes.items() if attribute.inferred}
    for rule in context.tried:
        about = sorted(context.read_by(rule.names()) & guessed)
        set_by_it = [dimension for dimension, _ in uses(rule) if dimension in WEIGHTY]
        if about and set_by_it:
            message = (
                f"sets {', '.join(set_by_it)} by {', '.join(about)}, which is only inferred. "
                "Ask for something that is known."
            )
            yield context.about(INFERRED_DECIDES, rule, message)


def open_words(context: Context) -> Iterator[LintFinding]:
    """Comparisons that no spelling check can cover."""
    asked: list[tuple[str, str, tuple[Matcher, ...]]] = [("rule", rule.id, (rule.when,)) for rule in context.tried]
    asked += [("segment", one.id, (one.entry, one.exit)) for one in context.bundle.segments]
    asked += [("invariant", one.entry.id, (one.when,)) for one in context.bundle.invariants]
    where = {("rule", rule.id): rule.where for rule in context.tried}
    where |= {("invariant", one.entry.id): one.where for one in context.bundle.invariants}
    for kind, name, conditions in asked:
        for fact in sorted(_open(context, conditions)):
            message = (
                f"compares {fact}, whose values are declared nowhere: a misspelt value would silently never match. "
                "Declare the values, or ask for something else."
            )
            yield context.found(OPEN_WORD, kind, name, message, where.get((kind, name)))


def _open(context: Context, conditions: Iterable[Matcher]) -> set[str]:
    names = {leaf.name for condition in conditions for leaf in tests(condition)}
    specs = (context.bundle.facts[name] for name in names if name in context.bundle.facts)
    return {spec.name for spec in specs if spec.kind in (FactKind.WORD, FactKind.SET) and spec.values is None}


def unused_attributes(context: Context) -> Iterator[LintFinding]:
    """Attributes without a reader; a segment that stands ready is one."""
    read = _read(context)
    for name, attribute in context.bundle.attributes.items():
        if name not in read and attribute.scope_family is None:
            message = "no condition reads it and it chooses no documents. Use it, remove it, or waive this."
            yield context.found(ATTRIBUTE_UNUSED, "attribute", name, message)


def unused_windows(context: Context) -> Iterator[LintFinding]:
    """Windows without a reader."""
    read = _read(context)
    bundle = context.bundle
    for name in (*(one.fact for one in bundle.windows), *(one.fact for one in bundle.amounts)):
        if name not in read:
            message = "no condition reads this number. Use it, or remove the window."
            yield context.found(WINDOW_UNUSED, "window", name, message)


def _read(context: Context) -> frozenset[str]:
    """The facts that rules and segments read; invariants only watch."""
    names = {name for rule in context.tried for name in rule.names()}
    for entry in context.bundle.entries.values():
        triggers = (one.when for one in (*entry.escalation.hard, *entry.escalation.soft))
        for condition in (entry.entry, entry.exit, *triggers):
            names |= set(_keys(condition))
    return frozenset(names)


def _keys(content: JsonValue) -> Iterator[str]:
    """Every key of a condition as written; segments that stand ready are not compiled."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from _keys(value)
    elif isinstance(content, list):
        for item in content:
            yield from _keys(item)
