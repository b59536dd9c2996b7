"""`handrail policy replay`: recorded turns decided again by a candidate bundle."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from handrail.commands.policy_folder import FOLDER, FOUND, folder_or_default
from handrail.commands.policy_log import DATABASE, HOURLY_COST, LAST, SINCE, SITE, over_turns


@click.command()
@FOLDER
@SITE
@SINCE
@LAST
@HOURLY_COST
@DATABASE
@click.option("--exact", is_flag=True, help="Exit with 1 unless every decision comes out exactly as recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def replay(  # noqa: PLR0913 - one parameter for each option
    folder: Path | None,
    site: str | None,
    since: datetime | None,
    last: int | None,
    hourly_cost: float | None,
    url: str,
    *,
    exact: bool,
    as_json: bool,
) -> int:
    """Replay recorded turns against the bundle in FOLDER (the one that is served by default), without models or tools.

    Says how many turns change, which become more permissive (listed first), how many more go to people and what that
    costs. It only reads. Exits with 2 when bundle or log cannot be read, with 1 when --exact finds a difference, and
    with 0 otherwise.
    """
    from handrail.evals.policy.replay_tally import replayed
    from handrail.evals.policy.replay_text import as_text
    from handrail.guardrails.bundle.loader import load

    bundle = load(folder_or_default(folder))
    report = over_turns(url, site, since, last, lambda turns: replayed(turns, bundle, hourly_cost))
    click.echo(report.model_dump_json(indent=2) if as_json else as_text(report))
    if not exact:
        return 0
    if not report.exact:
        click.echo("Not exact: see what differs above.", err=True)
        return FOUND
    if not as_json:
        click.echo("Exact: every decision came out as it was recorded.")
    return 0
