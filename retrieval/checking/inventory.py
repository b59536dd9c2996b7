"""The inventory of a base: what the live generation holds, how it was made, and the room it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pydantic import AwareDatetime

from handrail.guardrails.scope import Authority, Cause
from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.generation import GENERATIONS, MANIFEST, Quarantine


class Inventory(Frozen):
    """What a base holds on a day.

    Attributes:
        generation: The live generation.
        created_at: When it was made.
        embedding: What embedded it, as people call it; empty where the base does not say.
        embedded_by: The same, or else the revision of the encoder.
        chroma: Where its vectors are.
        dimensions: The length of its vectors.
        threshold: The score from which a passage is good enough to answer from.
        documents: Documents, those in quarantine and out of date too.
        passages: Passages that are searched.
        languages: Documents by language.
        authorities: Documents by authority.
        product_areas: Documents by product area, the largest first.
        quarantined: Documents that are never searched, and why.
        expired: Documents whose validity was over on that day.
        not_yet_valid: Documents whose validity had not begun.
        live_bytes: Room on disk of the live generation.
        base_bytes: Room on disk of the whole base, with generations that are kept for readers.
        previous: Finished generations beside the live one, the newest first.
    """

    generation: str
    created_at: AwareDatetime
    embedding: str
    embedded_by: str
    chroma: str
    dimensions: int
    threshold: float
    documents: int
    passages: int
    languages: dict[str, int]
    authorities: dict[str, int]
    product_areas: dict[str, int]
    quarantined: tuple[Quarantine, ...]
    expired: int
    not_yet_valid: int
    live_bytes: int
    base_bytes: int
    previous: tuple[str, ...]


def inventory(base: Path, day: date) -> Inventory:
    """The inventory of the base in folder `base` on `day`.

    Raises:
        RetrievalError: nothing was ingested, or it is damaged.
    """
    contents = Contents.live(base)
    manifest, cards = contents.manifest, contents.cards
    live, parent = manifest.generation.generation_id, base / GENERATIONS
    causes = Counter(card.validity.cause(day) for card in cards)
    authorities = Counter(card.audience.authority for card in cards)
    finished = sorted((path.name for path in parent.iterdir() if (path / MANIFEST).is_file()), reverse=True)
    return Inventory(
        generation=live,
        created_at=manifest.created_at,
        embedding=manifest.embedding,
        embedded_by=manifest.embedded_by,
        chroma=manifest.chroma,
        dimensions=manifest.dimensions,
        threshold=manifest.calibration.threshold,
        documents=len(cards),
        passages=len(contents.passages),
        languages=_counted(card.audience.language for card in cards),
        authorities={one.value: authorities[one] for one in Authority if authorities[one]},
        product_areas=_counted(card.product_area for card in cards),
        quarantined=manifest.quarantined,
        expired=causes[Cause.EXPIRED],
        not_yet_valid=causes[Cause.NOT_YET_VALID],
        live_bytes=_bytes(parent / live),
        base_bytes=_bytes(base),
        previous=tuple(name for name in finished if name != live),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(sorted(words)).most_common())


def _bytes(folder: Path) -> int:
    """The length of all files; one that an ingest takes away meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
