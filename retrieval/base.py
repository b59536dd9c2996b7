"""One generation, opened for reading: cards, passages, embeddings, word indexes and the Chroma collection."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from handrail.guardrails.encoder import Embedder
from handrail.guardrails.scope import ScopePlan
from handrail.retrieval.calibration import Features
from handrail.retrieval.chroma import ChromaIndex, Record
from handrail.retrieval.chroma_place import ChromaPlace, same_kind
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import BaseFolder, Generation, Manifest
from handrail.retrieval.lexical import AskedWords, LexicalIndex
from handrail.retrieval.nearness import EligibleRows, Nearness
from handrail.retrieval.passages import DOCUMENT_WORDS, PASSAGE_WORDS, StoredPassage
from handrail.retrieval.scope import ScopeCatalogue
from handrail.retrieval.stored import Stored, damaged

COMPILED_PLANS = 256
"""Scope plans that stay compiled: customers of one kind share one."""


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a plan admits here: rows, how many documents they belong to, and how many are kept out, by first cause."""

    rows: EligibleRows
    documents: int
    excluded: Mapping[str, int]


class OpenBase:
    """Everything a search needs of one generation. Nothing in it changes after it was opened; safe to share."""

    def __init__(
        self,
        manifest: Manifest,
        cards: Sequence[DocumentCard],
        passages: Sequence[StoredPassage],
        embeddings: NDArray[np.float32],
        indexes: tuple[ChromaIndex, LexicalIndex, LexicalIndex],
    ) -> None:
        self.manifest = manifest
        self.cards = cards
        self.passages = passages
        self.embeddings = embeddings
        self._chroma, self._passage_words, self._document_words = indexes
        numbers = {card.doc_id: number for number, card in enumerate(cards)}
        self.document_of = np.array([numbers[passage.doc_id] for passage in passages], dtype=np.int32)
        self.document_vectors = _means(embeddings, self.document_of, len(cards))
        self.nearness = Nearness(
            embeddings, self._chroma, {passage.passage_id: row for row, passage in enumerate(passages)}
        )
        closed = {entry.doc_id for entry in manifest.quarantined}
        self.catalogue = ScopeCatalogue.build(
            cards,
            [card.doc_id in closed for card in cards],
            manifest.created_on,
        )
        self._compiled: OrderedDict[str, SearchScope] = OrderedDict()
        self._confirmed: dict[int, bool] = {}
        self._lock = Lock()
        # A search that began before the switch still holds this base; the files are let go of after the last one.
        weakref.finalize(self, self._chroma.close)

    @classmethod
    def load(cls, base: BaseFolder, generation: Generation, encoder: Embedder, chroma: ChromaPlace) -> Self:
        """Open `generation`.

        Raises:
            RetrievalError: it is damaged, of another format, was embedded by another encoder, or is not in `chroma`.
        """
        manifest = base.manifest(generation)
        if manifest.encoder != encoder.revision:
            raise RetrievalError(
                f"The knowledge base in {base.path} was embedded by {manifest.embedded_by}, and this process uses "
                f"{encoder.name} ({encoder.revision[:12]}); their vectors cannot be compared. Set "
                "HANDRAIL_EMBEDDING_MODEL and its companions as they were, or run `handrail kb ingest` again."
            )
        same_kind(chroma, manifest, base.path)
        folder = base.folder(generation)
        stored = Stored.read(folder, manifest)
        try:
            words = LexicalIndex.load(folder / PASSAGE_WORDS), LexicalIndex.load(folder / DOCUMENT_WORDS)
        except (OSError, ValueError, KeyError) as error:
            raise damaged(folder, str(error)) from error
        if words[0].passages != stored.lines or words[1].passages != stored.card_lines:
            raise damaged(folder, "word indexes, passages and documents differ in number")
        index = ChromaIndex.open(chroma.reading(base, generation))
        return cls(
            manifest,
            stored.cards,
            stored.passages,
            stored.embeddings,
            (index, words[0].restricted_to(stored.rows), words[1].restricted_to(stored.numbers)),
        )

    def comparable(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """`vector`, if it is as long as those of the base.

        Raises:
            RetrievalError: it is not: the model behind a name has changed.
        """
        if len(vector) != self.manifest.dimensions:
            raise RetrievalError(
                f"The knowledge base was embedded by {self.manifest.embedded_by} as vectors of "
                f"{self.manifest.dimensions} numbers, and that of a query has {len(vector)}: the model has changed. "
                "Run `handrail kb ingest` again."
            )
        return vector

    def compile(self, plan: ScopePlan) -> SearchScope:
        """What `plan` means here, remembered for the next customer with the same grants on the same day."""
        key = f"{plan.day} {sorted((family, tuple(sorted(set(found)))) for family, found in plan.families.items())}"
        with self._lock:
            known = self._compiled.get(key)
            if known is not None:
                self._compiled.move_to_end(key)
                return known
        compiled = self.catalogue.compile(plan)
        rows = EligibleRows.of(compiled.eligible[self.document_of])
        fresh = SearchScope(rows, int(compiled.eligible.sum()), compiled.excluded)
        with self._lock:
            self._compiled[key] = fresh
            while len(self._compiled) > COMPILED_PLANS:
                self._compiled.popitem(last=False)
        return fresh

    def unconfirmed(self, rows: Sequence[int]) -> frozenset[int]:
        """Those of `rows` whose record in Chroma is missing, malformed, or says otherwise than ours.

        What was confirmed stays so, because a generation is never changed.
        """
        asked = [row for row in rows if row not in self._confirmed]
        if asked:
            records = self._chroma.records([self.passages[row].passage_id for row in asked])
            for row in asked:
                passage, record = self.passages[row], records.get(self.passages[row].passage_id)
                scope_class = self.catalogue.name(int(self.document_of[row]))
                self._confirmed[row] = record == Record(passage.doc_id, scope_class)
        return frozenset(row for row in rows if not self._confirmed[row])

    def ask(self, query: str) -> AskedOfBase:
        """The words of `query` in passages and documents."""
        return AskedOfBase(self._passage_words.ask(query), self._document_words.ask(query), self.document_of)

    def features(self, rows: NDArray[np.int64], vector: NDArray[np.float32], asked: AskedOfBase) -> Features:
        """The features of these passages (at least one); cosine is computed exactly, from the stored embeddings."""
        cosine, documents = self.embeddings[rows] @ vector, self.document_of[rows]
        in_passage, in_document = asked.in_passages.scores(rows), asked.in_documents.scores(documents)
        by_words = in_passage + in_document
        nearest, wordiest = documents[int(cosine.argmax())], documents[int(by_words.argmax())]
        agreed = (documents == nearest) & (nearest == wordiest) & bool(by_words.any())
        return Features(cosine, in_passage, in_document, agreed.astype(np.float32))


@dataclass(frozen=True, slots=True)
class AskedOfBase:
    """The words of a query, as passages have them and as whole documents have them."""

    in_passages: AskedWords
    in_documents: AskedWords
    document_of: NDArray[np.int32]

    def proposed(self, admitted: NDArray[np.bool_], count: int) -> list[int]:
        """Rows of the `count` admitted passages that have most of the query in themselves and in their document."""
        in_passage = self.in_passages.proposed()
        rows = np.flatnonzero((in_passage > 0.0) & admitted)
        scores = in_passage[rows] + self.in_documents.proposed()[self.document_of[rows]]
        if len(rows) > count:
            rows = rows[np.argpartition(-scores, count - 1)[:count]]
        found: list[int] = rows.tolist()
        return found


def _means(embeddings: NDArray[np.float32], document_of: NDArray[np.int32], documents: int) -> NDArray[np.float32]:
    """The mean direction of every document's passages, length one; shape (documents, dimensions)."""
    sums = np.zeros((documents, embeddings.shape[1]), dtype=np.float32)
    np.add.at(sums, document_of, embeddings)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means: NDArray[np.float32] = np.divide(sums, lengths, out=sums, where=lengths > 0)
    return means
