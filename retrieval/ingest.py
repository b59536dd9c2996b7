"""From sources of documents to a new generation: built beside the live one, then made live in one step."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.encoder import Embedder
from handrail.retrieval.calibration import Calibration
from handrail.retrieval.chroma import ChromaIndex, Entry
from handrail.retrieval.chroma_place import ChromaPlace, EmbeddedChroma
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import (
    FORMAT,
    MANIFEST,
    BaseFolder,
    FileGenerationPointer,
    Generation,
    GenerationPointer,
    Manifest,
    Quarantine,
    sync_tree,
    write_durably,
)
from handrail.retrieval.lexical import Fields, LexicalIndex, TermWeights
from handrail.retrieval.passages import (
    CARDS,
    DOCUMENT_WORDS,
    EMBEDDINGS,
    PASSAGE_WORDS,
    PASSAGES,
    StoredPassage,
    embedded_text,
    read_passages,
    write_lines,
)
from handrail.retrieval.prepared import (
    Making,
    Prepared,
    PreparedSet,
    as_line,
    in_generation,
    prepare,
    reading,
    revision_of,
)
from handrail.retrieval.reading.mapping import MetadataMapping
from handrail.retrieval.reading.sources import Sources
from handrail.retrieval.report import IngestReport, Outcome, Progress, Step
from handrail.retrieval.scope import ScopeCatalogue
from handrail.retrieval.screen import Screen

ENCODED_AT_ONCE = 32
MOST_CORES = 8


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a generation will hold. Passages are those of documents that are not in quarantine."""

    cards: Sequence[DocumentCard]
    passages: Sequence[StoredPassage]
    quarantined: tuple[Quarantine, ...]
    read_by: str

    @classmethod
    def of(cls, documents: Sequence[Prepared], read_by: str) -> Self:
        """The content that these documents make."""
        return cls(
            [document.card for document in documents],
            [passage for document in documents for passage in document.passages],
            tuple(document.quarantine for document in documents if document.quarantine is not None),
            read_by,
        )


