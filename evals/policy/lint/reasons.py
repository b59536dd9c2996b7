"""Reason codes that nothing emits, that lack an entry, or that stand for another stage."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.policy.policyset import NO_RULE, UNKNOWN_FACT
from handrail.guardrails.vocabulary import Stage

NEVER_EMITTED = Code(
    "LINT_REASON_NEVER_EMITTED",
    Level.WARNING,
    "A reason code stands in the catalogue and nothing uses it.",
    "Remove it, or use it.",
)
MISSING = Code(
    "LINT_REASON_MISSING",
    Level.ERROR,
    "A reason code can be emitted and is missing from the catalogue.",
    "Add an entry to reasons/.",
)
OTHER_STAGE = Code(
    "LINT_REASON_STAGE",
    Level.NOTE,
    "A rule gives a reason whose entry names another stage that decides.",
    "Give the rule a code of its stage, or correct the stage of the entry.",
)


def never_emitted(context: Context) -> Iterator[LintFinding]:
    """Entries without a use."""
    for code in sorted(set(context.bundle.reasons) - _used(context)):
        message = "stands in the catalogue and nothing emits it. Remove it, or emit it."
        yield context.found(NEVER_EMITTED, "reason", code, message)


def missing(context: Context) -> Iterator[LintFinding]:
    """Codes without an entry; the place is the beginning of the catalogue."""
    files = sorted(place.rpartition(":")[0] for name, place in context.bundle.places.items() if _is_reason(name))
    where = f"{files[0]}:1" if files else None
    for code in sorted(_used(context) - set(context.bundle.reasons)):
        message = "can be emitted and is missing from the catalogue. Add an entry."
        yield context.found(MISSING, "reason", code, message, where)


def other_stage(context: Context) -> Iterator[LintFinding]:
    """Rules with a reason of another stage. What detection and segments found may be carried on by any later one."""
    order = list(Stage)
    for rule in context.tried:
        stage = context.bundle.reasons[rule.reason].stage
        carried = stage not in DECIDING_STAGES and order.index(stage) < order.index(rule.stage)
        if stage is not rule.stage and not carried:
            message = (
                f"decides at {rule.stage.value} with {rule.reason}, a reason of {stage.value}. "
                "Give it a code of its stage, or correct the entry."
            )
            yield context.about(OTHER_STAGE, rule, message)


def _used(context: Context) -> frozenset[str]:
    bundle = context.bundle
    used = {rule.reason for rule in context.tried} | context.emitted | {NO_RULE, UNKNOWN_FACT}
    for entry in bundle.entries.values():
        used |= {entry.reason, *(trigger.reason for trigger in (*entry.escalation.hard, *entry.escalation.soft))}
    used |= {signal.code for signal in bundle.detection.signals}
    used |= set(bundle.wording.guidance)
    used |= {step.reason for flow in bundle.flows.values() for step in flow.steps if step.kind == "hand_off"}
    return frozenset(used)


def _is_reason(name: str) -> bool:
    return name.startswith("reason:")
