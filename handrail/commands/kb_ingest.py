"""`handrail kb ingest`: articles become the live knowledge base."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.commands import kb_options
from handrail.commands.kb_options import AS_JSON, BUNDLE, DATA_DIR, FOUND, MAPPING, base_in
from handrail.commands.kb_problems import problem_lines
from handrail.commands.kb_progress import progress_for

if TYPE_CHECKING:
    from handrail.guardrails.yamlsource import Problem
    from handrail.retrieval.report import IngestReport


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", type=click.Path(path_type=Path))
@MAPPING
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write everything that is wrong with articles to this file, as JSON lines.",
)
@click.option("--verbose", "-v", is_flag=True, help="Where no terminal shows a bar: a line of progress now and then.")
@BUNDLE
@DATA_DIR
@AS_JSON
def ingest(
    sources: tuple[Path, ...],
    mapping: Path | None,
    report_file: Path | None,
    verbose: bool,
    bundle: Path | None,
    data_dir: Path,
    as_json: bool,
) -> int:
    """Make the documents in every SOURCE, together, the knowledge base; by default the sample articles.

    A SOURCE is a folder of articles (Markdown, HTML, text) or an export of Zendesk Guide or Intercom articles (JSON).
    Documents are screened with the phrases of the bundle. Exits with 1 when documents were left out because something
    is wrong with them; the others are ingested.
    """
    from handrail.agent.knowledge import article_embedder, calibration_of, chroma_of
    from handrail.retrieval.ingest import Ingest

    settings, given = kb_options.settings_of(data_dir), kb_options.mapping_in(mapping)
    with progress_for(verbose=verbose) as progress:
        run = Ingest(
            base_in(data_dir),
            article_embedder(settings) or kb_options.encoder(),
            kb_options.screen(bundle),
            chroma=chroma_of(settings),
            calibration=calibration_of(settings),
            progress=progress,
        )
        if sources:
            report = run.run(*sources, mapping=given)
        else:
            with as_file(files("handrail") / "kb" / "articles") as sample:
                report = run.run(sample, mapping=given)
    if report_file is not None:
        _write(report_file, report.problems)
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        _tell(report, report_file)
    return FOUND if report.bad_documents else 0


def _write(path: Path, problems: Iterable[Problem]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for one in problems:
            line = {"file": one.file, "line": one.line, "message": one.message}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _tell(report: IngestReport, report_file: Path | None) -> None:
    click.echo(
        f"Generation {report.generation.generation_id} {report.outcome.value}: {report.documents} documents, "
        f"{report.passages} passages ({report.embedded} embedded, {report.reused} reused)"
    )
    if report.documents_unchanged:
        click.echo(f"{report.documents_unchanged} documents are as they were")
    for entry in report.quarantined:
        click.echo(f"In quarantine: {entry.path}:{entry.line} addresses the model ({', '.join(entry.signals)})")
    if report.problems:
        click.echo(f"Left out: {len(report.bad_documents)} articles", err=True)
        for line in problem_lines(report.problems, report_file):
            click.echo(line, err=True)
    for note in report.notes:
        click.echo(f"Note: {note}", err=True)
