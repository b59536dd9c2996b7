"""Waivers: findings that are meant to be so, each with the reason why; and waivers that nobody needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding

UNUSED = Code(
    "LINT_WAIVER_UNUSED",
    Level.WARNING,
    "A waiver stands for a finding that there is not.",
    "Remove the waiver.",
)
UNKNOWN = Code(
    "LINT_WAIVER_UNKNOWN",
    Level.ERROR,
    "A waiver names a code that no check has.",
    "Correct the code.",
)


def waived(
    context: Context, findings: Iterable[LintFinding], looked_for: Collection[str], known: Collection[str]
) -> Iterator[LintFinding]:
    """The findings that are left, and those about waivers. `looked_for` are those of the `known` codes that count."""
    used: set[tuple[str, str]] = set()
    for finding in findings:
        owner = _owner(context, finding)
        if finding.code in context.bundle.waivers.get(owner, {}):
            used.add((owner, finding.code))
        else:
            yield finding
    for owner, codes in context.bundle.waivers.items():
        kind, _, subject = owner.partition(":")
        for code in codes:
            if (owner, code) in used:
                continue
            if code not in known:
                yield context.found(UNKNOWN, kind, subject, f"waives {code}, which is no finding. Correct the code.")
            elif code in looked_for:
                message = f"waives {code}, which is not found here. Remove the waiver."
                yield context.found(UNUSED, kind, subject, message)


def _owner(context: Context, finding: LintFinding) -> str:
    """What may waive a finding: the entry that it is about; of a segment's rules, the segment."""
    if finding.kind == "rule":
        sources = {rule.id: rule.source for rule in context.tried}
        source = sources.get(finding.subject)
        if source is not None:
            return f"segment:{source}"
    return f"{finding.kind}:{finding.subject}"
