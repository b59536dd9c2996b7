"""Invariants of the safety floor that hang on what may be unknown of a customer, and invariants that say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import z3

from handrail.evals.policy.claims import formula
from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.difference import Altered
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.evals.policy.prove import Proof, Prover
from handrail.evals.policy.symbolic import Said
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.invariants import Invariant
from handrail.guardrails.policy.facts import OnUnknown
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.policy.rule import NOTHING_RESTRICTED, Rule
from handrail.guardrails.vocabulary import Stage

IGNORES_UNKNOWN = Code(
    "LINT_FLOOR_IGNORES_UNKNOWN",
    Level.ERROR,
    "An invariant of the safety floor hangs on an attribute with on_unknown: ignore, in its own condition or through "
    "the rules that it needs.",
    "Add a rule that holds without the attribute, or declare the attribute with on_unknown: restrict.",
)
VACUOUS = Code(
    "LINT_INVARIANT_VACUOUS",
    Level.WARNING,
    "The condition of an invariant is false for every input, so it claims nothing.",
    "Correct the condition, or remove the invariant.",
)


def ignoring_unknown(context: Context) -> Iterator[LintFinding]:
    """Floor invariants that are not proved any more once the rules that may be left out are left out (S2.2)."""
    ignorable = _ignorable(context)
    leaning = [one for one in context.bundle.policy.rules if one.restricts and _reads(context, one) & ignorable]
    whole, bare = Prover(context.bundle), Prover(_without(context.bundle, leaning))
    for invariant in (one for one in context.bundle.invariants if one.entry.floor):
        about = sorted(context.read_by(invariant.when.names()) & ignorable)
        if about:
            message = (
                f"its own condition reads {', '.join(about)}, which may be ignored when unknown. "
                "Ask for something that is always known, or declare on_unknown: restrict."
            )
            yield context.found(IGNORES_UNKNOWN, "invariant", invariant.entry.id, message, invariant.where)
        elif _may_break(context, invariant, leaning):
            proof = bare.prove(invariant)
            if not proof.proved and whole.prove(invariant).proved:
                message = _hangs_on(context, invariant, proof, leaning, ignorable)
                yield context.found(IGNORES_UNKNOWN, "invariant", invariant.entry.id, message, invariant.where)


def _may_break(context: Context, invariant: Invariant, leaning: list[Rule]) -> bool:
    """Whether the invariant has to be proved anew: a quick answer for claims, where the risk tier stays what it is."""
    entry = invariant.entry
    names = {rule.id for rule in leaning if rule.stage is entry.stage}
    if any(rule.stage is Stage.GATE_RISK for rule in leaning):
        return True
    claim = entry.always or entry.never
    if claim is None or not names:
        return bool(names)
    for subject in invariant.subjects:
        decision = context.decisions.at(entry.stage, subject)
        bare = Altered(decision, (_relaxed(one) if one.rule.id in names else one for one in decision.said))
        met = z3.Not(decision.reading.truth(invariant.when).false)
        wanted = formula(claim, bare)
        if context.everywhere.possible(met, z3.Not(wanted) if entry.always is not None else wanted):
            return True
    return False


def _relaxed(one: Said) -> Said:
    return replace(one, rule=replace(one.rule, restrictions=NOTHING_RESTRICTED))


def _hangs_on(
    context: Context, invariant: Invariant, proof: Proof, leaning: list[Rule], ignorable: frozenset[str]
) -> str:
    rules = [rule for rule in leaning if rule.stage in (invariant.entry.stage, Stage.GATE_RISK)]
    if proof.counterexample is not None:
        case = proof.counterexample
        made = case.witness.decision(context.bundle, invariant.entry.stage, case.subject)
        rules = [rule for rule in rules if rule.id in made.rules] or rules
    about = sorted({name for rule in rules for name in _reads(context, rule) & ignorable})
    return (
        f"holds only thanks to {', '.join(sorted(rule.id for rule in rules))}, which read {', '.join(about)}, and that "
        "may be ignored when unknown. Add a rule that holds without it, or declare on_unknown: restrict."
    )


def _ignorable(context: Context) -> frozenset[str]:
    attributes = context.bundle.attributes
    return frozenset(name for name, one in attributes.items() if one.on_unknown is OnUnknown.IGNORE)


def _reads(context: Context, rule: Rule) -> frozenset[str]:
    return context.read_by(rule.names())


def _without(bundle: Bundle, leaning: list[Rule]) -> Bundle:
    """The bundle without what these rules restrict; what they permit and select stays."""
    names = {rule.id for rule in leaning}
    rules = (replace(one, restrictions=NOTHING_RESTRICTED) if one.id in names else one for one in bundle.policy.rules)
    return replace(bundle, policy=PolicySet(rules, bundle.revision))


def vacuous(context: Context) -> Iterator[LintFinding]:
    """Invariants whose condition nothing meets; whether the others hold is for `policy prove`."""
    for invariant in context.bundle.invariants:
        stage = invariant.entry.stage
        readings = (context.decisions.at(stage, subject).reading for subject in invariant.subjects)
        if not any(context.finder.possible(z3.Not(one.truth(invariant.when).false)) for one in readings):
            message = "its condition is false for every input, so it claims nothing. Correct it or remove it."
            yield context.found(VACUOUS, "invariant", invariant.entry.id, message, invariant.where)
