"""Segments that nobody enters or leaves, that change nothing, or that flap."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import z3

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.evals.policy.space import Reading, variable
from handrail.guardrails.bundle.sections import Outcome, SegmentEntry, Tier
from handrail.guardrails.segments import Segment

IS_LABEL = Code(
    "LINT_SEGMENT_IS_LABEL",
    Level.ERROR,
    "A segment changes nothing but tags: it is a label.",
    "Give it a decision, or remove it.",
)
UNREACHABLE = Code(
    "LINT_SEGMENT_UNREACHABLE",
    Level.ERROR,
    "No input makes the entry condition of a segment true.",
    "Correct the entry condition, or remove the segment.",
)
NO_EFFECT = Code(
    "LINT_SEGMENT_NO_EFFECT",
    Level.WARNING,
    "Everything would be decided alike without the segment, but for tags: other rules say the same.",
    "Give it a decision of its own, remove it, or waive the finding with the reason why it stays.",
)
NO_EXIT = Code(
    "LINT_SEGMENT_NO_EXIT",
    Level.WARNING,
    "No input makes the exit condition of a segment true, so whoever entered stays until the conversation ends.",
    "Correct the exit condition.",
)
FLAPS = Code(
    "LINT_SEGMENT_FLAPS",
    Level.WARNING,
    "One event more puts a conversation into a run-time segment and one less takes it out, without a hold.",
    "Leave a gap between entry and exit, or set hold_minutes.",
)


def labels(context: Context) -> Iterator[LintFinding]:
    """Segments that say nothing to begin with, active or ready."""
    for entry in context.bundle.entries.values():
        if _is_label(entry):
            message = "changes no decision dimension: it is a label, not a segment. Give it a decision or remove it."
            yield context.found(IS_LABEL, "segment", entry.id, message)


def _is_label(entry: SegmentEntry) -> bool:
    changed = {name for name in Outcome.model_fields if getattr(entry.decisions, name)}
    acts = entry.actions.allow or entry.actions.deny or entry.escalation.hard or entry.escalation.soft
    return not acts and changed <= {"tags"}


def unreachable(context: Context) -> Iterator[LintFinding]:
    """Active segments that nobody can enter."""
    for name in sorted(context.unreachable):
        message = "can never be entered: no input makes its entry condition true. Correct the condition or remove it."
        yield context.found(UNREACHABLE, "segment", name, message)


def without_effect(context: Context) -> Iterator[LintFinding]:
    """Active segments that say something, and never anything that is not said without them."""
    for name in sorted(context.idle):
        if not _is_label(context.bundle.entries[name]):
            message = (
                "changes no decision for any input: other rules already say the same wherever it holds. "
                "Give it a decision of its own, remove it, or waive this with the reason."
            )
            yield context.found(NO_EFFECT, "segment", name, message)


def without_exit(context: Context) -> Iterator[LintFinding]:
    """Active segments that can be entered and never be left."""
    for one in context.bundle.segments:
        if one.id not in context.unreachable and not context.finder.possible(context.reading.truth(one.exit).true):
            message = "can never be left: no input makes its exit condition true. Correct the condition."
            yield context.found(NO_EXIT, "segment", one.id, message)


def flapping(context: Context) -> Iterator[LintFinding]:
    """Active run-time segments where a single event decides both about going in and about going out."""
    counts = {window.fact for window in context.bundle.windows}
    for one in context.bundle.segments:
        if context.bundle.entries[one.id].tier is not Tier.RUNTIME or one.hold_minutes:
            continue
        for name in sorted(one.entry.names() & one.exit.names() & counts):
            border = _border(context, one, name)
            if border is not None:
                message = (
                    f"flaps: at {name} {border} a conversation is put in, and with one event less it is taken out "
                    "again. Leave a gap between entry and exit, or set hold_minutes."
                )
                yield context.found(FLAPS, "segment", one.id, message)
                break


def _border(context: Context, segment: Segment, name: str) -> int | None:
    """The count at which entry holds and exit does not, while with one event fewer exit holds and entry does not."""
    before = context.space.variables[name]
    after = variable(before.domain, " less")
    other = Reading(context.bundle, context.space, {name: after})
    here, there = context.reading, other
    puts_in = z3.And(here.truth(segment.entry).true, z3.Not(here.truth(segment.exit).true))
    takes_out = z3.And(there.truth(segment.exit).true, z3.Not(there.truth(segment.entry).true))
    whole = z3.And(list(after.constraints()))
    for less, more in pairwise(before.domain.values):
        if context.finder.possible(puts_in, takes_out, whole, before.values[more], after.values[less]):
            return int(more)
    return None
