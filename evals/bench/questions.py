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
    """Where the right article stands, how many are answered with something good enough, how many rightly refused."""

    name: str
    first: Proportion
    top: Proportion
    answered: Proportion
    refused: Proportion


def measure(sets: Sequence[QuestionSet], embedder: Embedder, report: Callable[[str], None]) -> tuple[SetFigure, ...]:
    """Ingest the articles of each set into a base of its own and ask its questions."""
    found = []
    for one in sets:
        report(one.name)
        with TemporaryDirectory() as folder:
            base = Path(folder) / "kb"
            Ingest(base, embedder, ArticleScreen(load_detection(shipped_detection()))).run(one.articles)
            retriever = ChromaRetriever(base, embedder)
            found.append(_measured(one, retriever))
            retriever.close()
    return tuple(found)


def _measured(one: QuestionSet, retriever: ChromaRetriever) -> SetFigure:
    answerable, unanswerable = read_questions(one.answerable), read_questions(one.unanswerable)
    asked = [(question.right, _asked(retriever, question)) for question in answerable]
    refused = [_asked(retriever, question) for question in unanswerable]
    return SetFigure(
        name=one.name,
        first=wilson(sum(not right.isdisjoint(found.doc_ids[:1]) for right, found in asked), len(asked)),
        top=wilson(sum(not right.isdisjoint(found.doc_ids[:TOP]) for right, found in asked), len(asked)),
        answered=wilson(sum(found.good > 0 for _, found in asked), len(asked)),
        refused=wilson(sum(found.good == 0 for found in refused), len(refused)),
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """The documents found, best first, and how many passages were good enough."""

    doc_ids: tuple[str, ...]
    good: int


def _asked(retriever: ChromaRetriever, question: Question) -> _Answer:
    found = retriever.find(question.query, scope_of(question.attributes, DAY), PER_DOCUMENT * DOCUMENTS)
    return _Answer(tuple(dict.fromkeys(passage.doc_id for passage in found.passages)), found.good)


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
    return "\n".join(lines)
