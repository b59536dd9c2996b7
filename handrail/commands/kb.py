"""`handrail kb`: ingest articles into the knowledge base, search it, and say what it holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

if TYPE_CHECKING:
    from handrail.guardrails.encoder import Encoder
    from handrail.guardrails.scope import ScopePlan
    from handrail.guardrails.vocabulary import Passage
    from handrail.retrieval.report import IngestReport, Progress
    from handrail.retrieval.screen import Screen
    from handrail.retrieval.search import ChromaRetriever

SOME_BAD = 1
"""Exit code when documents were left out."""

LANGUAGE = "en"

_data_dir = click.option(
    "--data-dir",
    envvar="HANDRAIL_DATA_DIR",
    default="./.handrail",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where Handrail keeps its state (HANDRAIL_DATA_DIR); the base lies in kb/ below it.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class Match(TypedDict):
    """One result of a search, as it is written; `passage` is the text."""

    doc_id: str
    passage_id: str
    title: str
    heading: str
    passage: str
    score: float
    good: bool


class Found(TypedDict):
    """A search as it is written; `excluded` counts documents by cause."""

    results: list[Match]
    good: int
    eligible: int
    excluded: dict[str, int]
    revision: str


@click.group()
def kb() -> None:
    """Ingest and search the knowledge base."""


@kb.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A YAML file that gives metadata to documents without front matter (docs/knowledge-base.md).",
)
@click.option(
    "--bundle",
    envvar="HANDRAIL_BUNDLE",
    type=click.Path(file_okay=False, path_type=Path),
    help="The policy bundle whose phrases articles are screened with (HANDRAIL_BUNDLE); the shipped one without it.",
)
@_data_dir
@_as_json
def ingest(sources: tuple[Path, ...], mapping: Path | None, bundle: Path | None, data_dir: Path, as_json: bool) -> int:
    """Make the documents in every SOURCE, together, the knowledge base; by default the sample articles.

    A SOURCE is a folder of articles (Markdown, HTML, text) or an export of Zendesk Guide or Intercom articles (JSON).
    Exits with 1 when documents were left out because something is wrong with them; the others are ingested.
    """
    from handrail.retrieval.ingest import Ingest
    from handrail.retrieval.mapping import load_mapping

    given = None if mapping is None else load_mapping(mapping)
    run = Ingest(data_dir / "kb", _encoder(), _screen(bundle), progress=_reporter())
    if sources:
        report = run.run(*sources, mapping=given)
    else:
        with as_file(files("handrail") / "kb" / "articles") as sample:
            report = run.run(sample, mapping=given)
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        _tell(report)
    return SOME_BAD if report.bad_documents else 0


@kb.command()
@click.argument("query")
@click.argument("output", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--attr", "attributes", multiple=True, metavar="NAME=VALUE", help="role, stack, region or plan; repeatable."
)
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 100), help="Documents at most.")
@_data_dir
@_as_json
def search(
    query: str, output: Path | None, attributes: tuple[str, ...], limit: int, data_dir: Path, as_json: bool
) -> None:
    """Search for QUERY as a customer with these attributes would.

    With a second argument, QUERY is a file of lines {"id", "query", "attributes"}, and one line of results for each is
    written to OUTPUT.
    """
    from handrail.retrieval.search import ChromaRetriever

    given = parse_attributes(attributes)
    retriever = ChromaRetriever(data_dir / "kb", _encoder())
    if output is not None:
        _search_file(retriever, Path(query), output, limit)
        return
    found = search_documents(retriever, query, given, limit)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    _show(found)


@kb.command()
@_data_dir
@_as_json
def status(data_dir: Path, as_json: bool) -> None:
    """Say what the live knowledge base holds, and which documents are in quarantine."""
    from handrail.retrieval.errors import RetrievalError
    from handrail.retrieval.generation import BaseFolder, FileGenerationPointer

    base = data_dir / "kb"
    live = FileGenerationPointer(base).get()
    if live is None:
        raise RetrievalError(f"There is no knowledge base in {base}. Run `handrail kb ingest`.")
    manifest = BaseFolder(base).manifest(live)
    if as_json:
        click.echo(manifest.model_dump_json(indent=2))
        return
    click.echo(f"Generation {live.generation_id}, made {manifest.created_at:%Y-%m-%d %H:%M} UTC, in {base}")
    click.echo(f"{manifest.documents} documents, {manifest.passages} passages, encoder {manifest.encoder[:12]}")
    click.echo(f"Good enough from a score of {manifest.calibration.threshold:.2f}")
    for entry in manifest.quarantined:
        click.echo(f"In quarantine: {entry.path}:{entry.line} ({', '.join(entry.signals)})")


def parse_attributes(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Attributes from `name=value` pairs; a repeated name adds a value."""
    from handrail.retrieval.questions import ATTRIBUTES

    given: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, equals, content = pair.partition("=")
        if not equals or name not in ATTRIBUTES or not content:
            raise click.UsageError(f"--attr takes NAME=VALUE with NAME one of {', '.join(ATTRIBUTES)}, not {pair!r}.")
        given[name] = (*given.get(name, ()), content)
    return given


