"""Fixtures and settings for all tests."""

import pytest
from hypothesis import settings

from handrail.guardrails.encoder import MiniLMEncoder
from handrail.guardrails.model_folder import default_cache_dir, find_model

# A slow machine is no defect: no deadlines. The same examples everywhere: a red run can be repeated.
settings.register_profile("handrail", deadline=None, derandomize=True)
settings.load_profile("handrail")


@pytest.fixture(scope="session")
def minilm() -> MiniLMEncoder:
    """The installed sentence encoder; `make test` installs it first."""
    return MiniLMEncoder.load(find_model(default_cache_dir()))
