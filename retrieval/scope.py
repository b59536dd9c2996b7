"""From a scope plan to the documents it admits: worked out over classes of documents, and not document by document.

A scope class is one combination of the classes of all families and of the state of validity at ingest. A class may
still hold documents whose validity began or ended since the ingest: the caller checks every hit again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.scope import Audience, Cause, ScopePlan
from handrail.retrieval.documents import DocumentCard

CLASS_FIELD = "scope_class"
FOREVER = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class CompiledScope:
    """What a plan means for one generation.

    Attributes:
        eligible: Which documents may be searched; shape (documents,).
        excluded: How many documents are kept out, by first cause.
    """

    eligible: NDArray[np.bool_]
    excluded: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ScopeCatalogue:
    """The documents of a generation, sorted into scope classes. All arrays have shape (documents,).

    `class_of` is an index into `names` and `audiences`; `first` and `last` are ordinals of days.
    """

    names: tuple[str, ...]
    audiences: tuple[Audience, ...]
    class_of: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    quarantined: NDArray[np.bool_]

    @classmethod
    def build(cls, cards: Sequence[DocumentCard], quarantined: Sequence[bool], day: date) -> Self:
        """Sort `cards` into classes; `day` is the day of the ingest."""
        keys = [_class_name(card, day) for card in cards]
        audiences = {key: card.audience for key, card in zip(keys, cards, strict=True)}
        numbers = {key: number for number, key in enumerate(audiences)}
        last = [FOREVER if card.validity.last is None else card.validity.last.toordinal() for card in cards]
        return cls(
            names=tuple(audiences),
            audiences=tuple(audiences.values()),
            class_of=np.array([numbers[key] for key in keys], dtype=np.int32),
            first=np.array([card.validity.first.toordinal() for card in cards], dtype=np.int32),
            last=np.array(last, dtype=np.int32),
            quarantined=np.array(quarantined, dtype=np.bool_),
        )

    def name(self, document: int) -> str:
        """The scope class of a document, as its passages say it in Chroma."""
        return self.names[int(self.class_of[document])]

    def compile(self, plan: ScopePlan) -> CompiledScope:
        """Work out what `plan` admits."""
        causes = [plan.cause(audience) for audience in self.audiences]
        admitted = np.array([cause is None for cause in causes], dtype=np.bool_)
        day = plan.day.toordinal()
        # The order of `Cause`: families first, then validity, then quarantine.
        candidates = admitted[self.class_of]
        expired = candidates & (day > self.last)
        early = candidates & ~expired & (day < self.first)
        shut = candidates & ~expired & ~early & self.quarantined
        eligible = candidates & ~expired & ~early & ~shut
        sizes = np.bincount(self.class_of, minlength=len(self.names))
        excluded: dict[str, int] = {}
        for cause, size in zip(causes, sizes, strict=True):
            if cause is not None:
                excluded[cause.value] = excluded.get(cause.value, 0) + int(size)
        for late, mask in ((Cause.EXPIRED, expired), (Cause.NOT_YET_VALID, early), (Cause.QUARANTINED, shut)):
            if mask.any():
                excluded[late.value] = int(mask.sum())
        return CompiledScope(
            eligible=eligible,
            excluded={cause.value: excluded[cause.value] for cause in Cause if cause.value in excluded},
        )


def admits(plan: ScopePlan, card: DocumentCard) -> bool:
    """Whether a document passes the plan, asked of the document itself and not of its class."""
    return plan.cause(card.audience) is None and card.validity.cause(plan.day) is None


def _class_name(card: DocumentCard, day: date) -> str:
    """A name that depends on the class alone, so that ingest and readers need not number classes alike."""
    cause = card.validity.cause(day)
    content = f"{card.audience.model_dump_json()} {cause.value if cause else 'valid'}"
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
