"""What a scope costs: searches in bases of several sizes, beside Chroma without a filter and with one."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from handrail.evals.bench.drawn_base import DrawnBase, GivenVectors
from handrail.evals.bench.samples import Samples
from handrail.evals.bench.turn_on_base import TurnFigure, turn_on
from handrail.guardrails.detect.articles import ArticleScreen
from handrail.guardrails.detect.load import load_detection, shipped_detection
from handrail.guardrails.encoder import MiniLMEncoder
from handrail.guardrails.model_folder import TOKENIZER, default_cache_dir, find_model
from handrail.guardrails.scope import ScopePlan
from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.base import OpenBase, SearchScope
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.chroma_place import EmbeddedChroma
from handrail.retrieval.generation import BaseFolder, Generation
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.passages import embedded_text
from handrail.retrieval.scope import CLASS_FIELD
from handrail.retrieval.search import CANDIDATES, ChromaRetriever

if TYPE_CHECKING:
    from chromadb.api.types import Where

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""What the scopes leave of a base."""

ROUNDS = 5
QUESTIONS = 40
FILTERED = 8
"""Questions that are also asked with a filter, which takes long."""

LIMIT = 6
TOP = 5
UNFILTERED = 10
"""Neighbours that the plain queries ask for."""

PLANS = 2_000
SMALLEST = 400
"""Passages of the smallest base, about as many as the sample has."""

AIM_UNFILTERED = 1.5
AIM_FILTERED = 1 / 8
AIM_RECALL = 0.99
AIM_TURN_MS = 3.0
AIM_EMBEDDED = 80
AIM_INGESTED = 1_000

EMBEDDED = 800
"""Passages that are embedded with the local encoder."""

Report = Callable[[str], None]
Filter = Mapping[str, Mapping[str, list[str]]]


class ScopeFigure(Frozen):
    """One scope of a base: milliseconds at the median, each the median of the rounds; shares of the nearest found.

    `unfiltered` and `filtered` are Chroma's own; `cpu_ms` is that of the scoped search.
    """

    left: float
    stretches: int
    scoped_ms: float
    cpu_ms: float
    unfiltered_ms: float
    filtered_ms: float
    recall: float
    filtered_recall: float
    search_ms: float

    @property
    def beside_unfiltered(self) -> float:
        """How many times a search without a scope a search within one takes."""
        return self.scoped_ms / self.unfiltered_ms

    @property
    def beside_filtered(self) -> float:
        """The same beside a filter in Chroma."""
        return self.scoped_ms / self.filtered_ms


class SizeFigure(Frozen):
    """One base: passages, how fast it was built and found unchanged, what it takes to hold it open, its scopes."""

    passages: int
    documents: int
    ingested_per_second: float
    unchanged_s: float
    open_s: float
    held_mb: float
    disk_mb: float
    scopes: tuple[ScopeFigure, ...]

    @property
    def search_ms(self) -> float:
        """A whole search (dense, words, ranking) at the median over the scopes."""
        return median(one.search_ms for one in self.scopes)


class EmbeddedFigure(Frozen):
    """An ingest that embeds with the local encoder: passages, word pieces of one in the mean, passages a second."""

    passages: int
    tokens: float
    per_second: float


class RetrieveBench(Frozen):
    """What `handrail bench retrieve` prints; `turn` compares whole turns on the largest base and on the sample base."""

    rounds: int
    questions: int
    sizes: tuple[SizeFigure, ...]
    turn: TurnFigure
    embedded: EmbeddedFigure


def sizes_up_to(passages: int) -> tuple[int, ...]:
    """Four sizes that end with `passages`, each a few times the one before."""
    step = (passages / SMALLEST) ** (1 / 3)
    return tuple(dict.fromkeys(round(SMALLEST * step**power) for power in range(4))) if step > 1 else (passages,)


