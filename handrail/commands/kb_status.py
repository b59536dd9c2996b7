"""`handrail kb status`: what the live knowledge base holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.commands import kb_options
from handrail.commands.kb_options import AS_JSON, DATA_DIR, base_in, day_of

if TYPE_CHECKING:
    from handrail.retrieval.checking.inventory import Inventory


@click.command()
@DATA_DIR
@AS_JSON
def status(data_dir: Path, as_json: bool) -> None:
    """Say what the live knowledge base holds, how it was made, and which documents are never searched."""
    from handrail.agent.knowledge import embedding_name
    from handrail.retrieval.checking.inventory import inventory

    wanted = embedding_name(kb_options.settings_of(data_dir))
    found = inventory(base_in(data_dir), day_of(None))
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        _tell(found, base_in(data_dir))
        if found.embedding and found.embedding != wanted:
            click.echo(
                f"The settings name another embedding, {wanted}: run `handrail kb ingest` before you search.", err=True
            )


def _tell(found: Inventory, base: Path) -> None:
    click.echo(f"Generation {found.generation}, made {found.created_at:%Y-%m-%d %H:%M} UTC, in {base}")
    click.echo(f"  documents      {found.documents}: {_counts(found.languages)}; {_counts(found.authorities)}")
    click.echo(f"  product areas  {_counts(found.product_areas)}")
    click.echo(f"  passages       {found.passages}, embedded by {found.embedded_by} ({found.dimensions} dimensions)")
    click.echo(f"  vectors        in Chroma, {found.chroma}")
    click.echo(f"  good enough    from a score of {found.threshold:.2f}")
    click.echo(f"  not shown now  {found.expired} expired, {found.not_yet_valid} not yet valid")
    click.echo(f"  on disk        {found.live_bytes:,} bytes; {found.base_bytes:,} with everything that is kept")
    click.echo(f"  before it      {', '.join(found.previous) or 'nothing is kept'}")
    for entry in found.quarantined:
        click.echo(f"In quarantine: {entry.path}:{entry.line} ({', '.join(entry.signals)})")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in counts.items()) or "none"
