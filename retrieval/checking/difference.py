"""What an ingest of a folder would change in the live generation, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Frozen
from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.checking.customers import population
from handrail.retrieval.checking.reach import Reach
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.generation import FileGenerationPointer, Quarantine
from handrail.retrieval.prepared import Prepared, PreparedSet, prepare
from handrail.retrieval.reading.sources import Sources
from handrail.retrieval.screen import Screen


class NamedDocument(Frozen):
    """A document that would come or go. `left_out` says that it goes because its file is bad now."""

    doc_id: str
    path: str
    title: str
    left_out: bool = False


class FieldChange(Frozen):
    """A field of the metadata, by its name in the front matter."""

    name: str
    old: str
    new: str


class ChangedDocument(Frozen):
    """A document that would change. Without fields and passages, only bytes of its file differ that no reader sees."""

    doc_id: str
    path: str
    fields: tuple[FieldChange, ...]
    passages_added: int
    passages_removed: int


class SegmentEffect(Frozen):
    """How many documents somebody in a segment could read that nobody in it could before, and the other way round."""

    segment: str
    more: int
    less: int


class BaseDifference(Frozen):
    """From the live generation (None: there is none) to what an ingest would make. `problems` are of bad documents."""

    generation: str | None
    added: tuple[NamedDocument, ...]
    removed: tuple[NamedDocument, ...]
    changed: tuple[ChangedDocument, ...]
    quarantined: tuple[Quarantine, ...]
    released: tuple[str, ...]
    problems: tuple[Problem, ...]
    segments: tuple[SegmentEffect, ...]

    @property
    def any(self) -> bool:
        """Whether an ingest would change anything."""
        return bool(self.added or self.removed or self.changed or self.quarantined or self.released)


@dataclass(frozen=True, slots=True)
class _State:
    """A base as far as it is compared: the ids of the passages of each document that is not in quarantine."""

    cards: Mapping[str, DocumentCard]
    passages: Mapping[str, frozenset[str]]
    quarantined: Mapping[str, Quarantine]


def difference(base: Path, sources: Sources, screen: Screen, bundle: Bundle, day: date) -> BaseDifference:
    """What an ingest of `sources` into `base` would change; customers are asked on `day`.

    Raises:
        RetrievalError: no document can be used, or the live generation is damaged.
    """
    found = prepare(sources, screen, {}, lambda done, total: None)
    found.insist()
    live = Contents.live(base) if FileGenerationPointer(base).get() is not None else None
    before, after = _of_live(live), _of_source(found.documents)
    return BaseDifference(
        generation=None if live is None else live.manifest.generation.generation_id,
        added=tuple(_named(card) for doc_id, card in after.cards.items() if doc_id not in before.cards),
        removed=tuple(_removed(before, after, found)),
        changed=tuple(_changed(before, after)),
        quarantined=tuple(one for doc_id, one in after.quarantined.items() if doc_id not in before.quarantined),
        released=tuple(
            doc_id for doc_id in before.quarantined if doc_id in after.cards and doc_id not in after.quarantined
        ),
        problems=tuple(sorted(found.problems)),
        segments=_segments(before, after, bundle, day),
    )


def _of_live(live: Contents | None) -> _State:
    if live is None:
        return _State({}, {}, {})
    passages = {doc_id: frozenset(one.passage_id for one in passages) for doc_id, passages in live.passages_of.items()}
    return _State(live.card_of, passages, {entry.doc_id: entry for entry in live.manifest.quarantined})


def _of_source(documents: Sequence[Prepared]) -> _State:
    return _State(
        {document.card.doc_id: document.card for document in documents},
        {
            document.card.doc_id: frozenset(one.passage_id for one in document.passages)
            for document in documents
            if document.quarantine is None
        },
        {document.card.doc_id: document.quarantine for document in documents if document.quarantine is not None},
    )


def _named(card: DocumentCard, *, left_out: bool = False) -> NamedDocument:
    return NamedDocument(doc_id=card.doc_id, path=card.path, title=card.title, left_out=left_out)


def _removed(before: _State, after: _State, found: PreparedSet) -> Iterator[NamedDocument]:
    bad = set(found.bad_files)
    for doc_id, card in before.cards.items():
        if doc_id not in after.cards:
            yield _named(card, left_out=card.path in bad)


def _changed(before: _State, after: _State) -> Iterator[ChangedDocument]:
    for doc_id, new in after.cards.items():
        old = before.cards.get(doc_id)
        was, now = before.passages.get(doc_id, frozenset()), after.passages.get(doc_id, frozenset())
        if old is not None and (old != new or was != now):
            fields, values = _fields(old), _fields(new)
            yield ChangedDocument(
                doc_id=doc_id,
                path=new.path,
                fields=tuple(
                    FieldChange(name=name, old=text, new=values[name])
                    for name, text in fields.items()
                    if text != values[name]
                ),
                passages_added=len(now - was),
                passages_removed=len(was - now),
            )


def _fields(card: DocumentCard) -> dict[str, str]:
    audience, validity = card.audience, card.validity
    return {
        "path": card.path,
        "title": card.title,
        "roles": ", ".join(audience.role),
        "stacks": ", ".join(audience.stack),
        "regions": ", ".join(audience.region),
        "plans": ", ".join(audience.plan),
        "product_area": card.product_area,
        "authority": audience.authority.value,
        "language": audience.language,
        "valid_from": validity.first.isoformat(),
        "valid_until": validity.last.isoformat() if validity.last is not None else "none",
        "need_states": ", ".join(audience.need_state),
    }


def _segments(before: _State, after: _State, bundle: Bundle, day: date) -> tuple[SegmentEffect, ...]:
    """The segments for which something changes."""
    cards = (*before.cards.values(), *after.cards.values())
    reach = Reach.of(population(bundle, (card.audience for card in cards), day), cards)
    usable = [_usable(card, before, day) for card in before.cards.values()]
    usable += [_usable(card, after, day) for card in after.cards.values()]
    readable = reach.of_segments(np.array(usable, dtype=np.bool_))
    effects = []
    for segment, row in zip(reach.population.segments, readable, strict=True):
        was = _ids(before.cards, row[: len(before.cards)])
        now = _ids(after.cards, row[len(before.cards) :])
        if was != now:
            effects.append(SegmentEffect(segment=segment, more=len(now - was), less=len(was - now)))
    return tuple(effects)


def _usable(card: DocumentCard, state: _State, day: date) -> bool:
    return card.validity.cause(day) is None and card.doc_id not in state.quarantined


def _ids(cards: Mapping[str, DocumentCard], chosen: NDArray[np.bool_]) -> set[str]:
    return {doc_id for doc_id, some in zip(cards, chosen.tolist(), strict=True) if some}
