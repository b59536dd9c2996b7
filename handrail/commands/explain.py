"""`handrail explain TURN`: why a turn went as it did, from the audit log alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.commands.audit import default_url

if TYPE_CHECKING:
    from handrail.agent.audit.explain import Catalogue


@click.command()
@click.argument("turn")
@click.option("--site", help="Look in this site only.")
@click.option("--database", "url", default=default_url, help="The database; HANDRAIL_DATABASE_URL by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def explain(turn: str, site: str | None, url: str, as_json: bool) -> None:
    """Reconstruct TURN (its id, or the unique beginning of it): what was seen, decided, done and said."""
    click.echo(explained(turn, site, url, shipped_catalogue(), as_json=as_json))


def explained(turn: str, site: str | None, url: str, catalogue: Catalogue, *, as_json: bool) -> str:
    """The explanation of a turn, as text or JSON. Raises StoreError when the log has no such turn."""
    from handrail.agent.audit.explain import explain as read
    from handrail.agent.audit.explain_text import as_text
    from handrail.agent.store.audit_log import AuditLog

    log = AuditLog(url)
    try:
        explanation = read(log.trail(turn, site), catalogue)
    finally:
        log.close()
    return explanation.model_dump_json(indent=2) if as_json else as_text(explanation)


def shipped_catalogue() -> Catalogue:
    """The words of every reason code of the shipped bundle; a code that is missing is shown without words."""
    import yaml

    import handrail.guardrails
    from handrail.agent.audit.explain import ReasonTitle

    folder = Path(handrail.guardrails.__file__).parent / "policies" / "reasons"
    catalogue = {}
    for path in sorted(folder.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text("utf-8")) or ():
            catalogue[str(entry["code"])] = ReasonTitle(title=str(entry["title"]), operator=str(entry["operator"]))
    return catalogue