def scope_of(attributes: dict[str, tuple[str, ...]]) -> ScopePlan:
    """What a customer with these attributes may see today: their own classes, every authority, English."""
    from datetime import UTC, datetime

    from handrail.guardrails.scope import Authority, Family, ScopePlan

    families = dict(attributes)
    families[Family.AUTHORITY.value] = tuple(Authority)
    families[Family.LANGUAGE.value] = (LANGUAGE,)
    return ScopePlan(families=families, on=datetime.now(UTC))


def search_documents(
    retriever: ChromaRetriever, query: str, attributes: dict[str, tuple[str, ...]], limit: int
) -> Found:
    """The best passage of each of the best `limit` documents."""
    from handrail.retrieval.ranking import PER_DOCUMENT

    found = retriever.find(query, scope_of(attributes), PER_DOCUMENT * limit)
    best: dict[str, Passage] = {}
    for passage in found.passages:
        best.setdefault(passage.doc_id, passage)
    good = {passage.passage_id for passage in found.passages[: found.good]}
    return Found(
        results=[
            Match(
                doc_id=passage.doc_id,
                passage_id=passage.passage_id,
                title=passage.title,
                heading=passage.heading,
                passage=passage.text,
                score=round(passage.score, 4),
                good=passage.passage_id in good,
            )
            for passage in list(best.values())[:limit]
        ],
        good=found.good,
        eligible=found.eligible_documents,
        excluded=found.excluded,
        revision=found.revision,
    )


def _search_file(retriever: ChromaRetriever, questions: Path, output: Path, limit: int) -> None:
    from handrail.retrieval.questions import read_questions

    asked = read_questions(questions)
    with output.open("w", encoding="utf-8") as stream:
        for question in asked:
            found = search_documents(retriever, question.query, question.attributes, limit)
            stream.write(json.dumps({"id": question.id, **found}, ensure_ascii=False) + "\n")
    click.echo(f"{len(asked)} searches written to {output}", err=True)


def _tell(report: IngestReport) -> None:
    click.echo(
        f"Generation {report.generation.generation_id} {report.outcome.value}: {report.documents} documents, "
        f"{report.passages} passages ({report.embedded} embedded, {report.reused} reused)"
    )
    if report.documents_unchanged:
        click.echo(f"{report.documents_unchanged} documents are as they were")
    for entry in report.quarantined:
        click.echo(f"In quarantine: {entry.path}:{entry.line} addresses the model ({', '.join(entry.signals)})")
    for problem in report.problems:
        click.echo(f"Left out: {problem}", err=True)
    for note in report.notes:
        click.echo(f"Note: {note}", err=True)


def _show(found: Found) -> None:
    for number, passage in enumerate(found["results"], start=1):
        heading = f" · {passage['heading']}" if passage["heading"] else ""
        mark = "" if passage["good"] else " (below the threshold)"
        click.echo(f"{number}. {passage['score']:.3f}  {passage['doc_id']}  {passage['title']}{heading}{mark}")
    if not found["good"]:
        click.echo("No passage is good enough to answer from.")
    causes = ", ".join(f"{cause} {count}" for cause, count in found["excluded"].items())
    click.echo(f"{found['eligible']} documents in scope; kept out: {causes or 'none'}")


def _reporter() -> Progress:
    """Progress on one line of standard error, and nothing where that is no terminal."""

    def show(step: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{step} {done}/{total}", nl=False, err=True)
            if step == "switch" and done == total:
                click.echo("\r\x1b[K", nl=False, err=True)

    return show


def _encoder() -> Encoder:
    from handrail.guardrails.encoder import CachingEncoder, MiniLMEncoder
    from handrail.guardrails.model_folder import default_cache_dir, find_model

    return CachingEncoder(MiniLMEncoder.load(find_model(default_cache_dir())))


def _screen(bundle: Path | None) -> Screen:
    from handrail.guardrails.detect.articles import ArticleScreen
    from handrail.guardrails.detect.load import load_detection, shipped_detection

    return ArticleScreen(load_detection(shipped_detection() if bundle is None else bundle / "detection"))
