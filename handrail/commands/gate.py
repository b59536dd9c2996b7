"""`handrail gate`: which proposed calls the pack of a company allows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from handrail.evals.packs.play import Outcome

FOUND = 1
"""Exit code when something wrong was found."""

EXAMPLE = """\b
Example:
  handrail gate --pack evals/packs/retail --data shop --cases shop/cases.jsonl --out decisions.jsonl
"""
_FOLDER = click.Path(path_type=Path)


@click.command(epilog=EXAMPLE)
@click.option("--pack", "folder", required=True, type=_FOLDER, help="Folder of the pack: tools, rules, reasons, facts.")
@click.option("--data", required=True, type=_FOLDER, help="Folder with the records that the pack names.")
@click.option("--cases", "source", required=True, type=_FOLDER, help="Proposed calls, one JSON object per line.")
@click.option("--out", type=_FOLDER, help="Write one decision per line here: id, decision, reasons, rules.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def gate(folder: Path, data: Path, source: Path, out: Path | None, as_json: bool) -> int:
    """Decide every proposed call of a file by the rules of a pack, and print how many of each kind were allowed.

    A line is {"id", "task_id", "action", "arguments", "context": {"authenticated_user_id", "user_confirmed"}}. Lines of
    one task follow one another: each call that is allowed changes the records for the next, and every task begins from
    the records in the file. "kind" and "expected" (allow, block) are compared and counted, and never decide.

    Exits with 1 when a line cannot be read or is decided otherwise than expected, and with 2 when the pack or its data
    do not load.
    """
    from handrail.evals.packs.opening import open_run
    from handrail.evals.packs.play import play
    from handrail.evals.packs.report import report, table

    if out is not None and out.resolve() == source.resolve():
        raise click.UsageError("--out and --cases are the same file; write to another one.")
    run = open_run(folder, data, source)
    outcomes = play(run.pack, run.records, run.cases)
    found = report(run.pack.manifest.company, run.pack.revision, outcomes)
    if out is not None:
        _write(out, outcomes)
    for problem in found.problems:
        click.echo(problem, err=True)
    click.echo(found.model_dump_json(indent=2) if as_json else table(found))
    return 0 if found.good else FOUND


def _write(out: Path, outcomes: Iterable[Outcome]) -> None:
    import json

    try:
        with out.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(outcome.line(), ensure_ascii=False) + "\n" for outcome in outcomes)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from error
