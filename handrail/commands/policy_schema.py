"""`handrail policy schema`: what editors need to complete and check the files of a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from handrail.commands.policy_folder import FOLDER, FOUND, folder_or_default


@click.command()
@FOLDER
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 and name the schema files that are not up to date."
)
@click.option(
    "--name-in-files", is_flag=True, help="Also give every YAML file that names no schema a first line that does."
)
def schema(folder: Path | None, check: bool, name_in_files: bool) -> int:
    """Write a JSON Schema for every kind of file of the bundle in FOLDER (the shipped one by default) to FOLDER/schema.

    Editors that read the first line of a YAML file then complete and check facts, values, reason codes and everything
    else that the bundle declares. What it declares stands in the schema: run this again when you have added an
    attribute, a tool, a queue, a reason code, a segment or a language, and with --name-in-files when you have added a
    file.

    Exits with 2 when the bundle cannot be loaded, with 1 when --check finds something, and with 0 otherwise.
    """
    from handrail.evals.policy import schema as editor
    from handrail.guardrails.bundle.loader import load

    if check and name_in_files:
        raise click.UsageError("--check writes nothing; leave out --name-in-files")
    place = folder_or_default(folder)
    bundle = load(place)
    if check:
        found = editor.stale(place, bundle)
        for name in found:
            click.echo(f"{name}: not up to date; run `handrail policy schema{_after(folder)}`")
        return FOUND if found else 0
    written = editor.write_schema(place, bundle)
    click.echo(f"{len(editor.KINDS)} schema files in {place / editor.FOLDER}, {len(written)} of them new or changed")
    if name_in_files:
        named = editor.name_in_files(place)
        click.echo(f"{len(named)} YAML files got a first line that names their schema")
    elif editor.nameless(place):
        left = ", ".join(editor.nameless(place))
        click.echo(f"Editors do not find the schema of {left}: use --name-in-files")
    return 0


def _after(folder: Path | None) -> str:
    return "" if folder is None else f" {folder}"
