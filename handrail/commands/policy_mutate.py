"""`handrail policy mutate`: how many mistakes in a bundle would go unnoticed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.commands.policy_folder import FOLDER, FOUND, folder_or_default

if TYPE_CHECKING:
    from handrail.evals.policy.mutate import Score


@click.command()
@FOLDER
@click.option("--count", default=400, show_default=True, type=click.IntRange(1), help="How many mutations to try.")
@click.option("--all", "everything", is_flag=True, help="Try every mutation there is.")
@click.option("--seed", default=1, show_default=True, help="Which of them, where not all are tried.")
@click.option("-k", "containing", default="", help="Only mutations whose place or words contain this.")
@click.option("--json", "as_json", is_flag=True, help="Print every mutation and what became of it as JSON.")
def mutate(folder: Path | None, count: int, everything: bool, seed: int, containing: str, as_json: bool) -> int:
    """Make mistakes in a copy of the bundle in FOLDER, one at a time, and see whether anything notices.

    A mistake is caught when the copy no longer loads, when one of its policy tests fails, when an invariant can no
    longer be proved, or when lint has a new finding. It is equivalent when no input at all is decided differently.
    Prints what survived, then the score. Exits with 1 when something survived.
    """
    import json
    from datetime import UTC, datetime
    from functools import partial
    from tempfile import TemporaryDirectory

    from handrail.evals.policy.mutate import Bench, Fate, Score, findings, made, run, sampled
    from handrail.guardrails.bundle.loader import load

    source = folder_or_default(folder)
    known = [one for one in made(source, load(source)) if containing in one.name]
    if not known:
        raise click.UsageError(f"There is no mutation whose place or words contain {containing!r}.")
    chosen = known if everything else sampled(known, count, seed)
    with TemporaryDirectory() as scratch:
        bench = Bench.set_up(source, Path(scratch), partial(findings, today=datetime.now(UTC).date()))
        outcomes = []
        for number, outcome in enumerate(run(bench, chosen), start=1):
            outcomes.append(outcome)
            if outcome.fate is Fate.SURVIVED and not as_json:
                click.echo(f"SURVIVED  {outcome.mutation.name}\n          nobody looks at: {outcome.by}")
            if number % 100 == 0:
                click.echo(f"{number} of {len(chosen)} ...", err=True)
    score = Score(tuple(outcomes))
    if as_json:
        told = [_plain(one.mutation.name, one.mutation.kind, one.fate, one.by) for one in outcomes]
        click.echo(json.dumps(told, indent=2))
    else:
        _summed_up(score, len(known), bench.original.revision)
    return FOUND if score.count(Fate.SURVIVED) else 0


def _plain(name: str, kind: str, fate: str, by: str) -> dict[str, str]:
    return {"mutation": name, "kind": kind, "fate": fate, "by": by}


def _summed_up(score: Score, known: int, revision: str) -> None:
    from handrail.evals.interval import wilson
    from handrail.evals.policy.mutate import Fate

    fates = list(Fate)
    click.echo(f"{'':28}" + "".join(f"{fate.value:>11}" for fate in fates))
    for kind, counts in sorted(score.by_kind().items()):
        click.echo(f"{kind.value:28}" + "".join(f"{counts[fate]:>11}" for fate in fates))
    click.echo(f"{'together':28}" + "".join(f"{score.count(fate):>11}" for fate in fates))
    click.echo(f"Tried {len(score.outcomes)} of {known} mutations of bundle {revision}.")
    click.echo(f"Mutation score: {wilson(score.caught, score.counting)} of those that change a decision were noticed")