class Ingest:
    """Builds generations of one base. One ingest at a time, over all processes.

    `pointer` says which generation is live (None: the file in the base folder); `chroma` is where the collections are
    (None: in the base folder).
    """

    def __init__(  # noqa: PLR0913 - what tests and the command line put in the place of the usual
        self,
        base: Path,
        encoder: Embedder,
        screen: Screen,
        *,
        pointer: GenerationPointer | None = None,
        chroma: ChromaPlace | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        calibration: Calibration | None = None,
        progress: Progress = lambda step, done, total: None,
    ) -> None:
        self._base = BaseFolder(base)
        self._encoder = encoder
        self._screen = screen
        self._pointer: GenerationPointer = pointer or FileGenerationPointer(base)
        self._chroma: ChromaPlace = chroma or EmbeddedChroma()
        self._now = now
        self._calibration = calibration or Calibration()
        self._progress = progress

    def run(self, *paths: Path, mapping: MetadataMapping | None = None) -> IngestReport:
        """Make these sources (folders, exports) the content of the base; what is not in them any more is gone.

        `mapping` gives metadata to documents that have none of their own. Until the last step the live generation is
        not touched: a crash or `kill -9` leaves it serving. The same sources again change nothing.

        Raises:
            RetrievalError: no document can be used, another ingest is running, or Chroma failed.
        """
        with self._base.locked():
            # Before anything that takes long: a server that is not there is noticed now.
            self._chroma.sweep(self._base, self._base.finished())
            live = self._pointer.get()
            read_by = reading(self._screen, mapping)
            sources = Sources(paths, mapping)
            known = in_generation(self._base, live, read_by)
            found = prepare(sources, self._screen, known, lambda done, total: self._progress(Step.READ, done, total))
            found.insist()
            # Documents of one audience lie next to each other, so that a scope is a few stretches of rows.
            draft = _Draft.of(sorted(found.documents, key=_audience), read_by)
            revision = self._revision(draft)
            if live is not None and live.revision == revision and self._whole(live):
                return _report(Outcome.UNCHANGED, live, draft, found, embedded=0)
            generation = self._next(live, revision)
            vectors, embedded = self._embed(draft, live)
            self._write(generation, draft, vectors)
            self._progress(Step.SWITCH, 0, 1)
            # INVARIANT: only a complete generation that has reached the disk is ever pointed to.
            self._pointer.set(generation)
            self._base.sweep(generation)
            with suppress(RetrievalError):  # the base is live; what is left over goes with the next ingest
                self._chroma.sweep(self._base, self._base.finished())
            self._progress(Step.SWITCH, 1, 1)
            return _report(Outcome.BUILT, generation, draft, found, embedded)

    def _revision(self, draft: _Draft) -> str:
        making = Making(self._encoder.revision, self._calibration, draft.read_by)
        lines = (as_line(one) for items in (draft.cards, draft.passages) for one in items)
        return revision_of(making, draft.quarantined, lines)

    def _whole(self, live: Generation) -> bool:
        try:
            manifest = self._base.manifest(live)
        except RetrievalError:
            return False
        return manifest.generation == live and self._chroma.holds(self._base, manifest)

    def _next(self, live: Generation | None, revision: str) -> Generation:
        highest = max((*self._base.numbers(), live.number if live else 0, 0))
        return Generation(generation_id=f"{highest + 1:06d}-{revision[:8]}", revision=revision)

    def _embed(self, draft: _Draft, live: Generation | None) -> tuple[NDArray[np.float32], int]:
        known = self._known(live)
        titles = {card.doc_id: card.title for card in draft.cards}
        vectors = np.empty((len(draft.passages), self._encoder.dimensions), dtype=np.float32)
        missing = []
        for row, passage in enumerate(draft.passages):
            if passage.digest in known:
                vectors[row] = known[passage.digest]
            else:
                missing.append(row)
        parts = [missing[start : start + ENCODED_AT_ONCE] for start in range(0, len(missing), ENCODED_AT_ONCE)]

        def encoded(part: Sequence[int]) -> NDArray[np.float32]:
            stored = [draft.passages[row] for row in part]
            return self._encoder.encode([embedded_text(titles[one.doc_id], one.heading, one.text) for one in stored])

        done = 0
        # An encoder works on one core: a text leaves too little to share. Different texts have a core each.
        with ThreadPoolExecutor(_cores(), thread_name_prefix="handrail-embed") as threads:
            try:
                for part, found in zip(parts, threads.map(encoded, parts), strict=True):
                    vectors[part] = found
                    done += len(part)
                    self._progress(Step.EMBED, done, len(missing))
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return vectors, len(missing)

    def _known(self, live: Generation | None) -> dict[str, NDArray[np.float32]]:
        """Embeddings of the live generation by digest of the text; none if another encoder made them."""
        if live is None:
            return {}
        folder = self._base.folder(live)
        try:
            manifest = self._base.manifest(live)
            if manifest.encoder != self._encoder.revision:
                return {}
            passages = read_passages(folder / PASSAGES)
            vectors = np.load(folder / EMBEDDINGS, allow_pickle=False)
        except (RetrievalError, OSError, ValueError):
            return {}  # a damaged generation is replaced by computing everything again
        if vectors.shape != (len(passages), self._encoder.dimensions):
            return {}
        return {one.digest: vector for one, vector in zip(passages, vectors, strict=True) if one is not None}

    def _write(self, generation: Generation, draft: _Draft, vectors: NDArray[np.float32]) -> None:
        folder = self._base.folder(generation)
        folder.mkdir(parents=True)
        cards = draft.cards
        manifest = Manifest(
            format=FORMAT,
            generation=generation,
            created_at=self._now(),
            encoder=self._encoder.revision,
            dimensions=self._encoder.dimensions,
            documents=len(cards),
            passages=len(draft.passages),
            quarantined=draft.quarantined,
            calibration=self._calibration,
            screened_by=self._screen.revision,
            embedding=self._encoder.name,
            chroma=self._chroma.name,
            read_by=draft.read_by,
        )
        write_lines(folder / CARDS, cards)
        write_lines(folder / PASSAGES, draft.passages)
        np.save(folder / EMBEDDINGS, vectors)
        titles = {card.doc_id: card.title for card in cards}
        fields = [Fields(titles[one.doc_id], one.heading, one.text) for one in draft.passages]
        LexicalIndex.build([TermWeights.of(one) for one in fields]).save(folder / PASSAGE_WORDS)
        texts: dict[str, list[Fields]] = {}
        for passage, found in zip(draft.passages, fields, strict=True):
            texts.setdefault(passage.doc_id, []).append(found)
        LexicalIndex.build([TermWeights.of_document(card.title, texts.get(card.doc_id, ())) for card in cards]).save(
            folder / DOCUMENT_WORDS
        )
        ChromaIndex.build(
            self._chroma.making(self._base, generation),
            _entries(cards, draft.passages, manifest.created_on),
            vectors,
            lambda done: self._progress(Step.INDEX, done, len(draft.passages)),
        )
        sync_tree(folder)
        write_durably(folder / MANIFEST, manifest.model_dump_json(indent=2).encode())


def _cores() -> int:
    """The cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_CORES, usable)


def _entries(cards: Sequence[DocumentCard], passages: Sequence[StoredPassage], day: date) -> list[Entry]:
    catalogue = ScopeCatalogue.build(cards, [False] * len(cards), day)
    classes = {card.doc_id: catalogue.name(number) for number, card in enumerate(cards)}
    return [Entry(one.passage_id, one.doc_id, classes[one.doc_id]) for one in passages]


def _audience(document: Prepared) -> tuple[str, str]:
    return document.card.audience.model_dump_json(), document.card.path


def _report(outcome: Outcome, generation: Generation, draft: _Draft, found: PreparedSet, embedded: int) -> IngestReport:
    return IngestReport(
        outcome=outcome,
        generation=generation,
        documents=len(draft.cards),
        documents_unchanged=found.taken_over,
        passages=len(draft.passages),
        embedded=embedded,
        reused=len(draft.passages) - embedded,
        quarantined=draft.quarantined,
        bad_documents=found.bad_files,
        problems=tuple(sorted(found.problems)),
        notes=tuple(sorted(found.notes)),
    )
