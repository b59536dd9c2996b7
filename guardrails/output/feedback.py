"""What a model is told when its draft did not pass: what to mend, never the words it used."""

from __future__ import annotations

from collections.abc import Iterable

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.wording import Wording


def feedback(findings: Iterable[Finding], wording: Wording) -> tuple[str, ...]:
    """One piece of guidance per code found, in the order of the findings."""
    return tuple(wording.guidance[code] for code in dict.fromkeys(finding.code for finding in findings))
