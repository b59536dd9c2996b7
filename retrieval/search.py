"""The search: dense and lexical candidates inside a scope, checked one by one before anything leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from threading import Lock

import numpy as np

from handrail.guardrails.encoder import Embedder
from handrail.guardrails.scope import ALL, Family, Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Passage
from handrail.retrieval.base import OpenBase
from handrail.retrieval.chroma_place import ChromaPlace, EmbeddedChroma
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import BaseFolder, FileGenerationPointer, Generation, GenerationPointer
from handrail.retrieval.ranking import Candidate, choose, preference
from handrail.retrieval.scope import CompiledScope, admits

CANDIDATES = 32
"""Passages that each of the two ways of searching proposes."""

MAX_QUERY = 4_000
"""Characters of a query that are looked at."""


class ChromaRetriever:
    """Searches the live generation of a base; a new generation is noticed at the next search.

    `executor` runs the searches (None: the default one of the event loop); `pointer` says which generation is live
    (None: the file in the base folder); `chroma` says where the collections are.
    """

    def __init__(
        self,
        base: Path,
        encoder: Embedder,
        *,
        pointer: GenerationPointer | None = None,
        executor: Executor | None = None,
        chroma: ChromaPlace | None = None,
    ) -> None:
        self._base = BaseFolder(base)
        self._encoder = encoder
        self._pointer: GenerationPointer = pointer or FileGenerationPointer(base)
        self._executor = executor
        self._chroma: ChromaPlace = chroma or EmbeddedChroma()
        self._open: OpenBase | None = None
        self._opening = Lock()

    async def search(self, query: str, scope: ScopePlan, limit: int) -> Retrieved:
        """At most `limit` eligible passages for `query`, best first.

        Raises:
            RetrievalError: no base was ingested, or it is damaged, or another encoder made it.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.find, query, scope, limit)

    def find(self, query: str, scope: ScopePlan, limit: int) -> Retrieved:
        """The same without an event loop: a few milliseconds of computing, for the command line and for measuring."""
        if limit < 1:
            raise ValueError("limit must be at least 1")
        base = self.open()
        compiled = base.compile(scope)
        chosen = _search(base, compiled, self._encoder, query[:MAX_QUERY], limit, scope)
        threshold = base.manifest.calibration.threshold
        chosen.sort(key=lambda one: one.score < threshold)
        return Retrieved(
            passages=tuple(_passage(base, one) for one in chosen),
            good=sum(one.score >= threshold for one in chosen),
            eligible_documents=int(compiled.eligible.sum()),
            excluded=dict(compiled.excluded),
            revision=base.manifest.generation.generation_id,
        )

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of documents by id, as far as the live base has them."""
        wanted = set(doc_ids)
        return {card.doc_id: card.title for card in self.open().cards if card.doc_id in wanted}

    def open(self) -> OpenBase:
        """The live generation, opened if it is not open yet.

        Raises:
            RetrievalError: see `search`.
        """
        live = self._live()
        current = self._open
        if current is not None and current.manifest.generation == live:
            return current
        with self._opening:
            current = self._open
            if current is None or current.manifest.generation != live:
                current = self._load(live)
                self._open = current
            return current

    def close(self) -> None:
        """Let go of the open generation; a later search opens it again."""
        with self._opening:
            self._open = None

    def _load(self, live: Generation) -> OpenBase:
        try:
            return OpenBase.load(self._base, live, self._encoder, self._chroma)
        except RetrievalError:
            # Between pointer and files there may have been two ingests, and the generation is gone for good reason.
            newer = self._live()
            if newer == live:
                raise
            return OpenBase.load(self._base, newer, self._encoder, self._chroma)

    def _live(self) -> Generation:
        live = self._pointer.get()
        if live is None:
            raise RetrievalError(f"There is no knowledge base in {self._base.path}. Run `handrail kb ingest`.")
        return live


def _search(
    base: OpenBase, compiled: CompiledScope, encoder: Embedder, query: str, limit: int, scope: ScopePlan
) -> list[Candidate]:
    if not query.strip() or not compiled.eligible.any():
        return []
    vector = base.comparable(encoder.encode([query])[0])
    words = base.words(query)
    eligible = compiled.eligible[base.document_of]
    wanted = max(CANDIDATES, 4 * limit)
    dense = [row for row in base.nearest(vector, compiled, wanted) if eligible[row]]
    if len(dense) < min(wanted, int(eligible.sum())):
        # Chroma's graph may lose passages behind a narrow filter; what is eligible is then few enough to scan.
        dense = _best(base.embeddings @ vector, eligible, wanted)
    lexical = _best(words[0] + words[1], eligible & (words[0] + words[1] > 0), wanted)
    rows = np.array(sorted({*dense, *lexical}), dtype=np.int64)
    if not len(rows):
        return []
    scores = base.manifest.calibration.scores(base.features(rows, vector, words))
    documents = base.document_of[rows].tolist()
    # INVARIANT: whatever the filters let through, a passage leaves only if its own document passes the plan.
    passed = {number for number in set(documents) if admits(scope, base.cards[number])}
    candidates = []
    for row, number, score in zip(rows.tolist(), documents, scores.tolist(), strict=True):
        if number not in passed or base.catalogue.quarantined[number]:
            continue
        card = base.cards[number]
        passage = base.passages[row]
        rank = preference(
            score,
            about=float(base.document_vectors[number] @ vector),
            written_for=_is_written_for(card, scope),
        )
        candidates.append(
            Candidate(row, card.doc_id, score, card.audience.authority, passage.text, base.embeddings[row], rank)
        )
    return choose(candidates, limit)


def _is_written_for(card: DocumentCard, scope: ScopePlan) -> bool:
    """Whether the document is for just the kind of stack that this customer has, not for everybody."""
    stack = card.audience.stack
    return ALL not in stack and not set(stack).isdisjoint(scope.families.get(Family.STACK.value, ()))


def _best(scores: np.ndarray[tuple[int], np.dtype[np.float32]], allowed: np.ndarray, count: int) -> list[int]:
    rows = np.flatnonzero(allowed)
    if len(rows) > count:
        rows = rows[np.argpartition(-scores[rows], count - 1)[:count]]
    return [int(row) for row in rows]


def _passage(base: OpenBase, chosen: Candidate) -> Passage:
    stored, card = base.passages[chosen.row], base.cards[base.document_of[chosen.row]]
    return Passage(
        passage_id=stored.passage_id,
        doc_id=card.doc_id,
        title=card.title,
        heading=stored.heading,
        text=stored.text,
        score=chosen.score,
        authority=card.audience.authority.value,
        product_area=card.product_area,
        screened_by=base.manifest.screened_by,
    )
