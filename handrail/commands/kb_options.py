"""What the commands of `handrail kb` share: where the base lies, which bundle speaks, settings, encoder and screen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from handrail.agent.settings import Settings
    from handrail.guardrails.encoder import Encoder
    from handrail.retrieval.reading.mapping import MetadataMapping
    from handrail.retrieval.screen import Screen

FOUND = 1
"""Exit code when something was found that should be looked at."""

DATA_DIR = click.option(
    "--data-dir",
    envvar="HANDRAIL_DATA_DIR",
    default="./.handrail",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where Handrail keeps its state (HANDRAIL_DATA_DIR); the base lies in kb/ below it.",
)
BUNDLE = click.option(
    "--bundle",
    envvar="HANDRAIL_BUNDLE",
    type=click.Path(file_okay=False, path_type=Path),
    help="The policy bundle that is asked (HANDRAIL_BUNDLE); the shipped one without it.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
MAPPING = click.option(
    "--mapping",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A YAML file that gives metadata to documents without front matter (docs/knowledge-base.md).",
)
TODAY = click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day that validity is asked for; today (UTC) without it.",
)


def day_of(today: datetime | None) -> date:
    """The day that was named, else the present one in UTC."""
    return (today or datetime.now(UTC)).date()


def base_in(data_dir: Path) -> Path:
    """The folder of the base."""
    return data_dir / "kb"


def bundle_or_shipped(bundle: Path | None) -> Path:
    """`bundle`, else the shipped one."""
    return Path(str(files("handrail.guardrails") / "policies")) if bundle is None else bundle


def mapping_in(path: Path | None) -> MetadataMapping | None:
    """The mapping in a file, if one is named. Raises ConfigError when it is wrong."""
    from handrail.retrieval.reading.mapping import load_mapping

    return None if path is None else load_mapping(path)


def settings_of(data_dir: Path) -> Settings:
    """The settings of the process, with this data folder. Raises ConfigError when one is wrong."""
    from handrail.agent.settings import load_settings

    return load_settings(overrides={"data_dir": data_dir})


def encoder() -> Encoder:
    """The installed encoder. Raises EncoderUnavailable without it."""
    from handrail.guardrails.encoder import CachingEncoder, MiniLMEncoder
    from handrail.guardrails.model_folder import default_cache_dir, find_model

    return CachingEncoder(MiniLMEncoder.load(find_model(default_cache_dir())))


def screen(bundle: Path | None) -> Screen:
    """What finds instructions to the model in articles, with the phrases of the bundle."""
    from handrail.guardrails.detect.articles import ArticleScreen
    from handrail.guardrails.detect.load import load_detection, shipped_detection

    return ArticleScreen(load_detection(shipped_detection() if bundle is None else bundle / "detection"))
