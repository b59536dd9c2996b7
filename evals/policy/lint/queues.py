"""Queues that never open, that nothing reaches, and routes to people who lack a skill."""

from __future__ import annotations

from collections.abc import Iterator

import z3

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.evals.policy.space import FALSE
from handrail.evals.policy.symbolic import NOTHING
from handrail.guardrails.vocabulary import Stage

NEVER_OPEN = Code(
    "LINT_QUEUE_NEVER_OPEN",
    Level.ERROR,
    "A queue closes before it opens, so nobody is ever there.",
    "Correct opens and closes; hours past midnight need a queue of their own, or 24:00.",
)
UNUSED = Code(
    "LINT_QUEUE_UNUSED",
    Level.WARNING,
    "No input is ever routed to a queue.",
    "Route to it, or remove it.",
)
SKILLS = Code(
    "LINT_QUEUE_SKILLS",
    Level.WARNING,
    "A rule routes to a queue and asks for skills that the queue does not have.",
    "Give the queue the skill, or route elsewhere.",
)


def never_open(context: Context) -> Iterator[LintFinding]:
    """Hours of which nothing is left."""
    for queue in context.bundle.queues.values():
        if queue.hours.opens >= queue.hours.closes:
            message = (
                f"is never open: it closes at {queue.hours.closes} and opens at {queue.hours.opens}. "
                "Correct its hours; 24:00 is midnight at the end of the day."
            )
            yield context.found(NEVER_OPEN, "queue", queue.id, message)


def unused(context: Context) -> Iterator[LintFinding]:
    """Queues that win for no input; the default queue takes whatever is left."""
    policy, gate = (context.decisions.at(stage).chosen("queue") for stage in (Stage.APPLY_POLICY, Stage.GATE_RISK))
    named = {rule.selections.queue.value for rule in context.bundle.policy.rules if rule.selections.queue is not None}
    for name in context.bundle.queues:
        if name == context.bundle.manifest.default_queue:
            continue
        ways = (policy.get(name, FALSE), z3.And(policy[NOTHING], gate.get(name, FALSE)))
        if not any(context.finder.possible(way) for way in ways):
            why = "another one always has the larger precedence" if name in named else "no rule names it"
            message = f"nothing is ever routed to this queue: {why}. Route to it, or remove it."
            yield context.found(UNUSED, "queue", name, message)


def lacking_skills(context: Context) -> Iterator[LintFinding]:
    """Routes to people who cannot do what the same rule asks for."""
    for rule in context.tried:
        queue = rule.selections.queue
        lacking = sorted(rule.selections.skills - {*context.bundle.queues[queue.value].skills}) if queue else []
        if queue is not None and lacking:
            message = (
                f"routes to {queue.value}, which does not have the skill {', '.join(lacking)} that it asks for. "
                "Give the queue the skill, or route elsewhere."
            )
            yield context.about(SKILLS, rule, message)
