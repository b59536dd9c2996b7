"""`handrail kb search`: the knowledge base as a customer with given attributes would see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from handrail.commands import kb_options
from handrail.commands.kb_options import AS_JSON, DATA_DIR, base_in

if TYPE_CHECKING:
    from handrail.guardrails.vocabulary import Passage
    from handrail.retrieval.search import ChromaRetriever


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


@click.command()
@click.argument("query")
@click.argument("output", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--attr", "attributes", multiple=True, metavar="NAME=VALUE", help="role, stack, region or plan; repeatable."
)
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 100), help="Documents at most.")
@DATA_DIR
@AS_JSON
def search(
    query: str, output: Path | None, attributes: tuple[str, ...], limit: int, data_dir: Path, as_json: bool
) -> None:
    """Search for QUERY as a customer with these attributes would.

    With a second argument, QUERY is a file of lines {"id", "query", "attributes"}, and one line of results for each is
    written to OUTPUT.
    """
    from handrail.agent.knowledge import chroma_of, question_embedder
    from handrail.retrieval.search import ChromaRetriever

    given, settings = parse_attributes(attributes), kb_options.settings_of(data_dir)
    embedder = question_embedder(settings) or kb_options.encoder()
    retriever = ChromaRetriever(base_in(data_dir), embedder, chroma=chroma_of(settings))
    if output is not None:
        _search_file(retriever, Path(query), output, limit)
        return
    found = search_documents(retriever, query, given, limit)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    _show(found)


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


def search_documents(
    retriever: ChromaRetriever, query: str, attributes: dict[str, tuple[str, ...]], limit: int
) -> Found:
    """The best passage of each of the best `limit` documents."""
    from handrail.retrieval.questions import scope_of
    from handrail.retrieval.ranking import PER_DOCUMENT

    found = retriever.find(query, scope_of(attributes, datetime.now(UTC)), PER_DOCUMENT * limit)
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


def _show(found: Found) -> None:
    for number, passage in enumerate(found["results"], start=1):
        heading = f" · {passage['heading']}" if passage["heading"] else ""
        mark = "" if passage["good"] else " (below the threshold)"
        click.echo(f"{number}. {passage['score']:.3f}  {passage['doc_id']}  {passage['title']}{heading}{mark}")
    if not found["good"]:
        click.echo("No passage is good enough to answer from.")
    causes = ", ".join(f"{cause} {count}" for cause, count in found["excluded"].items())
    click.echo(f"{found['eligible']} documents in scope; kept out: {causes or 'none'}")
