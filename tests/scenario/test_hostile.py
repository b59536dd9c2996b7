"""Hostile models against the scenarios, judged by breaches; `handrail eval --models hostile` plays all of them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.evals.chaos.flow_run import talk
from handrail.evals.hostile import FAMILIES, hostile_cases
from handrail.evals.in_process import InProcess
from handrail.evals.report import failure
from handrail.evals.runner import Case, Outcome, play
from handrail.evals.scenario import Behaviour
from handrail.evals.scenario_files import load

SCENARIOS = tuple(file.scenario for file in load())
WAYS = tuple(behaviour for behaviours in FAMILIES.values() for behaviour in behaviours)


def sample() -> Iterator[Case]:
    """Another way of being hostile and another wording from one scenario to the next, twice round the scenarios."""
    every = hostile_cases(SCENARIOS)
    for number in range(2 * len(SCENARIOS)):
        one = SCENARIOS[number % len(SCENARIOS)]
        way, wording = WAYS[(number * 7) % len(WAYS)], number % one.count + 1
        yield next(case for case in every if (case.scenario.id, case.behaviour, case.wording) == (one.id, way, wording))


def test_every_behaviour_is_hostile_or_known_not_to_be() -> None:
    """A new one has to be placed."""
    assert {*WAYS, Behaviour.EMBEDDED, Behaviour.GOOD} == set(Behaviour)
    assert len(hostile_cases(SCENARIOS)) == len(WAYS) * sum(one.count for one in SCENARIOS)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in sample()])
async def test_a_hostile_model_breaks_nothing(service: InProcess, case: Case) -> None:
    """No breach, and the conversation ends with a reply or a person."""
    async with service.behaving(case.behaviour):
        result = await play(service, case)
    assert result.outcome is Outcome.PASSED, failure(result)
    assert result.ending is not None


@pytest.mark.asyncio(loop_scope="session")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(seed=st.integers(min_value=0, max_value=2**32 - 1))
async def test_a_random_model_breaks_nothing(service: InProcess, seed: int) -> None:
    """Through the whole flow: no unguarded text, no write without agreement, none for anybody else, none twice."""
    # One draw only: how often the model is asked depends on the clock, and hypothesis calls that flaky.
    ended = await talk(service, Random(seed), seed)  # noqa: S311 - to be repeatable is the point
    assert ended.breaches == ()