def bench_retrieve(passages: int, report: Report, rounds: int = ROUNDS, questions: int = QUESTIONS) -> RetrieveBench:
    """Draw bases of up to so many passages, one after the other, and measure searches in each."""
    found: list[SizeFigure] = []
    *smaller, largest = (DrawnBase(size, questions) for size in sizes_up_to(passages))
    for drawn in smaller:
        with TemporaryDirectory() as scratch:
            found.append(_size(drawn, Path(scratch), rounds, report))
    with TemporaryDirectory() as scratch:
        found.append(_size(largest, Path(scratch), rounds, report))
        report(f"{largest.passages:,} passages: whole turns, beside the sample base")
        turn = turn_on(Path(scratch) / "kb", largest.encoder(), questions, rounds=rounds, at=datetime.now(UTC))
    report(f"{EMBEDDED:,} passages: embedding with the local encoder")
    with TemporaryDirectory() as scratch:
        embedded = _embedded(DrawnBase(EMBEDDED, questions), Path(scratch))
    return RetrieveBench(rounds=rounds, questions=questions, sizes=tuple(found), turn=turn, embedded=embedded)


def _embedded(drawn: DrawnBase, folder: Path) -> EmbeddedFigure:
    from tokenizers import Tokenizer

    model = find_model(default_cache_dir())
    drawn.write(folder / "articles")
    ingest = Ingest(folder / "kb", MiniLMEncoder.load(model), ArticleScreen(load_detection(shipped_detection())))
    began = time.perf_counter()
    built = ingest.run(folder / "articles")
    took = time.perf_counter() - began
    contents, pieces = Contents.live(folder / "kb"), Tokenizer.from_file(str(model.path / TOKENIZER))
    texts = [embedded_text(contents.card_of[one.doc_id].title, one.heading, one.text) for one in contents.passages]
    return EmbeddedFigure(
        passages=built.passages,
        tokens=round(sum(len(one.ids) for one in pieces.encode_batch(texts)) / len(texts), 1),
        per_second=round(built.passages / took, 1),
    )


def _size(drawn: DrawnBase, folder: Path, rounds: int, report: Report) -> SizeFigure:
    report(f"{drawn.passages:,} passages: drawing and ingesting")
    encoder, screen = drawn.encoder(), ArticleScreen(load_detection(shipped_detection()))
    drawn.write(folder / "articles")
    ingest = Ingest(folder / "kb", encoder, screen)
    began = time.perf_counter()
    built = ingest.run(folder / "articles")
    took = time.perf_counter() - began
    began = time.perf_counter()
    ingest.run(folder / "articles")
    unchanged = time.perf_counter() - began
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        held = fresh.submit(_held_mb, drawn, folder / "kb").result()
    began = time.perf_counter()
    retriever = ChromaRetriever(folder / "kb", encoder)
    base = retriever.open()
    opened = time.perf_counter() - began
    plain = PlainChroma(BaseFolder(folder / "kb"), built.generation)
    plans = [(plan, base.compile(plan).rows.count / len(base.passages)) for plan in drawn.plans(PLANS)]
    scopes = []
    for share in SHARES:
        report(f"{drawn.passages:,} passages: a scope that leaves {share:.0%}")
        scope = _Scope(retriever, base, plain, _nearest(share, plans), encoder, drawn.asked())
        scopes.append(scope.measured(rounds))
    plain.close()
    retriever.close()
    return SizeFigure(
        passages=built.passages,
        documents=built.documents,
        ingested_per_second=round(built.passages / took, 1),
        unchanged_s=round(unchanged, 2),
        open_s=round(opened, 2),
        held_mb=round(held, 1),
        disk_mb=round(_disk_mb(BaseFolder(folder / "kb").folder(built.generation)), 1),
        scopes=tuple(scopes),
    )


class PlainChroma:
    """The collection of a generation as anybody would ask it."""

    def __init__(self, base: BaseFolder, generation: Generation) -> None:
        self._connection = EmbeddedChroma().reading(base, generation)
        self._collection = self._connection.get()

    def nearest(self, vector: NDArray[np.float32], where: Filter | None = None) -> Sequence[str]:
        """The ids of the nearest passages; without what Chroma keeps of them, which would take longer."""
        found = self._collection.query(
            query_embeddings=vector.reshape(1, -1), n_results=UNFILTERED, where=cast("Where | None", where), include=[]
        )
        return found["ids"][0]

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()


