"""OUT_DENIES_PERSON: a reply refuses, discourages or conditions reaching a person."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding, PersonState
from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.lexicon import Order, in_order, tokens
from handrail.guardrails.output.quotation import is_verbatim
from handrail.guardrails.output.reading import View

_NEAR = 4
"""Words between a wish and the person it is for."""

_WISHES = (("wish", "wished_helper"), ("wished_helper", "wish"))

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
    """Whether the customer asked for a person, also one of a profession ("can the caretaker call me")."""
    if view.sources.evidence.person is not PersonState.NOT_ASKED:
        return True
    marks = view.wording.lexicon.mark(tokens(fold(view.sources.customer_text)))
    return any(any(in_order(marks, Order(order, _NEAR))) for order in _WISHES)


def _is_published(view: View) -> bool:
    """Whether the company itself says so. Whoever asked for a person is not put off with a help page."""
    if view.sources.is_fixed(view.line.squashed):
        return True
    return view.sources.evidence.person is PersonState.NOT_ASKED and is_verbatim(view)
