"""`handrail policy coverage`: what the policy tests look at, and what they do not."""

from __future__ import annotations

from pathlib import Path

import click

from handrail.commands.policy_folder import FOLDER, FOUND, detecting, folder_or_default


@click.command()
@FOLDER
@click.option("--write", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write missing cases to a file.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1), help="How many cases at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print the coverage as JSON.")
def coverage(folder: Path | None, out: Path | None, limit: int, as_json: bool) -> int:
    """Say which rules, in which segments and need states, and which dimensions of segments no policy test exercises.

    Only combinations that some input can produce are counted. Exits with 1 when a rule or a dimension of a segment is
    not exercised at all, with 2 when the bundle or a case cannot be used.
    """
    import json
    from itertools import chain, islice

    from handrail.evals.policy.case_run import run_case
    from handrail.evals.policy.cases import load_cases
    from handrail.evals.policy.coverage import Atlas
    from handrail.evals.policy.coverage import coverage as of_cases
    from handrail.evals.policy.coverage_text import cases, lines, plain
    from handrail.guardrails.bundle.loader import load

    where = folder_or_default(folder)
    bundle = load(where)
    placed = load_cases(where, bundle)
    detect = detecting(bundle) if any(one.case.message is not None for one in placed) else None
    atlas = Atlas(bundle)
    found = of_cases(bundle, [run_case(bundle, one, detect) for one in placed], atlas)
    click.echo(json.dumps(plain(found), indent=2) if as_json else "\n".join(lines(found)))
    if out is not None:
        missing = islice(chain(atlas.unlooked(found.dimensions), atlas.missing(found.hit)), limit)
        out.write_text("".join(cases(missing, bundle)), encoding="utf-8")
        click.echo(f"Missing cases are in {out}; say in each what should happen.", err=True)
    unseen = any(not count for counts in found.dimensions.values() for count in counts.values())
    return FOUND if unseen or found.rules_missed() else 0
