"""Reading the detection folder of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from handrail.guardrails.detect.config import (
    DetectionConfig,
    IntentFile,
    LanguageFile,
    ShorthandFile,
    SignalSpec,
    Thresholds,
)
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.yamlsource import Problem, read

ModelT = TypeVar("ModelT", bound=BaseModel)


def shipped_detection() -> Path:
    """The detection folder of the shipped bundle."""
    return Path(__file__).resolve().parents[1] / "policies" / "detection"


def load_detection(folder: Path) -> DetectionConfig:
    """Read `thresholds.yaml`, `languages.yaml`, `shorthand.yaml`, `intents/*.yaml` and `signals/*.yaml` of `folder`.

    Raises:
        ConfigError: lists every problem of every file, with file and line.
    """
    problems: list[Problem] = []
    thresholds = _parse(folder / "thresholds.yaml", folder, Thresholds, problems)
    languages = _parse(folder / "languages.yaml", folder, LanguageFile, problems)
    shorthand = _parse(folder / "shorthand.yaml", folder, ShorthandFile, problems)
    intents = [_parse(path, folder, IntentFile, problems) for path in sorted((folder / "intents").glob("*.yaml"))]
    signals = [_parse(path, folder, SignalSpec, problems) for path in sorted((folder / "signals").glob("*.yaml"))]
    if problems or thresholds is None or languages is None or shorthand is None:
        raise ConfigError([str(problem) for problem in sorted(problems)])
    return DetectionConfig.from_documents(
        thresholds,
        [file for file in intents if file is not None],
        [signal for signal in signals if signal is not None],
        languages,
        shorthand,
    )


def _parse(path: Path, folder: Path, model: type[ModelT], problems: list[Problem]) -> ModelT | None:
    document = read(path, path.relative_to(folder).as_posix(), problems)
    return None if document is None else document.parse(model, problems)
