"""The shipped detection, trained once for all tests of this folder."""

from pathlib import Path

import pytest

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.load import load_detection, shipped_detection
from handrail.guardrails.detect.suite import DetectorSuite
from handrail.guardrails.encoder import MiniLMEncoder
from handrail.guardrails.model_folder import default_cache_dir


@pytest.fixture(scope="session")
def shipped() -> DetectionConfig:
    """The detection section of the shipped bundle."""
    return load_detection(shipped_detection())


@pytest.fixture(scope="session")
def suite(shipped: DetectionConfig, minilm: MiniLMEncoder) -> DetectorSuite:
    """Every detector of the shipped bundle with the installed encoder."""
    return DetectorSuite.build(shipped, minilm, default_cache_dir())


@pytest.fixture(scope="session")
def detection_folder() -> Path:
    """Where the shipped detection section lies."""
    return shipped_detection()
