"""Where the Chroma collections of a base are: the port, and the embedded place, a folder in each generation."""

from __future__ import annotations

import threading
from collections.abc import Collection as Of
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import EMBEDDED, REPAIR, BaseFolder, Generation, Manifest
from handrail.retrieval.passages import CHROMA

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

EF_SEARCH = 128
"""How many neighbours the graph search keeps in view; more is slower and misses less."""

EF_CONSTRUCTION = 100
"""The same while the graph is built; twice as many took half as long again and found no more (20,000 vectors)."""

BATCH = 2_000

# Chroma counts the users of a folder without a lock of its own around "find or open".
_OPENING = threading.Lock()


class Connection(Protocol):
    """A way to the one collection of a generation. Errors of Chroma itself become ours by `fault`."""

    def create(self) -> Collection:
        """Make the collection, empty."""
        ...

    def get(self) -> Collection:
        """The collection as it is."""
        ...

    def batch(self, dimensions: int) -> int:
        """How many vectors may be added at once."""
        ...

    def fault(self, error: Exception) -> RetrievalError:
        """What operators are told about an error of the client library."""
        ...

    def close(self) -> None:
        """Let go of files and sockets."""
        ...


class ChromaPlace(Protocol):
    """Where the collections of a base are."""

    @property
    def name(self) -> str:
        """What people call it; `EMBEDDED`, or a server."""
        ...

    def making(self, base: BaseFolder, generation: Generation) -> Connection:
        """A connection to write a new generation with.

        Raises:
            RetrievalError: Chroma cannot be reached or opened.
        """
        ...

    def reading(self, base: BaseFolder, generation: Generation) -> Connection:
        """A connection to read a generation with.

        Raises:
            RetrievalError: Chroma cannot be reached or opened, or this base was never there.
        """
        ...

    def holds(self, base: BaseFolder, manifest: Manifest) -> bool:
        """Whether the generation of `manifest` is here as it was made.

        Raises:
            RetrievalError: Chroma cannot be asked.
        """
        ...

    def sweep(self, base: BaseFolder, kept: Of[str]) -> None:
        """Remove what is left of generations of this base, but for the ids in `kept`.

        Only the holder of the ingest lock may call this.

        Raises:
            RetrievalError: Chroma cannot be asked.
        """
        ...


def configuration() -> CreateCollectionConfiguration:
    """How every collection is made."""
    return {"hnsw": {"space": "cosine", "ef_search": EF_SEARCH, "ef_construction": EF_CONSTRUCTION}}


def same_kind(place: ChromaPlace, manifest: Manifest, base: Path) -> None:
    """Nothing, if a base that was made in `manifest.chroma` may be looked for in `place`.

    A server may have several addresses, so two servers are taken for one; whether the collection is there, is seen.

    Raises:
        RetrievalError: one is embedded and the other is a server.
    """
    if (manifest.chroma == EMBEDDED) == (place.name == EMBEDDED):
        return
    raise RetrievalError(
        f"The vectors of the knowledge base in {base} are in Chroma, {manifest.chroma}, and this process is set to "
        f"Chroma, {place.name}. Set HANDRAIL_CHROMA_URL as it was at the ingest, or run `handrail kb ingest` again."
    )


class EmbeddedChroma:
    """Chroma in this process, with its files in the folder of each generation, which go with the folder."""

    name = EMBEDDED

    def making(self, base: BaseFolder, generation: Generation) -> Connection:
        """A connection to a new folder."""
        return _in_folder(base.folder(generation) / CHROMA, generation)

    def reading(self, base: BaseFolder, generation: Generation) -> Connection:
        """A connection to the folder, which must be there."""
        folder = base.folder(generation) / CHROMA
        if not folder.is_dir():  # Chroma would create it
            raise RetrievalError(f"The knowledge base is damaged: no {folder}. {REPAIR}")
        return _in_folder(folder, generation)

    def holds(self, base: BaseFolder, manifest: Manifest) -> bool:
        """Whether the folder is there."""
        return manifest.chroma == EMBEDDED and (base.folder(manifest.generation) / CHROMA).is_dir()

    def sweep(self, base: BaseFolder, kept: Of[str]) -> None:
        """Nothing: the files have gone with their folders."""


@dataclass(frozen=True, slots=True)
class _InFolder:
    """One open folder."""

    folder: Path
    generation: Generation
    client: ClientAPI

    def create(self) -> Collection:
        """Make the collection."""
        return self.client.create_collection(
            self.generation.collection, embedding_function=None, configuration=configuration()
        )

    def get(self) -> Collection:
        """The collection as it is."""
        return self.client.get_collection(self.generation.collection, embedding_function=None)

    def batch(self, dimensions: int) -> int:
        """The same for vectors of every length: nothing is sent anywhere."""
        return BATCH

    def fault(self, error: Exception) -> RetrievalError:
        """The folder, and what Chroma said."""
        return RetrievalError(f"Chroma failed in {self.folder} ({error}). {REPAIR}")

    def close(self) -> None:
        """Let go of the files."""
        with _OPENING:
            self.client.close()  # type: ignore[attr-defined] # of the client class, not yet of its interface


def _in_folder(folder: Path, generation: Generation) -> _InFolder:
    import chromadb
    from chromadb.config import Settings

    with _OPENING:
        try:
            client = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))
        except Exception as error:  # Chroma's errors share no base
            raise RetrievalError(f"Chroma cannot open {folder} ({error}). {REPAIR}") from error
    return _InFolder(folder, generation, client)
