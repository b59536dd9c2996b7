"""`handrail audit`: verify the audit log, and export anchors that are kept elsewhere."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from handrail.agent.audit.anchor import AnchorFile

EXIT_BROKEN = 1


def default_url() -> str:
    """The database that the server uses when nothing else is said."""
    folder = Path(os.environ.get("HANDRAIL_DATA_DIR") or ".handrail")
    return os.environ.get("HANDRAIL_DATABASE_URL") or f"sqlite:///{folder / 'handrail.db'}"


@click.group()
def audit() -> None:
    """Verify the audit log; export anchors."""


@audit.command()
@click.option("--database", "url", default=default_url, help="The database; HANDRAIL_DATABASE_URL by default.")
@click.option(
    "--anchor",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also check against the anchors in this file, which `handrail audit anchor` wrote.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def verify(url: str, anchor: Path | None, as_json: bool) -> None:
    """Find tampering, deletion and reordering. Exit code 0: whole, 1: broken, 2: cannot be read."""
    from handrail.agent.audit.report import as_json as report_json
    from handrail.agent.audit.report import as_text
    from handrail.agent.store.audit_log import AuditLog

    kept = None if anchor is None else read_anchors(anchor)
    log = AuditLog(url)
    try:
        report = log.verify(kept)
    finally:
        log.close()
    click.echo(report_json(report) if as_json else as_text(report))
    if report.breaks:
        click.get_current_context().exit(EXIT_BROKEN)


@audit.command("anchor")
@click.option("--database", "url", default=default_url, help="The database; HANDRAIL_DATABASE_URL by default.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the anchors; keep the file where the database's owner cannot change it.",
)
def export(url: str, out: Path) -> None:
    """Anchor every chain now and write the newest anchor of each site to a file."""
    from handrail.agent.store.anchoring import anchor_now
    from handrail.agent.store_port import StoreError

    kept = anchor_now(url, datetime.now(UTC))
    try:
        out.write_text(kept.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {out} ({error.strerror}): name another file") from error
    for exported in kept.anchors:
        record = exported.anchor
        click.echo(f"Site {record.site}: anchor {record.number}, {len(exported.heads)} chains, {record.hash}")
    if not kept.anchors:
        click.echo("There is nothing to anchor yet.")


def read_anchors(path: Path) -> "AnchorFile":
    """The anchors in a file. Raises StoreError when it is not such a file."""
    from pydantic import ValidationError

    from handrail.agent.audit.anchor import AnchorFile
    from handrail.agent.store_port import StoreError

    try:
        return AnchorFile.model_validate_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise StoreError(
            f"{path} is not an anchor file ({type(error).__name__}): name one that was exported"
        ) from error
