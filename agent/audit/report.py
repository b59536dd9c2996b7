"""What a verification of the audit log came to, for people and for programs."""

from __future__ import annotations

import json

from handrail.agent.audit.verify import Break
from handrail.guardrails.vocabulary import Frozen


class AuditReport(Frozen):
    """Counts of what was checked, and everything that is wrong. `erased` counts payloads erased by request."""

    chains: int
    events: int
    erased: int
    anchors: int
    kept_anchors: int
    breaks: tuple[Break, ...]


def as_text(report: AuditReport) -> str:
    """The report for a person; a healthy log takes two lines."""
    counts = f"{report.chains} chains, {report.events} events, {report.erased} payloads erased on request"
    lines = [f"{counts}, {report.anchors} anchors, {report.kept_anchors} anchors from a file."]
    if not report.breaks:
        lines.append("Whole: nothing was changed, deleted or reordered.")
        if not report.anchors and not report.kept_anchors:
            lines.append("Nothing is anchored yet; `handrail audit anchor --out FILE` also protects the newest events.")
        return "\n".join(lines)
    lines.append(f"BROKEN in {len(report.breaks)} places:")
    lines.extend(_line(broken) for broken in report.breaks)
    return "\n".join(lines)


def as_json(report: AuditReport) -> str:
    """The report for a program, with the meaning of each break spelt out."""
    breaks = [{**broken.model_dump(mode="json"), "meaning": broken.meaning} for broken in report.breaks]
    content = {**report.model_dump(mode="json"), "whole": not report.breaks, "breaks": breaks}
    return json.dumps(content, indent=2)


def _line(broken: Break) -> str:
    place = [f"site {broken.site}"]
    if broken.conversation_id is not None:
        place.append(f"conversation {broken.conversation_id}")
    if broken.seq is not None:
        place.append(f"event {broken.seq}")
    if broken.anchor is not None:
        place.append(f"anchor {broken.anchor} of the {broken.source}")
    return f"  {', '.join(place)}\n    {broken.problem}: {broken.meaning}"
