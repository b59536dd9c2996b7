"""What a generation holds, read for looking at it: no encoder is loaded and no index is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import REPAIR, BaseFolder, FileGenerationPointer, Manifest
from handrail.retrieval.passages import StoredPassage
from handrail.retrieval.stored import Stored


@dataclass(frozen=True)
class Contents:
    """One generation. `vectors` has one row per passage, of length one.

    A card or passage that cannot be read is not here: nobody is ever shown it.
    """

    manifest: Manifest
    cards: tuple[DocumentCard, ...]
    passages: tuple[StoredPassage, ...]
    vectors: NDArray[np.float32]

    @classmethod
    def live(cls, base: Path) -> Self:
        """The live generation of the base in folder `base`.

        Raises:
            RetrievalError: nothing was ingested, or it is damaged.
        """
        live = FileGenerationPointer(base).get()
        if live is None:
            raise RetrievalError(f"There is no knowledge base in {base}. {REPAIR}")
        folders = BaseFolder(base)
        manifest = folders.manifest(live)
        stored = Stored.read(folders.folder(live), manifest)
        return cls(manifest, tuple(stored.cards), tuple(stored.passages), stored.embeddings)

    @cached_property
    def quarantined(self) -> frozenset[str]:
        """The ids of the documents in quarantine."""
        return frozenset(entry.doc_id for entry in self.manifest.quarantined)

    @cached_property
    def card_of(self) -> Mapping[str, DocumentCard]:
        """The cards by id."""
        return {card.doc_id: card for card in self.cards}

    @cached_property
    def passages_of(self) -> Mapping[str, tuple[StoredPassage, ...]]:
        """The passages of each document that has any, in reading order."""
        found: dict[str, list[StoredPassage]] = {}
        for passage in self.passages:
            found.setdefault(passage.doc_id, []).append(passage)
        return {doc_id: tuple(passages) for doc_id, passages in found.items()}
