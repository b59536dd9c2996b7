"""Settings of a service that scenarios are played against: the user's, but with nothing of the user's to write to."""

from __future__ import annotations

from pathlib import Path

from handrail.agent.settings import Settings, load_settings


def own_settings(folder: Path) -> Settings:
    """The settings with `folder` as the data folder and a database of its own in it. Raises ConfigError."""
    # INVARIANT: an empty URL wins over the environment's, so that a run never writes into a database that is in use.
    return load_settings(overrides={"data_dir": folder, "database_url": ""})
