"""Play a suite of AgentDojo: ``python -m handrail.evals.agentdojo --suite workspace``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from handrail.evals.agentdojo.play import play
from handrail.evals.agentdojo.report import report, table
from handrail.evals.agentdojo.shapes import Attack, Suite
from handrail.evals.packs.loader import load_pack
from handrail.guardrails.errors import ConfigError

VERSION = "v1.1.2"
SUITES = ("workspace", "travel", "banking", "slack")
ATTACK = "important_instructions_no_names"
PACKS = "packs"


@click.command()
@click.option("--suite", "names", multiple=True, type=click.Choice(SUITES), default=SUITES, help="Default: all four.")
@click.option("--version", default=VERSION, show_default=True, help="The version of the benchmark.")
@click.option("--attack", "attacking", default=ATTACK, show_default=True, help="How AgentDojo words the injections.")
@click.option("--pack", "folder", type=click.Path(path_type=Path), help="Another pack than the suite's own.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, one line per suite.")
def main(names: tuple[str, ...], version: str, attacking: str, folder: Path | None, as_json: bool) -> None:
    """Play suites of AgentDojo with the worst obedient model, each of its calls decided by the suite's pack.

    Nothing is asked of any model and nothing leaves this machine. Install the benchmark into a virtual environment
    that has Handrail: pip install agentdojo.
    """
    try:
        from agentdojo.attacks import load_attack
        from agentdojo.task_suite import get_suite
    except ImportError as error:
        raise click.ClickException(f"AgentDojo is missing ({error}). Install it: pip install agentdojo") from error
    for name in names:
        suite: Suite = get_suite(version, name)
        own = Path(str(files("handrail.evals.agentdojo"))) / PACKS / name
        try:
            pack = load_pack(folder or own)
        except ConfigError as error:
            raise click.ClickException("\n".join(error.problems)) from error
        attack: Attack = load_attack(attacking, suite, _Target())
        found = report(f"{name} {version}", pack.manifest.company, pack.revision, tuple(play(suite, pack, attack)))
        click.echo(found.model_dump_json() if as_json else table(found))


class _Target:
    """Whom the attack addresses: AgentDojo asks for the name of a model that it knows."""

    name = "local"


if __name__ == "__main__":
    main()
