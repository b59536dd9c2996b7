"""`handrail policy prove`: the invariants of a bundle, over all inputs."""

from __future__ import annotations

from pathlib import Path

import click

from handrail.commands.policy_folder import FOLDER, FOUND, folder_or_default


@click.command()
@FOLDER
@click.option("--only", "only", multiple=True, help="Only this invariant; may be given several times.")
@click.option("--json", "as_json", is_flag=True, help="Print the proofs as JSON.")
def prove(folder: Path | None, only: tuple[str, ...], as_json: bool) -> int:
    """Prove the invariants of the bundle in FOLDER over all inputs, or show the smallest input that breaks one.

    Inputs are all facts, known or not, and the segments of the turn before, in every arm of every holdout. Exits with 1
    when one is broken or says nothing, with 2 when the bundle does not load.
    """
    import json

    from handrail.evals.policy.proof_text import lines, plain
    from handrail.evals.policy.prove import prove as proofs_of
    from handrail.guardrails.bundle.loader import load

    bundle = load(folder_or_default(folder))
    known = {invariant.entry.id: invariant for invariant in bundle.invariants}
    missing = [name for name in only if name not in known]
    if missing:
        raise click.UsageError(f"There is no invariant {missing[0]!r}; there are {', '.join(sorted(known))}.")
    proofs = []
    for proof in proofs_of(bundle, [known[name] for name in only] if only else None):
        proofs.append(proof)
        if not as_json:
            click.echo("\n".join(lines(proof)))
    held = sum(proof.proved for proof in proofs)
    if as_json:
        click.echo(json.dumps(plain(proofs, bundle.revision), indent=2))
    else:
        seconds = sum(proof.seconds for proof in proofs)
        arms = 2 ** len(bundle.holdouts)
        click.echo(
            f"Bundle {bundle.manifest.version} ({bundle.revision}): {held} of {len(proofs)} invariants proved "
            f"over all inputs, in {arms} arms, in {seconds:.1f} s"
        )
    return 0 if held == len(proofs) else FOUND
