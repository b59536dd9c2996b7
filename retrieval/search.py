"""The search: dense and lexical candidates inside a scope, checked one by one before anything leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

import numpy as np

from handrail.guardrails.encoder import Embedder
from handrail.guardrails.scope import ALL, Family, Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Passage
from handrail.retrieval.base import OpenBase, SearchScope
from handrail.retrieval.chroma_place import ChromaPlace, EmbeddedChroma
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import BaseFolder, FileGenerationPointer, Generation, GenerationPointer
from handrail.retrieval.ranking import Candidate, choose, preferences
from handrail.retrieval.scope import admits

CANDIDATES = 24
"""Passages that each of the two ways of searching proposes."""

MAX_QUERY = 4_000
"""Characters of a query that are looked at."""

SWITCH_PATIENCE = 0.2
"""Seconds for which a search waits for a new generation before it asks the one before it."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """A generation that is being opened."""

    generation: Generation
    base: Future[OpenBase]


class ChromaRetriever:
    """Searches the live generation of a base; a new generation is noticed at the next search, or soon after it.

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
        self._opening: _Opening | None = None
        self._lock = Lock()

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
            eligible_documents=compiled.documents,
            excluded=dict(compiled.excluded),
            revision=base.manifest.generation.generation_id,
        )

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of documents by id, as far as the live base has them."""
        wanted = set(doc_ids)
        return {card.doc_id: card.title for card in self.open().cards if card.doc_id in wanted}

    def open(self) -> OpenBase:
        """The live generation, opened if it is not open yet.

        While a large new one is being opened, the one before it goes on answering: both are whole.

        Raises:
            RetrievalError: see `search`.
        """
        live = self._live()
        current = self._open
        if current is not None and current.manifest.generation == live:
            return current
        opening = self._opened(live)
        try:
            return opening.result(None if current is None else SWITCH_PATIENCE)
        except TimeoutError:
            if current is None:
                raise
            return current

    def close(self) -> None:
        """Let go of the open generation; a later search opens it again."""
        with self._lock:
            self._open = self._opening = None

    def _opened(self, live: Generation) -> Future[OpenBase]:
        """`live` as it will be open; one thread opens it, however many searches wait."""
        with self._lock:
            if self._open is not None and self._open.manifest.generation == live:
                done: Future[OpenBase] = Future()  # it was opened since the search looked
                done.set_result(self._open)
                return done
            opening = self._opening
            if opening is None or opening.generation != live:
                opening = self._opening = _Opening(live, Future())
                Thread(target=self._carry_out, args=(opening,), name="handrail-reopen", daemon=True).start()
            return opening.base

    def _carry_out(self, opening: _Opening) -> None:
        try:
            base = self._load(opening.generation)
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            with self._lock:
                if self._opening is opening:
                    self._opening = None  # the next search tries again
            opening.base.set_exception(error)
            return
        with self._lock:
            if self._opening is opening:
                self._open, self._opening = base, None
        opening.base.set_result(base)

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
    base: OpenBase, compiled: SearchScope, encoder: Embedder, query: str, limit: int, scope: ScopePlan
) -> list[Candidate]:
    if not query.strip() or not compiled.rows.count:
        return []
    vector = base.comparable(encoder.encode([query])[0])
    asked = base.ask(query)
    wanted = max(CANDIDATES, 4 * limit)
    dense = base.nearness.nearest(vector, compiled.rows, wanted)
    lexical = asked.proposed(compiled.rows.admitted, wanted)
    rows = np.array(sorted({*dense, *lexical}), dtype=np.int64)
    if not len(rows):
        return []
    features = base.features(rows, vector, asked)
    scores = base.manifest.calibration.scores(features)
    numbers = base.document_of[rows]
    documents = numbers.tolist()
    own = np.array([_is_written_for(base.cards[number], scope) for number in documents])
    ranks = preferences(features, base.document_vectors[numbers] @ vector, own)
    # INVARIANT: whatever was proposed, a passage leaves only if its own document passes the plan.
    passed = {number for number in set(documents) if admits(scope, base.cards[number])}
    candidates = []
    for row, number, score, rank in zip(rows.tolist(), documents, scores.tolist(), ranks.tolist(), strict=True):
        if number not in passed or base.catalogue.quarantined[number]:
            continue
        card = base.cards[number]
        authority, text = card.audience.authority, base.passages[row].text
        candidates.append(Candidate(row, card.doc_id, score, authority, text, base.embeddings[row], rank))
    return _confirmed(base, candidates, limit)


def _confirmed(base: OpenBase, candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """The best candidates; those of whose scope Chroma has another record than we make room for others."""
    chosen = choose(candidates, limit)
    while wrong := base.unconfirmed([one.row for one in chosen]):
        candidates = [one for one in candidates if one.row not in wrong]
        chosen = choose(candidates, limit)
    return chosen


def _is_written_for(card: DocumentCard, scope: ScopePlan) -> bool:
    """Whether the document is for just the kind of stack that this customer has, not for everybody."""
    stack = card.audience.stack
    return ALL not in stack and not set(stack).isdisjoint(scope.families.get(Family.STACK.value, ()))


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
