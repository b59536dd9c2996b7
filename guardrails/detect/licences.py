"""Licences of data sets, as a model's card states them."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from handrail.guardrails.errors import ConfigError

_LICENCES = TypeAdapter(dict[str, str])


def read_licences(path: Path) -> dict[str, str]:
    """The licence of each data set named in a YAML file.

    Raises:
        ConfigError: it is no mapping of names to licences.
    """
    try:
        return _LICENCES.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError, OSError) as error:
        raise ConfigError([f"{path}: expected a line `data set: licence` for each ({error})"]) from error
