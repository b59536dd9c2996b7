"""The prover's logic says of every input exactly what `assign` and `decide` do: the two are held against each other."""

from random import Random

import pytest

from handrail.evals.policy.space import Space
from handrail.guardrails.bundle.bundle import Bundle
from tests.unit.evals.policy.against_decide import Assigned, Examined
from tests.unit.evals.policy.drawn_bundle import drawn


@pytest.fixture(scope="module")
def examined(shipped: Bundle, shipped_space: Space) -> Examined:
    """The shipped bundle with everything that is asked of its decisions."""
    return Examined(shipped, shipped_space)


@pytest.mark.parametrize("seed", range(3))
def test_the_shipped_bundle_decides_as_its_logic_says(examined: Examined, seed: int) -> None:
    """At every stage and for every tool, each dimension, reason, determining rule, condition and segment agrees."""
    random = Random(seed)  # noqa: S311 - inputs that can be drawn again, nothing secret
    for _ in range(10):
        assert not list(examined.mismatches(Assigned(examined.space, random)))


@pytest.mark.parametrize("seed", range(20))
def test_a_drawn_bundle_decides_as_its_logic_says(shipped: Bundle, seed: int) -> None:
    """The same for bundles of strange conditions: k of n, negations, unknowns, holds, holdouts, facts of tools."""
    random = Random(seed)  # noqa: S311 - inputs that can be drawn again, nothing secret
    bundle = drawn(shipped, random)
    space = Space([bundle])
    made = Examined(bundle, space)
    for _ in range(12):
        assert not list(made.mismatches(Assigned(space, random)))
