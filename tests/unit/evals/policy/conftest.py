"""The bundle that a test may spoil, as the tests of the bundle itself use it, and the shipped one as logic."""

import shutil
from pathlib import Path

import pytest

from handrail.evals.policy.prove import Proof, prove
from handrail.evals.policy.space import Reading, Space
from handrail.evals.policy.symbolic import Decisions
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from tests.unit.bundle.conftest import folder, pristine, quick, reading, shipped
from tests.unit.evals.policy.small_bundle import make_small

__all__ = ["folder", "pristine", "quick", "reading", "shipped"]


@pytest.fixture(scope="session")
def shipped_space(shipped: Bundle) -> Space:
    """Every input of the shipped bundle."""
    return Space([shipped])


@pytest.fixture(scope="session")
def shipped_decisions(shipped: Bundle, shipped_space: Space) -> Decisions:
    """The decisions of the shipped bundle over all inputs."""
    return Decisions(Reading(shipped, shipped_space))


@pytest.fixture(scope="session")
def shipped_proofs(shipped: Bundle) -> tuple[Proof, ...]:
    """What becomes of every invariant of the shipped bundle."""
    return tuple(prove(shipped))


@pytest.fixture(scope="session")
def small_folder(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle, which nobody changes."""
    return make_small(pristine, tmp_path_factory.mktemp("small") / "policies")


@pytest.fixture(scope="session")
def small(small_folder: Path) -> Bundle:
    """The small bundle, loaded."""
    return load(small_folder)


@pytest.fixture
def small_copy(small_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small bundle that a test may change."""
    return Path(shutil.copytree(small_folder, tmp_path / "small"))
