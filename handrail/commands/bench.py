"""`handrail bench`: measure on this machine, in one run."""

from __future__ import annotations

import click


@click.group()
def bench() -> None:
    """Measure the guarded turn beside its floor, and decisions beside Cedar."""


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
