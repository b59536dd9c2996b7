"""The bundle that a test may spoil, as the tests of the bundle itself use it, and the shipped one as logic."""

import pytest

from handrail.evals.policy.prove import Proof, prove
from handrail.evals.policy.space import Reading, Space
from handrail.evals.policy.symbolic import Decisions
from handrail.guardrails.bundle.bundle import Bundle
from tests.unit.bundle.conftest import folder, pristine, quick, reading, shipped

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
