"""`handrail bench`: measure on this machine, in one run."""

from __future__ import annotations

from pathlib import Path

import click

_out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a page with plots here, and the figures as JSON beside it.",
)


@click.group()
def bench() -> None:
    """Measure the turn beside its floor, decisions beside Cedar, the guards, detection, replies, and searches."""


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def turn(as_json: bool) -> None:
    """The guarded turn, without model time, beside a bare LangGraph, one embedding, one query and one commit.

    Needs an ingested base (`handrail kb ingest`). Each figure is the median of five rounds.
    """
    from handrail.agent.settings import load_settings
    from handrail.evals.bench.turn import run_bench, table

    found = run_bench(load_settings())
    click.echo(found.model_dump_json(indent=2) if as_json else table(found))


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def policy(as_json: bool) -> None:
    """A decision of the shipped bundle, and one of 1,000 rules, beside Cedar on an equivalent policy set.

    Each figure is the median of five rounds, in which both take turns. The comparison needs the package cedarpy. Exits
    with 1, and prints no figures, when Cedar decides any question otherwise.
    """
    from importlib.resources import files
    from pathlib import Path

    from handrail.evals.bench.policy import Disagreement, bench_policy
    from handrail.evals.bench.policy_figures import table

    try:
        found = bench_policy(Path(str(files("handrail.guardrails") / "policies")))
    except Disagreement as error:
        raise click.ClickException(f"The policy sets are not equivalent, so nothing is compared: {error}") from None
    click.echo(found.model_dump_json(indent=2) if as_json else table(found))


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def guard(as_json: bool) -> None:
    """The output guard on replies of 150 words with 20 passages, and one proposed call decided by the tool gate.

    CPU and wall, median and 95th percentile, each the median of five rounds. Replies are put together from the authored
    ones; their passages are known, as they come again turn after turn, or read afresh.
    """
    from importlib.resources import files

    from handrail.evals.bench.guard import bench_guard, table

    found = bench_guard(Path(str(files("handrail.guardrails") / "policies")))
    click.echo(found.model_dump_json(indent=2) if as_json else table(found))


@bench.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with messages/*.jsonl, and if there are any injection/*.jsonl and pii/dev.jsonl.",
)
@_out
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def detect(data: Path, out: Path | None, as_json: bool) -> None:
    """Detection on companies that it has not seen: one data set of messages left out after the other.

    Trains a model per left-out set, so it takes minutes for each. Prints need states, calibration, risk, requests for a
    person, scope, injections, personal data, stability and speed, with intervals.
    """
    from handrail.evals.detection.bench import run_bench
    from handrail.evals.detection.page import html_page
    from handrail.evals.detection.table import table

    found = run_bench(data, report=lambda line: click.echo(line, err=True))
    if out is not None:
        _write(out, html_page(found), found.model_dump_json(indent=1))
    click.echo(found.model_dump_json(indent=2) if as_json else table(found))


@bench.command()
@click.option(
    "--passages", default=20_000, show_default=True, type=click.IntRange(400, 1_000_000), help="Of the largest base."
)
@_out
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def retrieve(passages: int, out: Path | None, as_json: bool) -> None:
    """Searches within scopes beside Chroma's own queries, with and without a filter, as the base grows.

    Draws bases of up to so many passages with given vectors, ingests them and searches in scopes that leave 1 to 50 %.
    Some two minutes for 20,000 passages.
    """
    from handrail.evals.bench.retrieve import bench_retrieve
    from handrail.evals.bench.retrieve_table import html_page, table

    found = bench_retrieve(passages, report=lambda line: click.echo(line, err=True))
    if out is not None:
        _write(out, html_page(found), found.model_dump_json(indent=1))
    click.echo(found.model_dump_json(indent=2) if as_json else table(found))


_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@bench.command()
@click.option("--articles", type=click.Path(exists=True, path_type=Path), help="A folder or export of articles.")
@click.option("--answerable", type=_file, help="Questions about them, as JSON lines, with the right documents.")
@click.option("--unanswerable", type=_file, help="Questions that none of them answers.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def questions(articles: Path | None, answerable: Path | None, unanswerable: Path | None, as_json: bool) -> None:
    """Whether the right article comes first, for questions by several authors about the sample base and two others.

    With the embedding that is set (HANDRAIL_EMBEDDING_MODEL), else the local encoder. Says for each set how many
    questions have the right article first and among the first three, how many are answered at all, how many that no
    article answers are refused, and which threshold (HANDRAIL_PASSAGE_THRESHOLD) would refuse nine in ten.

    Your own base is measured with --articles, --answerable and --unanswerable (docs/retrieval-backends.md).
    """
    from handrail.agent.knowledge import article_embedder, calibration_of
    from handrail.agent.settings import load_settings
    from handrail.commands.kb_options import encoder
    from handrail.evals.bench.questions import SETS, QuestionSet, measure, table

    sets = SETS
    if articles is not None and answerable is not None and unanswerable is not None:
        sets = (QuestionSet(str(articles), articles, answerable, unanswerable),)
    elif (articles, answerable, unanswerable) != (None, None, None):
        raise click.UsageError("--articles, --answerable and --unanswerable go together: give all three or none.")
    settings = load_settings()
    found = measure(
        sets,
        article_embedder(settings) or encoder(),
        calibration_of(settings),
        report=lambda line: click.echo(line, err=True),
    )
    click.echo("[" + ",".join(one.model_dump_json() for one in found) + "]" if as_json else table(found))


@bench.command()
@click.argument("corpora", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def replies(corpora: tuple[Path, ...], as_json: bool) -> None:
    """The output checks on replies by several authors: correct ones, and minimal edits of 16 kinds that violate.

    CORPORA are files of JSON lines as `handrail check` reads them, each with its kind; without any, the authored ones.
    Those of `sealed` were never looked at while the checks were written.
    """
    from handrail.commands.check import build_check
    from handrail.evals.replies import AUTHORED, measure, table

    check = build_check()
    found = [measure(check, path) for path in corpora or sorted(AUTHORED.glob("*.jsonl"))]
    click.echo("[" + ",".join(one.model_dump_json() for one in found) + "]" if as_json else table(found))


def _write(out: Path, page: str, figures: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    out.with_suffix(".json").write_text(figures, encoding="utf-8")
