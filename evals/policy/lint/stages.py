"""Stages at which some message would be decided by no rule at all."""

from __future__ import annotations

from collections.abc import Iterator

import z3

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.difference import falls_through
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.policy.builtin import BUILTIN
from handrail.guardrails.policy.policyset import DEFAULTS
from handrail.guardrails.vocabulary import Effect, Stage

NO_DEFAULT = Code(
    "LINT_STAGE_NO_DEFAULT",
    Level.WARNING,
    "At a stage, some message is decided by no rule: the built-in default speaks, with POLICY_NO_PERMIT.",
    "Add a rule that says what happens then, with a reason of its own.",
)
AFTER_POLICY = frozenset({Stage.RETRIEVE, Stage.GUARD_OUTPUT})
"""Stages that a message reaches only when the gate and policy let it go on."""


def without_default(context: Context) -> Iterator[LintFinding]:
    """The smallest message that no rule of a stage speaks about; for tools, those that no rule is asked about.

    The flow always knows the facts that it provides itself, so they count as known here. Nothing is said of a tool that
    is denied until something grants it: that is meant so.
    """
    for stage in DECIDING_STAGES:
        if stage is Stage.AUTHORIZE_TOOLS:
            yield from _unasked(context)
        else:
            yield from _unspoken(context, stage)


def _unspoken(context: Context, stage: Stage) -> Iterator[LintFinding]:
    finder, variables = context.finder, context.space.variables
    known = [
        variables[spec.name].known for spec in BUILTIN if spec.name in variables and _given_at(spec.only_at, stage)
    ]
    before = (Stage.GATE_RISK, Stage.APPLY_POLICY) if stage in AFTER_POLICY else ()
    passed = [_goes_on(context, one) for one in before]
    model = finder.smallest(falls_through(context.decisions.at(stage)), *passed, *known)
    if model is not None:
        told = "; ".join(finder.witness(model).lines())
        message = (
            f"no rule says what happens here, so the built-in default does ({DEFAULTS[stage].value}): "
            f"{told or 'nothing known'}. Add a rule that says so."
        )
        yield context.found(NO_DEFAULT, "stage", stage.value, message, _first_rule(context, stage))


def _given_at(only_at: Stage | None, stage: Stage) -> bool:
    return only_at is None or only_at is stage


def _goes_on(context: Context, stage: Stage) -> z3.BoolRef:
    effects = context.decisions.at(stage).effects
    return z3.Or(effects[Effect.ALLOW], effects[Effect.NOT_YET])


def _unasked(context: Context) -> Iterator[LintFinding]:
    for tool in sorted(context.bundle.tools):
        if not context.bundle.policy.asked(Stage.AUTHORIZE_TOOLS, tool):
            message = "no rule is ever asked about this tool, so it is refused without a reason. Add one, or remove it."
            yield context.found(NO_DEFAULT, "tool", tool, message)


def _first_rule(context: Context, stage: Stage) -> str:
    places = [rule.where for rule in context.bundle.policy.rules if rule.stage is stage and rule.source is None]
    return min(places, key=_file_and_line, default="bundle.yaml:1")


def _file_and_line(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line)
