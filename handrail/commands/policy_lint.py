"""`handrail policy lint`: what is wrong or questionable in a bundle."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.commands.policy_folder import FOLDER, FOUND, folder_or_default

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.evals.policy.lint.finding import LintFinding
    from handrail.guardrails.bundle.bundle import Bundle

UNUSABLE = 2
"""Exit code when the bundle does not load."""


@click.command()
@FOLDER
@click.option("--json", "form", flag_value="json", help="Print the findings as JSON.")
@click.option("--sarif", "form", flag_value="sarif", help="Print the findings as SARIF 2.1.0, for code review.")
@click.option("--strict", is_flag=True, help="Let notes count, too.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The date that decides which reviews are overdue.")
def lint(folder: Path | None, form: str | None, strict: bool, today: datetime | None) -> int:
    """Report what is wrong or questionable in the bundle in FOLDER (the one of HANDRAIL_BUNDLE by default).

    Each finding has a stable code and says what to do. An entry may waive one: `waive: {LINT_CODE: why}`.

    Exits with 2 when the bundle cannot be loaded (every problem is listed, with file and line), with 1 when there are
    errors or warnings, and with 0 otherwise; notes count with --strict only.
    """
    from handrail.evals.policy.lint.lint import lint as find
    from handrail.guardrails.bundle.loader import load
    from handrail.guardrails.errors import ConfigError

    where = folder_or_default(folder)
    try:
        bundle = load(where)
    except ConfigError as error:
        if form is None:
            raise
        _print_unusable(form, where, error.problems)
        return UNUSABLE
    day = (today or datetime.now(UTC)).date()
    found = find(bundle, day, folder=where)
    _print(form, where, bundle, found)
    return FOUND if any(strict or one.level != "note" for one in found) else 0


def _print(form: str | None, where: Path, bundle: Bundle, found: Sequence[LintFinding]) -> None:
    if form == "json":
        findings = [one.model_dump(mode="json") for one in found]
        click.echo(json.dumps({"revision": bundle.revision, "findings": findings}, indent=2))
    elif form == "sarif":
        from handrail.evals.policy.lint.sarif import sarif

        click.echo(json.dumps(sarif(found, bundle.revision, _uri(where)), indent=2))
    else:
        for one in found:
            click.echo(f"{one.where}: {one.level.value}: {one.code}  {one.subject}: {one.message}")
        summary = f"{len(bundle.policy.rules)} rules, {len(bundle.segments)} active segments, {len(bundle.tools)} tools"
        click.echo(f"Bundle {bundle.manifest.version} ({bundle.revision}): {summary}, {_counted(found)}")


def _print_unusable(form: str, where: Path, problems: Sequence[str]) -> None:
    """What stops the start, in the form that was asked for; what reads it need not know another one."""
    from handrail.evals.policy.lint.sarif import load_problems, sarif

    found = list(load_problems(problems))
    if form == "json":
        findings = [one.model_dump(mode="json") for one in found]
        click.echo(json.dumps({"revision": None, "findings": findings}, indent=2))
    else:
        click.echo(json.dumps(sarif(found, None, _uri(where)), indent=2))


def _uri(folder: Path) -> str:
    return f"{folder.resolve().as_uri()}/"


def _counted(found: Sequence[LintFinding]) -> str:
    levels = [one.level.value for one in found]
    parts = [f"{levels.count(level)} {level}s" for level in dict.fromkeys(levels)]
    return f"{len(found)} findings" + (f" ({', '.join(parts)})" if parts else "")
