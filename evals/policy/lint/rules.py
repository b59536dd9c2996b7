"""Rules that can never apply, and rules without which nothing would be decided differently."""

from __future__ import annotations

from collections.abc import Iterator

import z3

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.difference import along_with, difference, without
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.evals.policy.witness import Witness
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.policy.builtin import BUILTIN
from handrail.guardrails.policy.combining import ADDING
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import Effect

UNREACHABLE = Code(
    "LINT_RULE_UNREACHABLE",
    Level.ERROR,
    "No input that detection can give makes the condition of a rule true.",
    "Correct the condition, or remove the rule.",
)
SHADOWED = Code(
    "LINT_RULE_SHADOWED",
    Level.WARNING,
    "Other rules always say the same or more: without this one, no effect, obligation or dimension would differ.",
    "Remove the rule, narrow the others, or waive the finding with the reason why it stays. Change one rule at a time "
    "and lint again: two rules can be reported because of each other.",
)
SHOWN = 6
"""How many rules a message names."""

_PROVIDED = frozenset(spec.name for spec in BUILTIN)


class ExampleFault(HandrailError):
    """An example does not come out as the solver said: a defect of lint, never a finding."""


def unreachable(context: Context) -> Iterator[LintFinding]:
    """Rules whose condition is never true. Those of a segment that nobody enters are found there."""
    for rule in context.tried:
        truths = list(context.truths(rule))
        if rule.source in context.unreachable or any(context.finder.possible(one.true) for one in truths):
            continue
        if rule.restricts and any(context.finder.possible(one.restricts) for one in truths):
            message = "its condition can never be true; it applies only while a fact is unknown. Correct the condition."
        else:
            message = "its condition can never be true, so it never applies. Correct the condition or remove the rule."
        yield context.about(UNREACHABLE, rule, message)


def shadowed(context: Context) -> Iterator[LintFinding]:
    """Rules that apply, and never to any effect; those in shadow as if they were enforced."""
    trial = frozenset(rule.id for rule in context.bundle.policy.shadows)
    for rule in context.tried:
        if rule.source in context.unreachable | context.idle or context.closed.issuperset(context.subjects(rule)):
            continue  # these are found there, as one thing
        if _matters(context, rule, rule.id in trial):
            continue
        if any(context.finder.possible(truth.true) for truth in context.truths(rule)):
            # Whose finding is waived needs no examples, which take most of the time.
            by = [] if context.waives(SHADOWED, rule) else _deciding(context, rule)
            message = (
                f"changes nothing: wherever it applies, others say as much ({', '.join(by) or 'the defaults'}). "
                "Remove it, narrow the others, or waive this with the reason why it stays."
            )
            yield context.about(SHADOWED, rule, message)


def _matters(context: Context, rule: Rule, trial: bool) -> bool:
    for subject in context.subjects(rule):
        decision = context.decisions.at(rule.stage, subject)
        other = along_with(decision, rule) if trial else without(decision, rule)
        if context.finder.possible(difference([rule], decision, other)):
            return True
    return False


def _deciding(context: Context, rule: Rule) -> list[str]:
    """The rules that say as much as `rule`: those that decide in examples, each example without the rules before."""
    found: dict[str, None] = {}
    for subject, truth in zip(context.subjects(rule), context.truths(rule), strict=True):
        decision = context.decisions.at(rule.stage, subject)
        others = [one for one in decision.said if one.rule.id != rule.id]
        usual = [one.known for name, one in context.space.variables.items() if name in _PROVIDED]
        wanted = [truth.true]
        while len(found) < SHOWN:
            quiet = [z3.Not(one.applies) for one in others]
            model = context.finder.smallest(*wanted, prefer=(*usual, *quiet))
            names = [] if model is None else _credited(context, rule, subject, context.finder.witness(model))
            fresh = [name for name in names if name not in found]
            if not fresh:
                break
            found.update(dict.fromkeys(fresh))
            wanted += [z3.Not(one.applies) for one in others if one.rule.id in fresh]
    return list(found)[:SHOWN]


def _credited(context: Context, rule: Rule, subject: str, witness: Witness) -> list[str]:
    """The other rules that determine what `rule` speaks about, as `decide` finds them for an input."""
    bundle = context.bundle
    others = {one.id: one for one in bundle.policy.rules if one.id != rule.id}
    facts = witness.facts(bundle, rule.stage, subject)
    found, both = (
        PolicySet(rules, bundle.revision).decide(rule.stage, facts, subject)
        for rules in (others.values(), (*others.values(), rule))
    )
    if (found.effect, found.obligations) != (both.effect, both.obligations):
        raise ExampleFault(f"{rule.id} was said to change nothing, and does at {'; '.join(witness.lines())}")
    deciding = {name for name in found.rules if _sets_effect(rule) and _gives(others[name], found.effect)}
    for dimension in _spoken(rule):
        credited = found.dimensions.determined_by.get(dimension, ())
        deciding |= {name for name in credited if _says_as_much(others[name], rule, dimension)}
    return sorted(deciding)


def _sets_effect(rule: Rule) -> bool:
    return rule.permits is not None or rule.restrictions.effect is not None


def _gives(rule: Rule, effect: Effect) -> bool:
    return effect in (rule.permits, rule.restrictions.effect)


def _spoken(rule: Rule) -> Iterator[str]:
    """The dimensions that a rule speaks about, as decisions name them."""
    asked, wanted = rule.restrictions, rule.selections
    yield from (name for name in ("obligations", "automation", "risk") if getattr(asked, name))
    yield from (name for name in ("priority", "first_response_minutes", *ADDING) if getattr(wanted, name))
    yield from (f"scope.{family}" for family, _ in wanted.scope)
    yield from (name for name, _ in wanted.choices)


def _says_as_much(one: Rule, rule: Rule, dimension: str) -> bool:
    """Whether `one` adds what `rule` would, where a dimension adds up; elsewhere who is credited has won it."""
    if dimension == "obligations":
        return not one.restrictions.obligations.isdisjoint(rule.restrictions.obligations)
    if dimension in ADDING:
        return not getattr(one.selections, dimension).isdisjoint(getattr(rule.selections, dimension))
    return True
