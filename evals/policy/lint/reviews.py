"""Segments and holdouts that nobody has looked at in time."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding

OVERDUE = Code(
    "LINT_REVIEW_OVERDUE",
    Level.WARNING,
    "A segment or holdout is past its review date.",
    "Review it and move the date.",
)


def overdue(context: Context) -> Iterator[LintFinding]:
    """Everything whose date has passed; on the day itself there is still time."""
    dated = [("segment", one.id, one.owner, one.review_by) for one in context.bundle.entries.values()]
    dated += [("holdout", one.id, one.owner, one.review_by) for one in context.bundle.holdouts]
    for kind, name, owner, day in dated:
        if day < context.today:
            message = f"was to be reviewed by {day}, by {owner}. Review it and move the date."
            yield context.found(OVERDUE, kind, name, message)
