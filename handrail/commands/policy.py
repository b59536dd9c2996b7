"""`handrail policy`: check the bundle before anybody is served by it."""

from __future__ import annotations

import json
from pathlib import Path

import click

FOUND = 1


@click.group()
def policy() -> None:
    """Check the policy bundle."""


@policy.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def lint(folder: Path | None, as_json: bool) -> int:
    """Load the bundle in FOLDER (the shipped one by default) and report what is questionable in it.

    Exits with 2 when the bundle cannot be loaded (every problem is listed, with file and line), with 1 when there are
    findings, and with 0 otherwise.
    """
    from datetime import UTC, datetime
    from importlib.resources import files

    from handrail.agent.reasons import EMITTED
    from handrail.guardrails.bundle.lint import lint as find
    from handrail.guardrails.bundle.loader import load

    bundle = load(folder or Path(str(files("handrail.guardrails") / "policies")))
    found = find(bundle, EMITTED, datetime.now(UTC).date())
    if as_json:
        click.echo(json.dumps({"revision": bundle.revision, "findings": [one.model_dump() for one in found]}, indent=2))
    else:
        for one in found:
            click.echo(f"{one.code}  {one.subject}: {one.message}")
        summary = f"{len(bundle.policy.rules)} rules, {len(bundle.segments)} active segments, {len(bundle.tools)} tools"
        click.echo(f"Bundle {bundle.manifest.version} ({bundle.revision}): {summary}, {len(found)} findings")
    return FOUND if found else 0
