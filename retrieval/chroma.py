"""One Chroma collection per generation: written once by an ingest, then only read, and never with a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from handrail.retrieval.chroma_place import Connection
from handrail.retrieval.scope import CLASS_FIELD

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

DOC_FIELD = "doc_id"


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

    def __init__(self, connection: Connection, collection: Collection) -> None:
        self._connection = connection
        self._collection = collection

    @classmethod
    def build(
        cls,
        connection: Connection,
        entries: Sequence[Entry],
        vectors: NDArray[np.float32],
        progress: Callable[[int], None],
    ) -> None:
        """Create the collection and close the connection; `progress` is told how many passages are in.

        Raises:
            RetrievalError: Chroma failed.
        """
        try:
            collection = connection.create()
            batch = connection.batch(vectors.shape[1])
            for start in range(0, len(entries), batch):
                part = entries[start : start + batch]
                collection.add(
                    ids=[entry.passage_id for entry in part],
                    embeddings=vectors[start : start + batch],
                    metadatas=[{DOC_FIELD: entry.doc_id, CLASS_FIELD: entry.scope_class} for entry in part],
                )
                progress(start + len(part))
        except Exception as error:  # Chroma's errors share no base
            raise connection.fault(error) from error
        finally:
            connection.close()

    @classmethod
    def open(cls, connection: Connection) -> Self:
        """Open a collection for reading.

        Raises:
            RetrievalError: it is not there, or cannot be read.
        """
        try:
            return cls(connection, connection.get())
        except Exception as error:  # Chroma's errors share no base
            connection.close()
            raise connection.fault(error) from error

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[str]:
        """The ids of at most `count` passages, nearest first. Their records are not asked for: they cost the most.

        Raises:
            RetrievalError: Chroma failed.
        """
        try:
            return self._collection.query(query_embeddings=vector.reshape(1, -1), n_results=count, include=[])["ids"][0]
        except Exception as error:  # Chroma's errors share no base
            raise self._connection.fault(error) from error

    def records(self, passage_ids: Sequence[str]) -> Mapping[str, Record]:
        """What is kept of these passages (at least one), as far as they are there.

        Raises:
            RetrievalError: Chroma failed.
        """
        try:
            answer = self._collection.get(ids=list(passage_ids), include=["metadatas"])
        except Exception as error:  # Chroma's errors share no base
            raise self._connection.fault(error) from error
        return {
            passage_id: Record(_text(metadata, DOC_FIELD), _text(metadata, CLASS_FIELD))
            for passage_id, metadata in zip(answer["ids"], answer["metadatas"] or (), strict=False)
        }

    def close(self) -> None:
        """Let go of files and sockets."""
        self._connection.close()


def _text(metadata: object, field: str) -> str | None:
    found = metadata.get(field) if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None
