"""OUT_DENIES_PERSON: a reply refuses, discourages or conditions reaching a person."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding, PersonState
from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.lexicon import tokens
from handrail.guardrails.output.quotation import is_verbatim
from handrail.guardrails.output.reading import View

CODE = "OUT_DENIES_PERSON"


def check(view: View) -> Iterator[Finding]:
    """At most one finding per sentence. The bundle's own texts may say honestly that no one is there."""
    for pattern in view.wording.refusing(view.line.marks):
        for place in claims(view, pattern):
            if not _is_published(view):
                yield view.line.finding_at(CODE, place, pattern.id)
            return
    for pattern in view.wording.delaying(view.line.marks):
        for place in claims(view, pattern):
            if _is_asked(view) and not _is_published(view):
                yield view.line.finding_at(CODE, place, pattern.id)
                return


def _is_asked(view: View) -> bool:
    """Whether the customer asked for a person, or at least spoke of one."""
    if view.sources.evidence.person is not PersonState.NOT_ASKED:
        return True
    return "helper" in view.wording.lexicon.mark(tokens(fold(view.sources.customer_text)))


def _is_published(view: View) -> bool:
    """Whether the company itself says so. Whoever asked for a person is not put off with a help page."""
    if view.sources.is_fixed(view.line.squashed):
        return True
    return view.sources.evidence.person is PersonState.NOT_ASKED and is_verbatim(view)
