import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from handrail.cli import root, run
from handrail.commands import eval as command
from handrail.evals.observed import Observed
from handrail.evals.target import Target
from tests.unit.evals.fake_target import FakeTarget, seen
from tests.unit.evals.test_scenario import FILE


def call(*arguments: str) -> int:
    """The exit code of `handrail eval`."""
    return run(lambda: root.main(args=["eval", *arguments], prog_name="handrail", standalone_mode=False))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Observed]:
    """What the target answers instead of a real service: the last entry."""
    given = [seen()]

    @asynccontextmanager
    async def fake(*_: object) -> AsyncIterator[Target]:
        yield FakeTarget(lambda _: given[-1])

    monkeypatch.setattr(command, "_target", fake)
    return given


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one scenario."""
    path = tmp_path / "scenarios"
    path.mkdir()
    (path / "sample.yaml").write_text(FILE, encoding="utf-8")
    return path


def test_all_well_is_zero_and_every_report_is_written(folder: Path, tmp_path: Path, answers: list[Observed]) -> None:
    """The reports' folders are made when they are missing."""
    out = tmp_path / "out"
    code = call(
        str(folder), "--json", str(out / "r.json"), "--junit", str(out / "r.xml"), "--html", str(out / "r.html")
    )
    assert code == 0
    assert json.loads((out / "r.json").read_text(encoding="utf-8"))["tally"]["passed"] == 5
    assert "<testsuites" in (out / "r.xml").read_text(encoding="utf-8")
    assert "<!doctype html>" in (out / "r.html").read_text(encoding="utf-8")


def test_a_failure_is_one_and_is_told(
    folder: Path, answers: list[Observed], capsys: pytest.CaptureFixture[str]
) -> None:
    """What differed stands on the terminal."""
    answers.append(seen(status="queued"))
    assert call(str(folder), "--filter", "sample[2]") == 1
    shown = capsys.readouterr().out
    assert "FAILED  sample[2]" in shown
    assert "the conversation is queued, not bot" in shown
    assert "held: 0 of 1" in shown


@pytest.mark.parametrize("broken", ["status: [bot]\n      colour: blue", "reasons_exclude: [NO_SUCH_CODE]"])
def test_an_unusable_file_is_two(folder: Path, broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names file and line; nothing is played."""
    (folder / "sample.yaml").write_text(FILE.replace("status: [bot]", broken), encoding="utf-8")
    assert call(str(folder)) == 2
    assert "scenarios/sample.yaml:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--filter", "no such case"),
        ("--served-model", "sleepy"),
        ("--data-dir", "somewhere"),
        ("--over", "http", "--url", "http://127.0.0.1:1"),
        ("--over", "carrier pigeon"),
    ],
)
def test_wrong_use_is_two(folder: Path, arguments: tuple[str, ...], answers: list[Observed]) -> None:
    """Nothing that was asked for can be played."""
    assert call(str(folder), *arguments) == 2


@pytest.mark.parametrize(("over", "name"), [("process", "in process"), ("http", "over HTTP")])
def test_the_report_says_how_the_service_was_reached(
    folder: Path, answers: list[Observed], over: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Figures of one way are no figures of the other."""
    assert call(str(folder), "--over", over) == 0
    assert name in capsys.readouterr().out


def test_list_names_the_cases_without_playing_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line per case."""
    assert call(str(folder), "--list") == 0
    assert capsys.readouterr().out.splitlines()[0] == "sample[1]  A sample"
