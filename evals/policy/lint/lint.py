"""Lint: every check on one bundle, less what is waived."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from handrail.agent.reasons import EMITTED
from handrail.evals.policy.lint.checks import CHECKS, Check
from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import LintFinding
from handrail.evals.policy.lint.waivers import waived
from handrail.guardrails.bundle.bundle import Bundle


def lint(
    bundle: Bundle,
    today: date,
    *,
    folder: Path | None = None,
    emitted: Collection[str] = EMITTED,
    checks: Sequence[Check] = CHECKS,
) -> tuple[LintFinding, ...]:
    """Everything wrong or questionable in `bundle`, by place and code.

    `today` tells which reviews are overdue, `folder` is where the bundle stands, and `emitted` are the reason codes
    that code outside the bundle can emit. With some `checks` only, waivers of the others are left alone.
    """
    context = Context(bundle, emitted, today, folder)
    found = [finding for check in checks for finding in check.look(context)]
    looked_for = {check.code.id for check in checks}
    left = waived(context, found, looked_for, {check.code.id for check in CHECKS})
    return tuple(sorted(left, key=lambda one: (one.file, one.line, one.code, one.subject, one.message)))
