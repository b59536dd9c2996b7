"""Holdouts that change nothing, and too much of them at once."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.difference import difference
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.evals.policy.play import subjects
from handrail.evals.policy.space import FALSE, TRUE, Reading, Variable
from handrail.evals.policy.symbolic import Decisions
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.bundle.sections import HoldoutEntry
from handrail.guardrails.policy.facts import HOLDOUT_PREFIX

# Every active holdout doubles the arms that a reader of the figures has to keep apart.
MOST_ACTIVE = 4
# Most conversations are to get the whole policy.
LARGEST_SHARE = 0.5

NO_EFFECT = Code(
    "LINT_HOLDOUT_NO_EFFECT",
    Level.WARNING,
    "Whoever is held out is served exactly like everybody else.",
    "Hold out something that decides, or remove the holdout.",
)
TOO_MANY = Code(
    "LINT_HOLDOUTS_TOO_MANY",
    Level.WARNING,
    f"More than {MOST_ACTIVE} holdouts are active.",
    "Set one of them to ready.",
)
SHARES = Code(
    "LINT_HOLDOUT_SHARES",
    Level.WARNING,
    f"The shares of the active holdouts add up to more than {LARGEST_SHARE:.0%}.",
    "Lower a share, or set a holdout to ready.",
)


def without_effect(context: Context) -> Iterator[LintFinding]:
    """Holdouts, active or ready, whose two arms decide alike for every input."""
    for holdout in context.bundle.holdouts:
        if not _matters(context, holdout):
            message = (
                f"changes no decision: without {', '.join(holdout.without)} everything is decided alike. "
                "Hold out something that decides, or remove it."
            )
            yield context.found(NO_EFFECT, "holdout", holdout.id, message)


def _matters(context: Context, holdout: HoldoutEntry) -> bool:
    name = f"{HOLDOUT_PREFIX}{holdout.id}"
    concerned = [rule for rule in context.bundle.policy.rules if name in rule.names()]
    inside, outside = (_arm(context, name, held=held) for held in (True, False))
    for stage in DECIDING_STAGES:
        for subject in subjects(context.bundle, stage):
            rules = [rule for rule in concerned if rule.stage is stage and rule.asked_about(subject)]
            if rules:
                pair = inside.at(stage, subject), outside.at(stage, subject)
                if context.finder.possible(difference(rules, *pair)):
                    return True
    return False


def _arm(context: Context, name: str, *, held: bool) -> Decisions:
    """Everything that is decided in one arm."""
    domain = context.space.domains[name]
    fixed = Variable(domain, TRUE, {value: TRUE if value is held else FALSE for value in domain.values})
    return Decisions(Reading(context.bundle, context.space, {name: fixed}))


def too_many(context: Context) -> Iterator[LintFinding]:
    """Every active holdout beyond those that can be told apart, in the order of the file."""
    for holdout in _active(context)[MOST_ACTIVE:]:
        message = f"is one of {len(_active(context))} active holdouts; {MOST_ACTIVE} are enough. Set one to ready."
        yield context.found(TOO_MANY, "holdout", holdout.id, message)


def shares(context: Context) -> Iterator[LintFinding]:
    """The holdout with which the shares become too large, in the order of the file."""
    total = 0.0
    for holdout in _active(context):
        before, total = total, total + holdout.share
        if before <= LARGEST_SHARE < total:
            message = (
                f"with it the active holdouts take {total:.0%} of all conversations; at most {LARGEST_SHARE:.0%} "
                "should miss a part of the policy. Lower a share, or set one to ready."
            )
            yield context.found(SHARES, "holdout", holdout.id, message)


def _active(context: Context) -> list[HoldoutEntry]:
    return [one for one in context.bundle.holdouts if one.status == "active"]
