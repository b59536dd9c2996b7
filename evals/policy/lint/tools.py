"""Tools that no input lets run, and writes that run without anybody's agreement."""

from __future__ import annotations

from collections.abc import Iterator

import z3

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.guardrails.gate.editing import Edit
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Effect, Obligation, Stage

CONFIRM, APPROVE = Obligation.CONFIRM, Obligation.APPROVE

NEVER_ALLOWED = Code(
    "LINT_TOOL_NEVER_ALLOWED",
    Level.ERROR,
    "No input lets a tool run.",
    "Permit the tool somewhere, lift what always restricts it, or remove it.",
)
WRITE_UNCONFIRMED = Code(
    "LINT_WRITE_UNCONFIRMED",
    Level.ERROR,
    "A write runs that neither the customer has confirmed nor a person has approved, or nobody is ever asked to.",
    "Add a rule with the obligation confirm or approve that covers the tool.",
)


def never_allowed(context: Context) -> Iterator[LintFinding]:
    """Tools that are refused, held back or escalated whatever the facts are."""
    for name in sorted(context.closed):
        if not context.bundle.policy.asked(Stage.AUTHORIZE_TOOLS, name):
            continue
        if context.finder.possible(context.decisions.at(Stage.AUTHORIZE_TOOLS, name).permitted):
            message = "every permit of this tool is overridden by a restriction. Lift one of them, or remove the tool."
        else:
            message = "no rule and no segment can ever allow this tool. Permit it somewhere or remove it."
        yield context.found(NEVER_ALLOWED, "tool", name, message)


def unconfirmed(context: Context) -> Iterator[LintFinding]:
    """Writes that can run without a yes, or that wait for one which nobody asks for.

    An operator's edit of a call counts as a person's approval of it.
    """
    writes = [name for name, tool in sorted(context.bundle.tools.items()) if tool.access is Access.WRITE]
    for name in (one for one in writes if one not in context.closed):
        decision = context.decisions.at(Stage.AUTHORIZE_TOOLS, name)
        model = context.finder.smallest(decision.effects[Effect.ALLOW], *_nobody_agreed(context))
        if model is not None:
            told = "; ".join(context.finder.witness(model).lines())
            message = (
                f"can write without confirmation or approval, such as at {told or 'nothing known'}. "
                "Add a rule with the obligation confirm or approve."
            )
            yield context.found(WRITE_UNCONFIRMED, "tool", name, message)
        elif not any(context.finder.possible(decision.obliges(step)) for step in (CONFIRM, APPROVE)):
            message = (
                "runs only after a confirmation or approval that no rule asks for, so it never does. "
                "Add a rule with the obligation confirm or approve."
            )
            yield context.found(WRITE_UNCONFIRMED, "tool", name, message)


def _nobody_agreed(context: Context) -> Iterator[z3.BoolRef]:
    """What no condition reads decides nothing, so it counts as not there."""
    variables = context.space.variables
    if "call_confirmed" in variables:
        yield z3.Not(variables["call_confirmed"].values[True])
    if "call_approvals" in variables:
        yield from (z3.Not(one) for people, one in variables["call_approvals"].values.items() if people != 0)
    edit = variables.get("call_edit")
    if edit is not None:
        yield from (z3.Not(one) for value, one in edit.values.items() if value != Edit.NONE.value)
