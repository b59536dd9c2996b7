"""`handrail bench`: measure on this machine, in one run."""

from __future__ import annotations

import click


@click.group()
def bench() -> None:
    """Measure the guarded turn beside its floor."""


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
