"""`handrail policy experiments`: what shadow rules and holdouts came to."""

from __future__ import annotations

from datetime import datetime

import click

from handrail.commands.policy_log import DATABASE, LAST, SINCE, SITE, over_turns


@click.command()
@SITE
@SINCE
@LAST
@DATABASE
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def experiments(site: str | None, since: datetime | None, last: int | None, url: str, *, as_json: bool) -> int:
    """Report shadow rules and holdouts from the audit log.

    Of each shadow rule: where it applied, and what enforcing it would have changed. Of each holdout: how many
    conversations went to a person in either arm, with intervals. It only reads.
    """
    from handrail.evals.policy.experiments import experiments as counted
    from handrail.evals.policy.experiments_text import as_text

    report = over_turns(url, site, since, last, counted)
    click.echo(report.model_dump_json(indent=2) if as_json else as_text(report))
    return 0
