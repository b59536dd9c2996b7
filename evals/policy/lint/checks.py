"""The table of checks: adding one is a function in the module of its subject, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from handrail.evals.policy.lint import (
    attributes,
    editors,
    experiments,
    floor,
    queues,
    reasons,
    reviews,
    rules,
    segments,
    stages,
    texts,
    tools,
    waivers,
)
from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, LintFinding

Look: TypeAlias = Callable[[Context], Iterator[LintFinding]]


class Check(NamedTuple):
    """One kind of finding and what looks for it."""

    code: Code
    look: Look


CHECKS: tuple[Check, ...] = (
    Check(segments.IS_LABEL, segments.labels),
    Check(segments.UNREACHABLE, segments.unreachable),
    Check(segments.NO_EFFECT, segments.without_effect),
    Check(segments.NO_EXIT, segments.without_exit),
    Check(segments.FLAPS, segments.flapping),
    Check(reviews.OVERDUE, reviews.overdue),
    Check(rules.UNREACHABLE, rules.unreachable),
    Check(rules.SHADOWED, rules.shadowed),
    Check(stages.NO_DEFAULT, stages.without_default),
    Check(tools.NEVER_ALLOWED, tools.never_allowed),
    Check(tools.WRITE_UNCONFIRMED, tools.unconfirmed),
    Check(reasons.NEVER_EMITTED, reasons.never_emitted),
    Check(reasons.MISSING, reasons.missing),
    Check(reasons.OTHER_STAGE, reasons.other_stage),
    Check(queues.NEVER_OPEN, queues.never_open),
    Check(queues.UNUSED, queues.unused),
    Check(queues.SKILLS, queues.lacking_skills),
    Check(texts.TOO_LONG, texts.too_long),
    Check(texts.LANGUAGE, texts.languages),
    Check(texts.EMPTY, texts.empty),
    Check(attributes.RISK_BY_ATTRIBUTE, attributes.risk_by_attribute),
    Check(attributes.INFERRED_DECIDES, attributes.inferred),
    Check(attributes.OPEN_WORD, attributes.open_words),
    Check(attributes.ATTRIBUTE_UNUSED, attributes.unused_attributes),
    Check(attributes.WINDOW_UNUSED, attributes.unused_windows),
    Check(floor.IGNORES_UNKNOWN, floor.ignoring_unknown),
    Check(floor.VACUOUS, floor.vacuous),
    Check(experiments.NO_EFFECT, experiments.without_effect),
    Check(experiments.TOO_MANY, experiments.too_many),
    Check(experiments.SHARES, experiments.shares),
    Check(editors.STALE, editors.stale),
)

CODES: tuple[Code, ...] = (*(check.code for check in CHECKS), waivers.UNUSED, waivers.UNKNOWN)
"""Every code that lint can report."""
