"""`handrail policy diff`: what decisions change between two bundles."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from handrail.commands.policy_log import DATABASE, HOURLY_COST, LAST, SINCE, SITE, over_turns


@click.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("after", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--traffic", is_flag=True, help="Compare on recorded turns instead of over all inputs.")
@SITE
@SINCE
@LAST
@HOURLY_COST
@DATABASE
@click.option("--verbose", "-v", is_flag=True, help="Show both decisions of every example, with all reasons.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON.")
def diff(  # noqa: PLR0913 - one parameter for each option
    before: Path,
    after: Path,
    site: str | None,
    since: datetime | None,
    last: int | None,
    hourly_cost: float | None,
    url: str,
    *,
    traffic: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Say what decisions change from the bundle in BEFORE to the one in AFTER, what is more permissive first.

    Looks at every input that detection can give, known facts and unknown ones; with --traffic, both bundles decide the
    turns of the audit log again (see `replay` for the options). Exits with 0, however much changes, and with 2 when a
    bundle or the log cannot be read.
    """
    from handrail.guardrails.bundle.loader import load

    first, second = load(before), load(after)
    if traffic:
        from handrail.evals.policy.replay_tally import compared as on_traffic
        from handrail.evals.policy.replay_text import as_text

        report = over_turns(url, site, since, last, lambda turns: on_traffic(turns, first, second, hourly_cost))
        click.echo(report.model_dump_json(indent=2) if as_json else as_text(report))
        return 0
    import json

    from handrail.evals.policy.diff import compared
    from handrail.evals.policy.diff_text import lines, plain

    found = compared(first, second)
    click.echo(json.dumps(plain(found), indent=2) if as_json else "\n".join(lines(found, verbose=verbose)))
    return 0
