"""`handrail eval`: play the scenarios, say what failed and why, write the reports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from handrail.evals.report import RunReport
    from handrail.evals.runner import Case
    from handrail.evals.scenario import Behaviour, Scenario
    from handrail.evals.target import Target
    from handrail.guardrails.bundle.bundle import Bundle

FAILED = 1
"""Exit code when a scenario failed or crashed, or when nothing was played at all."""

_file = click.Path(dir_okay=False, path_type=Path)


@click.command("eval")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--over",
    type=click.Choice(["process", "http"]),
    default="process",
    show_default=True,
    help="How the service is reached: by calls, or each case over HTTP on a server of its own.",
)
@click.option(
    "--url",
    help="Play against this running server instead. It has one model and one company, so cases with other models, and "
    "those with an approved call, are not run.",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --url: the data folder of that server, for its keys and the sample company's outbox.",
)
@click.option(
    "--served-model",
    default="embedded",
    show_default=True,
    help="With --url: how the server's model behaves; scenarios with other models are not run.",
)
@click.option(
    "--models",
    type=click.Choice(["own", "hostile"]),
    default="own",
    show_default=True,
    help="Each scenario with the models that it names, or with every hostile model: judged by breaches alone.",
)
@click.option("--filter", "containing", default="", help="Only cases with this in their name, as in email_changed[2].")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 16), help="Conversations at a time.")
@click.option("--json", "json_file", type=_file, help="Write everything as JSON.")
@click.option("--junit", "junit_file", type=_file, help="Write JUnit XML.")
@click.option("--html", "html_file", type=_file, help="Write a page with all conversations.")
@click.option("--list", "only_list", is_flag=True, help="Only name the cases.")
def evaluate(  # noqa: PLR0913, PLR0917 - click passes one argument per option
    paths: tuple[Path, ...],
    over: str,
    url: str | None,
    data_dir: Path | None,
    served_model: str,
    models: str,
    containing: str,
    jobs: int,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    only_list: bool,
) -> int:
    """Play the scenarios of PATHS (files or folders; by default the shipped ones), each in every wording.

    Exits with 0 when all held, 1 when one failed or crashed, 2 when a scenario file cannot be used.
    """
    from handrail.evals.hostile import hostile_cases
    from handrail.evals.hostile_report import hostile_summary
    from handrail.evals.html_report import html_page
    from handrail.evals.junit import junit
    from handrail.evals.report import failure, summary
    from handrail.evals.runner import Outcome, cases

    where = _where(over, url, data_dir, served_model, models)
    chosen = {"own": cases, "hostile": hostile_cases}[models](_scenarios(paths), containing)
    if only_list:
        for case in chosen:
            click.echo(f"{case.name}  {case.scenario.title}")
        return 0
    if not chosen:
        raise click.UsageError(f"No case is called like {containing!r}; `handrail eval --list` names them.")
    began = time.monotonic()
    run = asyncio.run(_play(chosen, jobs, where))
    for result in run.cases:
        if result.outcome in (Outcome.FAILED, Outcome.CRASHED):
            click.echo(f"{failure(result)}\n")
    click.echo(hostile_summary(run, time.monotonic() - began) if where.models == "hostile" else summary(run))
    if json_file is not None:
        _keep(json_file, run.model_dump_json(indent=2) + "\n")
    if junit_file is not None:
        _keep(junit_file, junit(run))
    if html_file is not None:
        _keep(html_file, html_page(run))
    return 0 if run.tally.all_well else FAILED


def _keep(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _scenarios(paths: tuple[Path, ...]) -> Sequence[Scenario]:
    """The scenarios, checked against everything they name."""
    from handrail.agent.company.context import sample_attributes
    from handrail.evals.sample_base import sample_documents
    from handrail.evals.scenario_files import FOLDER, Known, load
    from handrail.evals.substitutes import OFFICE_HOURS

    known = Known.of(_bundle(), sample_documents(), frozenset(sample_attributes(OFFICE_HOURS)))
    return [file.scenario for file in load(paths or (FOLDER,), known)]


def _bundle() -> Bundle:
    from handrail.agent.composition import bundle_of
    from handrail.agent.settings import load_settings

    return bundle_of(load_settings())


def _behaviour(name: str) -> Behaviour:
    from handrail.evals.scenario import Behaviour

    try:
        return Behaviour(name)
    except ValueError:
        known = ", ".join(one.value for one in Behaviour)
        raise click.UsageError(f"--served-model is one of {known}, not {name!r}.") from None


@dataclass(frozen=True, slots=True)
class Where:
    """What is played against: `over` is process or http; `url` a server that runs already, with its data folder.

    `models` is own or hostile.
    """

    over: str
    url: str | None
    data_dir: Path | None
    served: Behaviour
    models: str

    @property
    def name(self) -> str:
        """How the report calls it."""
        return self.url or {"process": "in process", "http": "over HTTP, a server for each case"}[self.over]


def _where(over: str, url: str | None, data_dir: Path | None, served_model: str, models: str) -> Where:
    if data_dir is not None and url is None:
        raise click.UsageError("--data-dir goes with --url; without it, temporary folders are used.")
    if url is not None and over == "http":
        raise click.UsageError("--over http starts servers of its own, and --url names one that runs; choose one.")
    if url is not None and models == "hostile":
        raise click.UsageError("--url names a server with a model of its own; hostile ones are played without it.")
    return Where(over, url, data_dir, _behaviour(served_model), models)


async def _play(chosen: Sequence[Case], jobs: int, where: Where) -> RunReport:
    from handrail.evals.report import report
    from handrail.evals.runner import CaseResult, Outcome, run

    done = 0

    def tell(result: CaseResult) -> None:
        nonlocal done
        done += 1
        mark = "" if result.outcome is Outcome.PASSED else f"  {result.outcome.value.replace('_', ' ')}: {result.name}"
        if mark:
            click.echo(f"{done}/{len(chosen)}{mark}", err=True)

    async with _target(jobs, where) as target:
        results = await run(target, chosen, jobs, tell)
        return report(where.name, target.revision, results)


@asynccontextmanager
async def _target(jobs: int, where: Where) -> AsyncIterator[Target]:
    if where.url is not None:
        from handrail.evals.remote import remote

        async with remote(where.url, where.data_dir, where.served) as server:
            yield server
        return
    from handrail.evals.models import all_models

    async with all_models() as models:
        if where.over == "http":
            from handrail.evals.over_http import over_http

            async with over_http(models) as fresh:
                yield fresh
            return
        from handrail.evals import hostile
        from handrail.evals.in_process import MODEL_SECONDS, in_process

        seconds = hostile.MODEL_SECONDS if where.models == "hostile" else MODEL_SECONDS
        async with in_process(models, lanes=jobs, model_seconds=seconds) as target:
            yield target
