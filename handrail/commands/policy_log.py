"""The recorded turns that a policy command reads: which, and from which database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

from handrail.commands.audit import default_url

if TYPE_CHECKING:
    from handrail.agent.audit.recorded import RecordedTurn

T = TypeVar("T")

SITE = click.option("--site", help="Turns of this site only.")
SINCE = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Turns that ended at this time (UTC) or later.",
)
LAST = click.option("--last", type=click.IntRange(min=1), help="The last so many turns only.")
DATABASE = click.option(
    "--database", "url", default=default_url, help="The database; HANDRAIL_DATABASE_URL by default."
)
HOURLY_COST = click.option(
    "--hourly-cost", type=click.FloatRange(min=0), help="What an hour of a person costs, in your currency."
)


def over_turns(
    url: str, site: str | None, since: datetime | None, last: int | None, work: Callable[[Iterator[RecordedTurn]], T]
) -> T:
    """What `work` makes of the recorded turns. Raises StoreError when the log cannot be read."""
    from handrail.agent.store.audit_log import AuditLog
    from handrail.agent.store.audit_turns import Selection

    log = AuditLog(url)
    try:
        moment = None if since is None else since.replace(tzinfo=UTC)
        return log.turns(Selection(site, moment, last), work)
    finally:
        log.close()
