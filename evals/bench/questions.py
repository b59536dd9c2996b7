"""Does the right article come first? Questions by several authors about the sample base, and about two others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from handrail.evals.interval import Proportion, wilson
from handrail.guardrails.detect.articles import ArticleScreen
from handrail.guardrails.detect.load import load_detection, shipped_detection
from handrail.guardrails.encoder import Embedder
from handrail.guardrails.vocabulary import Frozen
from handrail.retrieval.calibration import Calibration
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.questions import Question, read_questions, scope_of
from handrail.retrieval.ranking import PER_DOCUMENT
from handrail.retrieval.search import ChromaRetriever

FOLDER = Path(str(files("handrail.evals") / "questions"))
SAMPLE = Path(str(files("handrail.kb") / "articles"))
DAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
"""The moment at which the questions were written: what is valid changes with the day."""

DOCUMENTS = 5
TOP = 3
NAMED = 3
"""Documents that are named when some were left out."""

AIM_FIRST, AIM_TOP, AIM_REFUSED = 0.85, 0.95, 0.90


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions that articles answer, and questions that none does, asked of one folder of articles."""

    name: str
    articles: Path
    answerable: Path
    unanswerable: Path


SETS = (
    QuestionSet(
        "sample base, half of it tuned on", SAMPLE, FOLDER / "kb_questions.jsonl", FOLDER / "kb_unanswerable.jsonl"
    ),
    QuestionSet("sample base, from titles alone", SAMPLE, FOLDER / "kb_blind.jsonl", FOLDER / "kb_near_misses.jsonl"),
    *(
        QuestionSet(
            f"another base: {name}",
            FOLDER / "bases" / name / "articles",
            FOLDER / "bases" / name / "questions.jsonl",
            FOLDER / "bases" / name / "unanswerable.jsonl",
        )
        for name in ("leisure", "ledger")
    ),
)


class SetFigure(Frozen):
    """Where the right article stands, how many are answered with something good enough, how many rightly refused.

    `strict` is the lowest threshold, in hundredths, that would refuse as many as is aimed at, and `strictly` how many
    would be answered then; None where there is no unanswerable question, or no threshold below 1 would do.
    """

    name: str
    threshold: float
    first: Proportion
    top: Proportion
    answered: Proportion
    refused: Proportion
    strict: float | None
    strictly: Proportion | None


def measure(
    sets: Sequence[QuestionSet], embedder: Embedder, calibration: Calibration, report: Callable[[str], None]
) -> tuple[SetFigure, ...]:
    """Ingest the articles of each set into a base of its own and ask its questions.

    Raises:
        ConfigError: a file of questions cannot be read.
        RetrievalError: none of the articles can be used, or the embedding failed.
    """
    found, screen = [], ArticleScreen(load_detection(shipped_detection()))
    for one in sets:
        report(one.name)
        answerable, unanswerable = read_questions(one.answerable), read_questions(one.unanswerable)
        with TemporaryDirectory() as folder:
            base = Path(folder) / "kb"
            ingested = Ingest(base, embedder, screen, calibration=calibration).run(one.articles)
            if ingested.bad_documents:
                named = ", ".join(ingested.bad_documents[:NAMED])
                report(f"  left out: {named} ({len(ingested.bad_documents)} in all); `handrail kb ingest` says why")
            retriever = ChromaRetriever(base, embedder)
            found.append(_measured(one.name, retriever, answerable, unanswerable, calibration.threshold))
            retriever.close()
    return tuple(found)


def _measured(
    name: str,
    retriever: ChromaRetriever,
    answerable: Sequence[Question],
    unanswerable: Sequence[Question],
    threshold: float,
) -> SetFigure:
    asked = [(question.right, _asked(retriever, question)) for question in answerable]
    refused = [_asked(retriever, question) for question in unanswerable]
    strict = _strict([found.best for found in refused])
    return SetFigure(
        name=name,
        threshold=threshold,
        first=wilson(sum(not right.isdisjoint(found.doc_ids[:1]) for right, found in asked), len(asked)),
        top=wilson(sum(not right.isdisjoint(found.doc_ids[:TOP]) for right, found in asked), len(asked)),
        answered=wilson(sum(found.best >= threshold for _, found in asked), len(asked)),
        refused=wilson(sum(found.best < threshold for found in refused), len(refused)),
        strict=strict,
        strictly=None if strict is None else wilson(sum(found.best >= strict for _, found in asked), len(asked)),
    )


def _strict(unanswerable: Sequence[float]) -> float | None:
    """The lowest threshold that refuses the share `AIM_REFUSED` of questions whose best scores these are."""
    wanted = AIM_REFUSED * len(unanswerable)
    thresholds = (number / 100 for number in range(1, 100))
    return next((one for one in thresholds if unanswerable and sum(s < one for s in unanswerable) >= wanted), None)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The documents found, best first, and the best score of a passage (0 without one)."""

    doc_ids: tuple[str, ...]
    best: float


def _asked(retriever: ChromaRetriever, question: Question) -> _Answer:
    found = retriever.find(question.query, scope_of(question.attributes, DAY), PER_DOCUMENT * DOCUMENTS)
    best = max((passage.score for passage in found.passages), default=0.0)
    return _Answer(tuple(dict.fromkeys(passage.doc_id for passage in found.passages)), best)


def table(found: Sequence[SetFigure]) -> str:
    """The figures as text, with 95 % intervals."""
    lines = []
    for one in found:
        lines += [
            one.name,
            f"  right article first     {one.first}  (aim {AIM_FIRST:.0%})",
            f"  among the first {TOP}       {one.top}  (aim {AIM_TOP:.0%})",
            f"  answered                {one.answered}",
            f"  unanswerable, refused   {one.refused}  (aim {AIM_REFUSED:.0%})",
        ]
        if one.strict is not None:
            lines.append(
                f"  At the threshold {one.threshold:.2f}; from {one.strict:.2f} on {AIM_REFUSED:.0%} would be refused, "
                f"and answered {one.strictly}"
            )
    return "\n".join(lines)