def _nearest(share: float, plans: Sequence[tuple[ScopePlan, float]]) -> ScopePlan:
    """That of `plans` which comes nearest to leaving `share` of the passages."""
    return min(plans, key=lambda one: abs(one[1] - share) / share)[0]


@dataclass(slots=True)
class _Scope:
    """One scope of an open base, and everything that is timed in it."""

    retriever: ChromaRetriever
    base: OpenBase
    plain: PlainChroma
    plan: ScopePlan
    encoder: GivenVectors
    asked: list[str]

    def measured(self, rounds: int) -> ScopeFigure:
        scope = self.base.compile(self.plan)
        vectors = [self.encoder.encode([text])[0] for text in self.asked]
        nearest, plain = self.base.nearness, self.plain
        where = self._filter()
        scoped, unfiltered, filtered, search = Samples(), Samples(), Samples(), Samples()
        self._search(self.asked)  # what is confirmed once is not asked for again
        for _ in range(rounds):
            scoped.timed([partial(nearest.nearest, one, scope.rows, CANDIDATES) for one in vectors])
            unfiltered.timed([partial(plain.nearest, one) for one in vectors])
            filtered.timed([partial(plain.nearest, one, where) for one in vectors[:FILTERED]])
            search.timed([partial(self._search, [text]) for text in self.asked])
        return ScopeFigure(
            left=round(scope.rows.count / len(self.base.passages), 4),
            stretches=len(scope.rows.stretches),
            scoped_ms=scoped.wall_ms(0.5),
            cpu_ms=scoped.cpu_ms(0.5),
            unfiltered_ms=unfiltered.wall_ms(0.5),
            filtered_ms=filtered.wall_ms(0.5),
            recall=self._recall(scope, vectors, lambda one: nearest.nearest(one, scope.rows, CANDIDATES)),
            filtered_recall=self._recall(
                scope,
                vectors[:FILTERED],
                lambda one: [nearest.row_of[found] for found in plain.nearest(one, where)],
            ),
            search_ms=search.wall_ms(0.5),
        )

    def _search(self, asked: Sequence[str]) -> None:
        for text in asked:
            self.retriever.find(text, self.plan, LIMIT)

    def _filter(self) -> Filter:
        catalogue = self.base.catalogue
        admitted = np.unique(catalogue.class_of[catalogue.compile(self.plan).eligible])
        return {CLASS_FIELD: {"$in": [catalogue.names[int(number)] for number in admitted]}}

    def _recall(
        self,
        scope: SearchScope,
        vectors: Sequence[NDArray[np.float32]],
        search: Callable[[NDArray[np.float32]], Sequence[int]],
    ) -> float:
        """The share of the `TOP` nearest eligible passages, by comparing with all, that is among the first found."""
        shares = []
        for vector in vectors:
            cosine = np.where(scope.rows.admitted, self.base.embeddings @ vector, -2.0)
            nearest = set(np.argsort(-cosine)[: min(TOP, scope.rows.count)].tolist())
            shares.append(len(nearest & set(list(search(vector))[: len(nearest)])) / max(1, len(nearest)))
        return round(float(np.mean(shares)), 4)


def _held_mb(drawn: DrawnBase, kb: Path) -> float:
    """What an open base adds to a fresh process, in MB, once all questions were asked; an old one has room to reuse."""
    import chromadb  # noqa: F401 - the library itself is not the base

    encoder, asked = drawn.encoder(), drawn.asked()
    (plan,) = drawn.plans(1)
    before = _resident_mb()
    retriever = ChromaRetriever(kb, encoder)
    for text in asked:
        retriever.find(text, plan, LIMIT)
    return _resident_mb() - before


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def _disk_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
