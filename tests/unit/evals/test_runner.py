import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from handrail.evals.observed import Observed
from handrail.evals.runner import WRONG_CODE, Case, CaseResult, Outcome, cases, play, run
from handrail.evals.scenario import Behaviour, Scenario
from handrail.evals.target import Dialogue
from tests.unit.evals.fake_target import FakeTarget, scenario, seen


def case(one: Scenario, wording: int = 1) -> Case:
    """One case of a scenario."""
    return Case(scenario=one, wording=wording, behaviour=one.behaviours[0])


async def test_a_case_passes_when_everything_holds() -> None:
    """The transcript is kept."""
    result = await play(FakeTarget(lambda text: seen(f"You said {text}.")), case(scenario(), 2))
    assert result.outcome is Outcome.PASSED
    assert [(turn.text, turn.reply) for turn in result.turns] == [("two", "You said two.")]


async def test_a_case_fails_when_something_differs() -> None:
    """The later turns are still played, for the transcript."""
    one = scenario(
        turns=[{"say": "{opening}", "expect": {"status": ["queued"]}}, {"say": "more", "expect": {"status": ["bot"]}}]
    )
    result = await play(FakeTarget(lambda _: seen()), case(one))
    assert result.outcome is Outcome.FAILED
    assert result.problems == ("turn 1: the conversation is bot, not queued",)
    assert len(result.turns) == 2


async def test_a_broken_invariant_fails_a_turn_that_expects_nothing() -> None:
    """The checks of every turn cannot be switched off."""
    one = scenario(turns=[{"say": "{opening}"}, {"say": "more", "expect": {"status": ["bot"]}}])
    result = await play(FakeTarget(lambda text: seen("" if text == "one" else "Hello.")), case(one))
    assert result.outcome is Outcome.FAILED


async def test_a_crash_is_no_failure() -> None:
    """It says something of the target, not of policy."""

    def answer(text: str) -> Observed:
        raise ConnectionError("gone")

    result = await play(FakeTarget(answer), case(scenario()))
    assert (result.outcome, result.why) == (Outcome.CRASHED, "turn 1: ConnectionError: gone")


async def test_a_target_that_hangs_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """One conversation cannot stop the run."""
    monkeypatch.setattr("handrail.evals.runner.CASE_SECONDS", 0.0)

    class Hanging(FakeTarget):
        @asynccontextmanager
        async def begin(self, scenario: Scenario) -> AsyncIterator[Dialogue]:
            await asyncio.Event().wait()
            async with super().begin(scenario) as dialogue:
                yield dialogue

    result = await play(Hanging(seen), case(scenario()))
    assert result.outcome is Outcome.CRASHED
    assert "took longer" in result.why


async def test_a_step_without_its_ground_is_a_failure() -> None:
    """No code was sent, so none can be typed."""
    one = scenario(turns=[{"say": "{opening}", "expect": {"status": ["bot"]}}, {"step_up": "code"}])
    result = await play(FakeTarget(lambda _: seen()), case(one))
    assert (result.outcome, result.why) == (Outcome.FAILED, "turn 2: no code was sent to the customer")


async def test_button_code_and_operator_are_played() -> None:
    """Each kind of turn reaches the target in its own way."""
    one = scenario(
        turns=[
            {"say": "{opening}", "expect": {"status": ["bot"]}},
            {"step_up": "code"},
            {"step_up": "wrong"},
            {"operator": "approve"},
            {"button": "person"},
        ]
    )
    result = await play(FakeTarget(seen, sent="123456"), case(one))
    assert [turn.reply for turn in result.turns] == ["one", "123456", WRONG_CODE, "<approve>", "<button>"]
    assert result.turns[3].speaker == "operator"


async def test_a_turn_is_left_out_when_nobody_asked() -> None:
    """Some wordings answer a question ahead."""
    turns = [
        {"say": "{opening}", "expect": {"status": ["bot"]}},
        {"say": "the app", "only_if": "which one"},
        {"say": "thanks"},
    ]
    asking = FakeTarget(lambda text: seen("Which  one?" if text == "one" else "Good."))
    assert len((await play(asking, case(scenario(turns=turns), 1))).turns) == 3
    assert len((await play(asking, case(scenario(turns=turns), 2))).turns) == 2


async def test_what_a_target_lacks_is_not_run() -> None:
    """It is neither passed nor failed, and says why."""
    target = FakeTarget(lambda _: seen(), missing={Behaviour.LIAR: "no liar here"})
    result = await play(target, case(scenario(model={"standin": "liar"})))
    assert (result.outcome, result.why) == (Outcome.NOT_RUN, "no liar here")
    assert target.played == []


async def test_only_one_behaviour_is_current_at_a_time() -> None:
    """A target with one model can switch it between the groups."""
    target = FakeTarget(lambda _: seen())
    chosen = cases([scenario(id="a", model={"standin": ["liar", "greedy"]}), scenario(id="b")])
    done: list[CaseResult] = []
    results = await run(target, chosen, jobs=3, done=done.append)
    assert [result.name for result in results] == [one.name for one in chosen]
    assert len(done) == 15
    assert sorted(set(target.played), key=str) == [
        ("a", Behaviour.GREEDY),
        ("a", Behaviour.LIAR),
        ("b", Behaviour.EMBEDDED),
    ]


async def test_no_more_conversations_than_jobs_are_open() -> None:
    """The limit holds over all scenarios."""
    opened: list[int] = []

    class Counting(FakeTarget):
        @asynccontextmanager
        async def begin(self, scenario: Scenario) -> AsyncIterator[Dialogue]:
            opened.append(opened[-1] + 1 if opened else 1)
            await asyncio.sleep(0)
            async with super().begin(scenario) as dialogue:
                yield dialogue
            opened.append(opened[-1] - 1)

    await run(Counting(lambda _: seen()), cases([scenario(id="a"), scenario(id="b")]), jobs=2)
    assert max(opened) == 2


def test_cases_are_named_and_chosen_by_name() -> None:
    """The name holds the scenario, the behaviour of a stand-in and the wording."""
    chosen = cases([scenario(id="plain"), scenario(id="hostile", model={"standin": ["liar"]})])
    assert [one.name for one in chosen][:1] == ["plain[1]"]
    assert [one.name for one in cases([one.scenario for one in chosen[5:6]], "liar-3")] == ["hostile[liar-3]"]
