"""OUT_SECRET: what fields of tool results keep from the customer, and talk of passwords and internal notes."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.records import Guarded
from handrail.guardrails.output.sources import has_token

CODE = "OUT_SECRET"

_TOLD = 0.4
"""Share of the words of an internal note in a sentence that tells it."""


def check(view: View) -> Iterator[Finding]:
    """At most one finding of each sort: a value of a secret field, an internal note, words that announce either."""
    line = view.line
    fields = view.sources.guarded
    if fields and not view.sources.is_fixed(line.squashed):
        yield from _kept_back(view, fields)
    for pattern in view.wording.confiding(line.marks):
        for place in claims(view, pattern):
            if not view.sources.is_fixed(line.squashed):
                yield line.finding_at(CODE, place, pattern.id)
                return


def _kept_back(view: View, fields: tuple[Guarded, ...]) -> Iterator[Finding]:
    line = view.line
    for field in fields:
        if field.is_secret:
            if has_token(line.folded, field.shown):
                start = line.plain.find(field.shown.lower())
                yield line.finding(CODE, start, start + len(field.content), "value of a secret field")
                return
            continue
        known = view.sources.customer_stems
        told = len(field.stems) > 1 and len((field.stems - known) & line.stems) >= max(2, _TOLD * len(field.stems))
        if told or (has_token(line.folded, field.content) and field.key_stems & line.stems):
            yield line.finding(CODE, 0, len(line.sentence.text), "internal note")
            return
