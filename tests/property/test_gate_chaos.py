"""Random behaviours of a model through gate and journal (spec S7): `make soak` runs many more of them."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.evals.chaos.flow_run import Ended
from handrail.evals.chaos.gate_run import GateBench
from handrail.guardrails.bundle.loader import load

BEHAVIOURS = 5_000
PARTS = 4
"""As many as workers may share: 20,000 in all."""


@pytest.fixture(scope="module")
def bench() -> GateBench:
    """The gate with the shipped bundle."""
    return GateBench(load(Path(str(files("handrail.guardrails") / "policies"))))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(random=st.randoms(use_true_random=False))
def test_a_random_model_gets_nothing_through_the_gate(bench: GateBench, random: Random) -> None:
    """No write without allow, agreement and approval of exactly it, none for somebody else, none twice."""
    assert asyncio.run(bench.talk(random)).breaches == ()


@pytest.mark.parametrize("part", range(PARTS))
def test_twenty_thousand_behaviours_get_nothing_through_the_gate(bench: GateBench, part: int) -> None:
    """The same over fixed seeds; and writes do run, or all this would prove nothing."""

    async def many() -> list[Ended]:
        ended: list[Ended] = []
        seed = part
        while sum(one.behaviours for one in ended) < BEHAVIOURS:
            ended.append(await bench.talk(Random(seed), seed))  # noqa: S311 - to be repeatable is the point
            seed += PARTS
        return ended

    ended = asyncio.run(many())
    assert [one for one in ended if one.breaches] == []
    assert sum(one.writes for one in ended) > 50
