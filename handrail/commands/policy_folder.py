"""The bundle that a policy command is about: a folder that is named, or the one that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from handrail.guardrails.bundle.bundle import Bundle
    from handrail.guardrails.vocabulary import Detection

FOUND = 1
"""Exit code when something wrong was found."""

FOLDER = click.argument("folder", required=False, type=click.Path(path_type=Path))


def folder_or_default(folder: Path | None) -> Path:
    """`folder`, else the one of HANDRAIL_BUNDLE, else the shipped bundle."""
    if folder is not None:
        return folder
    from importlib.resources import files

    from handrail.agent.settings import load_settings

    return load_settings().bundle or Path(str(files("handrail.guardrails") / "policies"))


def detecting(bundle: Bundle) -> Callable[[str], Detection]:
    """Real detection with the intents and signals of `bundle`. Raises EncoderUnavailable without the encoder."""
    from handrail.agent.settings import load_settings
    from handrail.guardrails.detect.suite import DetectorSuite
    from handrail.guardrails.encoder import MiniLMEncoder
    from handrail.guardrails.model_folder import find_model

    settings = load_settings()
    encoder = MiniLMEncoder.load(find_model(settings.cache_dir))
    suite = DetectorSuite.build(bundle.detection, encoder, settings.cache_dir, settings.detection_model)
    return suite.detect
