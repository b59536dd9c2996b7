"""`handrail kb check`: what is contradictory, out of date or out of reach in the live knowledge base."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from handrail.commands.kb_check_text import report_lines
from handrail.commands.kb_options import AS_JSON, BUNDLE, DATA_DIR, FOUND, TODAY, base_in, bundle_or_shipped, day_of


@click.command()
@BUNDLE
@DATA_DIR
@click.option(
    "--soon",
    "soon_days",
    default=30,
    show_default=True,
    type=click.IntRange(0, 3650),
    metavar="DAYS",
    help="Also tell which documents expire within so many days.",
)
@TODAY
@AS_JSON
def check(bundle: Path | None, data_dir: Path, soon_days: int, today: datetime | None, as_json: bool) -> int:
    """Find contradictions, documents out of date, documents that nobody can get, and needs that are not served.

    Who can get what is worked out from the attributes, segments and scope rules of the bundle. Nothing is changed.
    Exits with 1 when there are findings, with 2 when there is no base or the bundle does not load.
    """
    from datetime import timedelta

    from handrail.guardrails.bundle.loader import load
    from handrail.retrieval.checking.check import check as checked
    from handrail.retrieval.checking.contents import Contents

    contents = Contents.live(base_in(data_dir))
    report = checked(contents, load(bundle_or_shipped(bundle)), day_of(today), timedelta(days=soon_days))
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        click.echo("\n".join(report_lines(report)))
    return FOUND if report.findings else 0
