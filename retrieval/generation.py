"""Generations of a knowledge base, where they lie on disk, and the pointer to the live one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import AwareDatetime, Field, ValidationError

from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.calibration import Calibration
from handrail.retrieval.errors import RetrievalError

FORMAT = 2
"""Raised whenever files of a base, or the words and passages in them, come out differently; older bases are refused."""

KEPT = 2
"""Generations that stay: the live one, and the one before it for readers that have not noticed yet."""

POINTER = "live.json"
MANIFEST = "manifest.json"
LOCK = "ingest.lock"
GENERATIONS = "generations"

EMBEDDED = "embedded"
"""The name of the Chroma that lies in the folder of its generation."""

REPAIR = "Run `handrail kb ingest`."


class Generation(Frozen):
    """Names one complete state of the base. `revision` changes exactly when search results can change."""

    generation_id: Annotated[str, Field(pattern=r"^[0-9]{6,}-[0-9a-f]{8}$")]
    revision: str

    @property
    def number(self) -> int:
        """Counts up with every generation."""
        return int(self.generation_id.partition("-")[0])

    @property
    def collection(self) -> str:
        """The name of its Chroma collection."""
        return f"kb-{self.generation_id}"


class Quarantine(Frozen):
    """A document that is never searched, because its text addresses the model: where, and by which signals."""

    doc_id: str
    path: str
    line: int
    signals: tuple[str, ...]


class Manifest(Frozen):
    """What a generation holds and how it was made; written last, so a folder without it is unfinished."""

    format: int
    generation: Generation
    created_at: AwareDatetime
    encoder: str
    dimensions: int
    documents: int
    passages: int
    quarantined: tuple[Quarantine, ...]
    calibration: Calibration
    screened_by: str = ""
    """The revision of the screen that the documents passed; empty for a base that was made before this was kept."""
    read_by: str = ""
    """Names the way in which the documents were read, screened and cut; see `reading` in `prepared.py`."""

    embedding: str = ""
    """What people call the embedder; empty for a base that was made before this was kept."""

    chroma: str = EMBEDDED
    """Where the collection is: `EMBEDDED`, or the name of a server."""

    @property
    def embedded_by(self) -> str:
        """The embedder by name, and by the beginning of its revision, as one name can stand for several."""
        return f"{self.embedding or 'an encoder'} ({self.encoder[:12]})"

    @property
    def created_on(self) -> date:
        """The day of the ingest in UTC."""
        return self.created_at.astimezone(UTC).date()


class GenerationPointer(Protocol):
    """Which generation is live. Readers ask before every search, so `get` is cheap."""

    def get(self) -> Generation | None:
        """The live generation; None when nothing was ever ingested."""
        ...

    def set(self, generation: Generation) -> None:
        """Make `generation` the live one, at once for every reader, and durably."""
        ...


class FileGenerationPointer:
    """The pointer as a small file in the base folder, replaced as a whole."""

    def __init__(self, base: Path) -> None:
        self._path = base / POINTER
        self._read: tuple[tuple[int, int, int], Generation] | None = None

    def get(self) -> Generation | None:
        """The live generation; one `stat` as long as nothing changed."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RetrievalError(f"Cannot look at {self._path} ({error}).") from error
        key = (status.st_mtime_ns, status.st_ino, status.st_size)
        read = self._read
        if read is None or read[0] != key:
            read = (key, self._parse())
            self._read = read
        return read[1]

    def set(self, generation: Generation) -> None:
        """Replace the file atomically; after a crash it is the old one or the new one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._path, generation.model_dump_json().encode())

    def _parse(self) -> Generation:
        try:
            return Generation.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError) as error:
            raise RetrievalError(f"{self._path} cannot be read ({type(error).__name__}). {REPAIR}") from error


@dataclass(frozen=True, slots=True)
class BaseFolder:
    """The layout of a base on disk."""

    path: Path

    def folder(self, generation: Generation) -> Path:
        """Where the files of `generation` lie."""
        return self.path / GENERATIONS / generation.generation_id

    def manifest(self, generation: Generation) -> Manifest:
        """The manifest of `generation`.

        Raises:
            RetrievalError: it is missing, damaged, or of another format.
        """
        path = self.folder(generation) / MANIFEST
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise RetrievalError(f"The knowledge base in {self.path} is damaged: no valid {path}. {REPAIR}") from error
        if manifest.format != FORMAT:
            raise RetrievalError(f"The knowledge base in {self.path} was made by another version. {REPAIR}")
        return manifest

    def numbers(self) -> tuple[int, ...]:
        """The numbers of all generations on disk, complete or not."""
        return tuple(sorted(_number(path) for path in self._folders()))

    def finished(self) -> frozenset[str]:
        """The ids of all complete generations on disk."""
        return frozenset(path.name for path in self._folders() if (path / MANIFEST).is_file())

    def sweep(self, live: Generation | None) -> int:
        """Remove unfinished generations and old ones, but for the last `KEPT`; return how many went.

        Only the holder of the ingest lock may call this.
        """
        finished = [path for path in self._folders() if (path / MANIFEST).is_file()]
        kept = sorted(finished, key=_number)[-KEPT:]
        gone = 0
        for path in self._folders():
            # INVARIANT: the live generation stays, whatever its number.
            if path in kept or (live is not None and path == self.folder(live)):
                continue
            shutil.rmtree(path, ignore_errors=True)
            gone += 1
        return gone

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the ingest lock; the system drops it when the process dies.

        Raises:
            RetrievalError: another ingest is running.
        """
        import fcntl

        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / LOCK).open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RetrievalError(f"Another ingest into {self.path} is running. Wait until it ends.") from error
            yield

    def _folders(self) -> list[Path]:
        parent = self.path / GENERATIONS
        return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` so that a crash leaves the old or the new content, and never a part."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    _sync(path.parent)


def sync_tree(folder: Path) -> None:
    """Bring everything below `folder` to the disk, so that no power loss can hollow out what is pointed to."""
    for path in [folder, *folder.rglob("*")]:
        _sync(path)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _number(path: Path) -> int:
    head = path.name.partition("-")[0]
    return int(head) if head.isdigit() else -1
