"""The check of a base under a policy bundle: what in it is contradictory, out of date, or out of reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import numpy as np

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.checking.access import Access, access, holes
from handrail.retrieval.checking.ageing import ageing
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.checking.contradictions import contradictions
from handrail.retrieval.checking.customers import population
from handrail.retrieval.checking.findings import Code, Finding, Place, Severity
from handrail.retrieval.checking.links import broken_links
from handrail.retrieval.checking.orphans import known_classes, orphans
from handrail.retrieval.checking.reach import Reach
from handrail.retrieval.checking.statements import Statement
from handrail.retrieval.documents import DocumentCard


class CheckReport(Frozen):
    """What a check found. `day` is the day for which it was asked; `bundle` the revision of the policy."""

    day: date
    generation: str
    bundle: str
    documents: int
    passages: int
    findings: tuple[Finding, ...]
    access: Access


def check(contents: Contents, bundle: Bundle, day: date, soon: timedelta) -> CheckReport:
    """Check a base under a bundle on `day`; what expires within `soon` is told too."""
    cards = contents.cards
    reach = Reach.of(population(bundle, (card.audience for card in cards), day), cards)
    usable = np.array(
        [card.validity.cause(day) is None and card.doc_id not in contents.quarantined for card in cards], dtype=np.bool_
    )
    found = [
        *_contradicting(contents, reach, day),
        *ageing(cards, day, soon),
        *orphans(contents, reach, known_classes(bundle)),
        *broken_links(contents),
        *holes(reach, usable),
    ]
    order = list(Code)
    return CheckReport(
        day=day,
        generation=contents.manifest.generation.generation_id,
        bundle=bundle.revision,
        documents=len(cards),
        passages=len(contents.passages),
        findings=tuple(sorted(found, key=lambda finding: order.index(finding.code))),
        access=access(reach, usable),
    )


def _contradicting(contents: Contents, reach: Reach, day: date) -> Iterator[Finding]:
    for pair in contradictions(contents, _sharing(contents, reach, day)):
        one, other = _place(contents, pair.first, pair.measured), _place(contents, pair.second, pair.measured)
        yield Finding(
            code=Code.CONTRADICTION,
            severity=Severity.WARNING,
            places=(one, other),
            found=f"{one.doc_id} says {_said(one)}, {other.doc_id} says {_said(other)}.",
            to_do="Correct the wrong one. If both are right, say in each what it holds for, or narrow its classes.",
        )


def _sharing(contents: Contents, reach: Reach, day: date) -> Callable[[DocumentCard, DocumentCard], bool]:
    numbers = {card.doc_id: number for number, card in enumerate(contents.cards)}

    def share(one: DocumentCard, other: DocumentCard) -> bool:
        return reach.share(numbers[one.doc_id], numbers[other.doc_id], day)

    return share


def _place(contents: Contents, statement: Statement, measured: str) -> Place:
    passage = contents.passages[statement.row]
    card = contents.card_of[passage.doc_id]
    return Place(
        path=card.path,
        doc_id=card.doc_id,
        heading=passage.heading,
        sentence=" ".join(statement.text.split()),
        values=statement.written[measured],
    )


def _said(place: Place) -> str:
    return " and ".join(place.values)
