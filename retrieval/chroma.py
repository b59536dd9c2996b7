"""One Chroma collection per generation: written once by an ingest, then only read, and never with a filter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.scope import CLASS_FIELD

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

DOC_FIELD = "doc_id"
EF_SEARCH = 128
"""How many neighbours the graph search keeps in view; more is slower and misses less."""

EF_CONSTRUCTION = 100
"""The same while the graph is built; twice as many took half as long again and found no more (20,000 vectors)."""

BATCH = 2_000

# Chroma counts the users of a folder without a lock of its own around "find or open".
_OPENING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage as it goes into the collection."""

    passage_id: str
    doc_id: str
    scope_class: str


@dataclass(frozen=True, slots=True)
class Record:
    """What Chroma keeps of a passage. What is missing or of another type is None, and then it is not usable."""

    doc_id: str | None
    scope_class: str | None


class ChromaIndex:
    """The nearest passages by cosine similarity, and what is kept of each."""

    def __init__(self, client: ClientAPI, collection: Collection) -> None:
        self._client = client
        self._collection = collection

    @classmethod
    def build(
        cls,
        folder: Path,
        name: str,
        entries: Sequence[Entry],
        vectors: NDArray[np.float32],
        progress: Callable[[int], None],
    ) -> None:
        """Create the collection in a new folder; `progress` is told how many passages are in.

        Raises:
            RetrievalError: Chroma failed.
        """
        client = _connect(folder)
        try:
            collection = client.create_collection(
                name,
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH, "ef_construction": EF_CONSTRUCTION}},
            )
            for start in range(0, len(entries), BATCH):
                part = entries[start : start + BATCH]
                collection.add(
                    ids=[entry.passage_id for entry in part],
                    embeddings=vectors[start : start + BATCH],
                    metadatas=[{DOC_FIELD: entry.doc_id, CLASS_FIELD: entry.scope_class} for entry in part],
                )
                progress(start + len(part))
        except Exception as error:  # Chroma's errors share no base
            raise RetrievalError(f"Chroma could not write {folder} ({error}).") from error
        finally:
            _disconnect(client)

    @classmethod
    def open(cls, folder: Path, name: str) -> Self:
        """Open a collection for reading.

        Raises:
            RetrievalError: it is not there, or cannot be read.
        """
        if not folder.is_dir():  # Chroma would create it
            raise RetrievalError(f"The knowledge base is damaged: no {folder}. Run `handrail kb ingest`.")
        client = _connect(folder)
        try:
            return cls(client, client.get_collection(name, embedding_function=None))
        except Exception as error:  # Chroma's errors share no base
            _disconnect(client)
            raise RetrievalError(f"Chroma cannot read {folder} ({error}). Run `handrail kb ingest`.") from error

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[str]:
        """The ids of at most `count` passages, nearest first. Their records are not asked for: they cost the most.

        Raises:
            RetrievalError: Chroma failed.
        """
        try:
            return self._collection.query(query_embeddings=vector.reshape(1, -1), n_results=count, include=[])["ids"][0]
        except Exception as error:  # Chroma's errors share no base
            raise RetrievalError(f"The search in Chroma failed ({error}).") from error

    def records(self, passage_ids: Sequence[str]) -> Mapping[str, Record]:
        """What is kept of these passages (at least one), as far as they are there.

        Raises:
            RetrievalError: Chroma failed.
        """
        try:
            answer = self._collection.get(ids=list(passage_ids), include=["metadatas"])
        except Exception as error:  # Chroma's errors share no base
            raise RetrievalError(f"Reading from Chroma failed ({error}).") from error
        return {
            passage_id: Record(_text(metadata, DOC_FIELD), _text(metadata, CLASS_FIELD))
            for passage_id, metadata in zip(answer["ids"], answer["metadatas"] or (), strict=False)
        }

    def close(self) -> None:
        """Let go of the files."""
        _disconnect(self._client)


def _connect(folder: Path) -> ClientAPI:
    import chromadb
    from chromadb.config import Settings

    with _OPENING:
        try:
            return chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))
        except Exception as error:  # Chroma's errors share no base
            raise RetrievalError(f"Chroma cannot open {folder} ({error}). Run `handrail kb ingest`.") from error


def _disconnect(client: ClientAPI) -> None:
    with _OPENING:
        client.close()  # type: ignore[attr-defined] # of the client class, not yet of its interface


def _text(metadata: object, field: str) -> str | None:
    found = metadata.get(field) if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None
