"""Findings in a bundle that loads: nothing that stops the start, all of it worth a policy owner's look."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import Outcome, SegmentEntry
from handrail.guardrails.policy.facts import SEGMENT_PREFIX
from handrail.guardrails.policy.policyset import NO_RULE, UNKNOWN_FACT
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Effect, Frozen, Obligation, Stage


class LintFinding(Frozen):
    """One finding: a stable code, what it is about, and what to do."""

    code: str
    subject: str
    message: str


def lint(bundle: Bundle, emitted: Collection[str], today: date) -> tuple[LintFinding, ...]:
    """Everything questionable in `bundle`. `emitted` are the reason codes that code outside the bundle can emit."""
    found = [
        *_segments(bundle, today),
        *_tools(bundle),
        *_reasons(bundle, frozenset(emitted)),
        *_floor(bundle),
    ]
    return tuple(sorted(found, key=lambda one: (one.code, one.subject)))


def _segments(bundle: Bundle, today: date) -> Iterator[LintFinding]:
    for entry in bundle.entries.values():
        if _is_label(entry):
            message = "changes no decision dimension: it is a label, not a segment. Give it a decision or remove it."
            yield LintFinding(code="LINT_SEGMENT_IS_LABEL", subject=entry.id, message=message)
        if entry.review_by < today:
            message = f"was to be reviewed by {entry.review_by}. Review it and move the date."
            yield LintFinding(code="LINT_REVIEW_OVERDUE", subject=entry.id, message=message)


def _is_label(entry: SegmentEntry) -> bool:
    changed = {name for name in Outcome.model_fields if getattr(entry.decisions, name)}
    acts = entry.actions.allow or entry.actions.deny or entry.escalation.hard or entry.escalation.soft
    return not acts and changed <= {"tags"}


def _tools(bundle: Bundle) -> Iterator[LintFinding]:
    rules = [rule for rule in bundle.policy.rules if rule.stage is Stage.AUTHORIZE_TOOLS]
    permitted = {tool for rule in rules if rule.permits is Effect.ALLOW for tool in rule.subjects or bundle.tools}
    for tool in bundle.tools.values():
        if tool.id not in permitted:
            message = "no rule and no segment can ever allow this tool. Permit it somewhere or remove it."
            yield LintFinding(code="LINT_TOOL_NEVER_ALLOWED", subject=tool.id, message=message)
        asked = [rule for rule in rules if rule.subjects is None or tool.id in rule.subjects]
        steps = frozenset[Obligation]().union(*(rule.restrictions.obligations for rule in asked))
        if tool.access is Access.WRITE and not steps & {Obligation.CONFIRM, Obligation.APPROVE}:
            message = "writes without confirmation or approval. Add a rule with the obligation confirm or approve."
            yield LintFinding(code="LINT_WRITE_UNCONFIRMED", subject=tool.id, message=message)


def _reasons(bundle: Bundle, emitted: frozenset[str]) -> Iterator[LintFinding]:
    used = {rule.reason for rule in bundle.policy.rules} | emitted | {NO_RULE, UNKNOWN_FACT}
    used |= {entry.reason for entry in bundle.entries.values()}
    used |= {trigger.reason for e in bundle.entries.values() for trigger in (*e.escalation.hard, *e.escalation.soft)}
    used |= {signal.code for signal in bundle.detection.signals}
    used |= set(bundle.wording.guidance)
    used |= {step.reason for flow in bundle.flows.values() for step in flow.steps if step.kind == "hand_off"}
    for code in sorted(set(bundle.reasons) - used):
        message = "stands in the catalogue and nothing emits it. Remove it, or emit it."
        yield LintFinding(code="LINT_REASON_NEVER_EMITTED", subject=code, message=message)
    for code in sorted(used - set(bundle.reasons)):
        message = "can be emitted and is missing from the catalogue. Add an entry."
        yield LintFinding(code="LINT_REASON_MISSING", subject=code, message=message)


def _floor(bundle: Bundle) -> Iterator[LintFinding]:
    """The safety floor: what may never hang on a customer attribute (S5.2)."""
    by_segment = {f"{SEGMENT_PREFIX}{one.id}": one.entry.names() | one.exit.names() for one in bundle.segments}
    for rule in bundle.policy.rules:
        asked = {name for fact in rule.names() for name in by_segment.get(fact, {fact})}
        about = sorted(asked & bundle.attributes.keys())
        if rule.stage is Stage.GATE_RISK and about:
            message = f"decides about risk by {', '.join(about)}. Risk comes from signals only."
            yield LintFinding(code="LINT_RISK_BY_ATTRIBUTE", subject=rule.id, message=message)
