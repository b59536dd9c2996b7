"""OUT_DENIES_PERSON: a reply refuses, discourages or conditions reaching a person."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding, PersonState
from handrail.guardrails.output.fold import fold
from handrail.guardrails.output.lexicon import Order, any_between, in_order, tokens
from handrail.guardrails.output.quotation import is_verbatim
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.values import Kind

_CONTACTS = frozenset({Kind.PHONE, Kind.EMAIL, Kind.URL})
_BAR = 12
"""How many words before a way to a person a bar still counts."""

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


def close(view: View) -> Iterator[Finding]:
    """At most one finding for a whole reply: somebody asked for a person, and no sentence leads to one.

    It stands at the last sentence. Words for people count where nothing bars them (`before`, `only`, `not`), and so
    does a number or an address to reach them at.
    """
    if view.sources.evidence.person is not PersonState.ASKED or any(_leads(line) for line in view.lines):
        return
    if "asked_for" not in view.wording.lexicon.mark(view.sources.asked_tokens):
        # Detection would rather hear a request too many; a reply is held back only where a person is named.
        return
    if not all(view.sources.is_fixed(line.squashed) for line in view.lines):
        yield view.line.finding(CODE, 0, len(view.line.sentence.text), "no way to a person")


def _leads(line: Line) -> bool:
    """Whether a sentence brings, announces or offers a person, or says where one can be reached."""
    if any(value.kind in _CONTACTS for value in line.values):
        return True
    places = line.marks["reaches_person"]
    return any(not any_between(line.marks, ("bars_person",), max(0, start - _BAR), end + 2) for start, end in places)


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
