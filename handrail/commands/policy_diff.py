"""`handrail policy diff`: what decisions change between two bundles."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("after", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON.")
def diff(before: Path, after: Path, as_json: bool) -> int:
    """Say what decisions change from the bundle in BEFORE to the one in AFTER, what is more permissive first.

    Looks at every input that detection can give, known facts and unknown ones. Exits with 0, however much changes, and
    with 2 when a bundle does not load.
    """
    import json

    from handrail.evals.policy.diff import compared
    from handrail.evals.policy.diff_text import lines, plain
    from handrail.guardrails.bundle.loader import load

    found = compared(load(before), load(after))
    click.echo(json.dumps(plain(found), indent=2) if as_json else "\n".join(lines(found)))
    return 0
