"""One case of every scenario over HTTP, each on a server of its own; `handrail eval --over http` plays all of them."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from handrail.agent.ports import Model
from handrail.evals.over_http import OverHttp, over_http
from handrail.evals.report import failure
from handrail.evals.runner import Case, Outcome, play
from handrail.evals.scenario import Behaviour
from handrail.evals.scenario_files import load

SCENARIOS = tuple(file.scenario for file in load())


def sample() -> tuple[Case, ...]:
    """Another wording and another behaviour from one scenario to the next, so that all of them have their turn."""
    return tuple(
        Case(scenario=one, wording=number % one.count + 1, behaviour=one.behaviours[number % len(one.behaviours)])
        for number, one in enumerate(SCENARIOS)
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers(models: Mapping[Behaviour, Model]) -> AsyncIterator[OverHttp]:
    """The sample base, ingested once; servers are started case by case."""
    async with over_http(models) as target:
        yield target


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in sample()])
async def test_scenario_over_http(servers: OverHttp, case: Case) -> None:
    """What holds for callers in the process holds on the wire."""
    async with servers.behaving(case.behaviour):
        result = await play(servers, case)
    assert result.outcome is Outcome.PASSED, failure(result)


@pytest.mark.asyncio(loop_scope="session")
async def test_what_a_case_changes_is_gone_in_the_next(servers: OverHttp) -> None:
    """The same subscription can be cancelled twice, because each case has a company of its own."""
    cancelling = next(one for one in SCENARIOS if one.id == "cancel_trial")
    for wording in (1, 2):
        result = await play(servers, Case(scenario=cancelling, wording=wording, behaviour=Behaviour.EMBEDDED))
        assert result.outcome is Outcome.PASSED, failure(result)
        assert "cancel_subscription" in result.turns[-1].ran


@pytest.mark.asyncio(loop_scope="session")
async def test_nothing_of_the_environment_is_written_to(
    servers: OverHttp, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A database that is set for real use stays untouched."""
    used = tmp_path_factory.mktemp("used") / "real.db"
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", f"sqlite:///{used}")
    async with servers.begin(SCENARIOS[0]) as dialogue:
        await dialogue.press()
    assert not used.exists()
