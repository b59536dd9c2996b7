"""OUT_DENIES_PERSON: a reply refuses, discourages or conditions reaching a person."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.reading import View

CODE = "OUT_DENIES_PERSON"


def check(view: View) -> Iterator[Finding]:
    """At most one finding per sentence. The bundle's own texts may say honestly that no one is there."""
    for pattern in view.wording.refusing(view.line.marks):
        for place in claims(view, pattern):
            if not view.sources.is_fixed(view.line.squashed):
                yield view.line.finding_at(CODE, place, pattern.id)
            return
