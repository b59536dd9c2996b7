"""The benchmark of the guards measures what it says: whole replies with their passages, and calls that may run."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import islice
from pathlib import Path

import pytest

from handrail.cli import root, run
from handrail.evals.bench import guard as measuring
from handrail.evals.bench.guard import PASSAGES, WORDS, GuardBench, bench_guard, drawn_replies

FOLDER = Path(str(files("handrail.guardrails") / "policies"))


def test_replies_are_of_the_length_that_is_measured() -> None:
    """With all their passages, and the same every time."""
    drawn = list(islice(drawn_replies(), 12))
    assert all(len(one.reply.split()) == WORDS and len(one.passages) == PASSAGES for one in drawn)
    assert drawn == list(islice(drawn_replies(), 12))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> GuardBench:
    """A benchmark that is over soon."""
    found = bench_guard(FOLDER, replies=2, calls=8, rounds=1)
    monkeypatch.setattr(measuring, "bench_guard", lambda _: found)
    return found


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `handrail bench guard` prints."""
    assert run(lambda: root.main(args=["bench", "guard", *arguments], prog_name="handrail", standalone_mode=False)) == 0
    return capsys.readouterr().out


def test_the_figures_are_printed(small: GuardBench, capsys: pytest.CaptureFixture[str]) -> None:
    """CPU and wall of each of the three, and what is aimed at."""
    text = printed(capsys)
    for figure in (small.reply, small.fresh, small.gate):
        assert figure.name in text
        assert f"{figure.cpu_p50_ms:.3f}" in text
        assert f"{figure.wall_p95_ms:.3f}" in text
    assert text.count("(aim 1)") == 2
    assert json.loads(printed(capsys, "--json")) == small.model_dump(mode="json")


def test_the_calls_are_decided_on_all_their_facts(small: GuardBench) -> None:
    """A call that is refused for a broken argument costs less, and would flatter the figure."""
    assert small.calls == 8
    assert small.allowed > 0
