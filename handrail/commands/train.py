"""`handrail train`: learn the detection model from folders of labelled messages."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Example:
  handrail train evals/authored/needs evals/authored/signals evals/authored/injection \\
      --licences evals/authored/licences.yaml --out model.safetensors
"""


@click.command(epilog=EPILOG)
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER...",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The model file to write. Name it in HANDRAIL_DETECTION_MODEL to use it.",
)
@click.option(
    "--without", multiple=True, metavar="SOURCE", help="Leave out a data set, or one domain of it (set/domain)."
)
@click.option(
    "--licences",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file with the licence of each data set, for the model's card.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the model's card as JSON.")
def train(folders: tuple[Path, ...], out: Path, without: tuple[str, ...], licences: Path | None, as_json: bool) -> None:
    """Learn from every *.jsonl file in the folders and write one model file.

    A line holds "text" and what is known of it: "source", "need_state", "signals" (all that are present; [] for none),
    "injection", "where" (message, passage, tool_result), "risk", "confidence" (only `clear` rows are learnt from). The
    same files give the same model. Thresholds and calibration come from data sets that were left out in turn, so give
    it several.
    """
    from handrail.guardrails.detect.corpus import read_corpus
    from handrail.guardrails.detect.foundation_training import train_foundation
    from handrail.guardrails.detect.licences import read_licences
    from handrail.guardrails.encoder import MiniLMEncoder
    from handrail.guardrails.model_folder import default_cache_dir, find_model

    corpus = read_corpus(folders)
    for source in without:
        fewer = corpus.without(source)
        if len(fewer.rows) == len(corpus.rows):
            raise click.UsageError(f"No row has the source {source}.")
        corpus = fewer
    stated = read_licences(licences) if licences is not None else {}
    encoder = MiniLMEncoder.load(find_model(default_cache_dir()))
    trained = train_foundation(corpus, encoder, stated, report=lambda line: click.echo(line, err=True))
    trained.save(out)
    card = trained.card
    if as_json:
        click.echo(card.model_dump_json(indent=2))
        return
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB from {sum(used.rows for used in card.sources)} rows.")
    click.echo(
        f"On data sets left out: need state right {card.scores.need_accuracy:.3f}, calibration error "
        f"{card.scores.calibration_error:.3f}."
    )
    for code in card.codes:
        click.echo(
            f"  {code:22} found {card.scores.recalls[code]:.3f}, false alarms {card.scores.false_alarms[code]:.3f}"
        )
