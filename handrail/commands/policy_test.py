"""`handrail policy test`: the policy tests that stand beside the policies."""

from __future__ import annotations

from pathlib import Path

import click

from handrail.commands.policy_folder import FOLDER, FOUND, detecting, folder_or_default


@click.command()
@FOLDER
@click.option("-k", "containing", default="", help="Only cases whose name contains this.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
@click.option("--verbose", "-v", is_flag=True, help="Name the cases that passed, too.")
def test(folder: Path | None, containing: str, as_json: bool, verbose: bool) -> int:
    """Run the policy tests in FOLDER/tests against the bundle in FOLDER.

    A case with a message is read by real detection, which needs the sentence encoder. Exits with 1 when a case failed
    or there is none, with 2 when the bundle or a case cannot be used.
    """
    import json

    from handrail.evals.policy.case_run import run_case
    from handrail.evals.policy.cases import load_cases
    from handrail.guardrails.bundle.loader import load

    where = folder_or_default(folder)
    bundle = load(where)
    cases = [one for one in load_cases(where, bundle) if containing in one.case.name]
    if not cases:
        click.echo(f"No case to run in {where / 'tests'}.", err=True)
        return FOUND
    detect = detecting(bundle) if any(one.case.message is not None for one in cases) else None
    results = [run_case(bundle, one, detect) for one in cases]
    failed = [result for result in results if result.failures]
    if as_json:
        told = [
            {"name": one.placed.case.name, "where": one.placed.where, "failures": list(one.failures)} for one in results
        ]
        click.echo(json.dumps({"revision": bundle.revision, "cases": told}, indent=2))
    else:
        for result in results if verbose else failed:
            click.echo(
                f"{'FAILED' if result.failures else 'passed'}  {result.placed.case.name}  [{result.placed.where}]"
            )
            for line in result.failures:
                click.echo(f"        {line}")
        click.echo(f"{len(results) - len(failed)} of {len(results)} cases passed ({bundle.revision})")
    return FOUND if failed else 0
