"""The shipped bundle."""

from importlib.resources import files
from pathlib import Path

import pytest

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(Path(str(files("handrail.guardrails") / "policies")))
