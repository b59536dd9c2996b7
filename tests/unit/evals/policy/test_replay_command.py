"""`handrail policy replay` and `handrail policy experiments`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from handrail.commands.policy_experiments import experiments
from handrail.commands.policy_replay import replay
from handrail.evals.policy.replay_report import ReplayReport
from handrail.guardrails.bundle.loader import load
from tests.support.bundles import SHIPPED, edited, rule
from tests.support.turn_logs import Told, write


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A log of two turns under the shipped bundle."""
    address = f"sqlite:///{tmp_path_factory.mktemp('log') / 'handrail.db'}"
    write(address, load(SHIPPED), [Told("c1", {"intent": "import_export"}), Told("c2")])
    return address


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle that brings a person to one of them."""
    folder = tmp_path_factory.mktemp("candidate") / "bundle"
    edited(
        folder,
        rule("turn.export", "apply_policy", "ESC_CRITICAL_RISK", "{intent: import_export}", effect="escalate"),
    )
    return folder


def run(*words: str) -> Result:
    """Call `replay`, and return with its exit code as `handrail` does."""
    return CliRunner().invoke(replay, words, standalone_mode=False)


def test_the_served_bundle_is_replayed_by_default(url: str) -> None:
    """Every decision comes out as recorded, and --exact says so."""
    found = run("--database", url, "--exact")
    assert found.return_value == 0
    assert "Turns read: 2, replayed: 2" in found.output
    assert "Changed: 0 of 2" in found.output
    assert "Exact: every decision came out as it was recorded." in found.output


def test_a_candidate_is_reported(url: str, candidate: Path) -> None:
    """What changes, which people it brings, what that costs, and that the log is of another revision."""
    found = run(str(candidate), "--database", url, "--hourly-cost", "30")
    assert found.return_value == 0
    assert "Changed: 1 of 2" in found.output
    assert "The log was made under another revision" in found.output
    assert "apply_policy: allow -> escalate" in found.output
    assert "1 more turns go to people, 0 fewer" in found.output
    assert "+12 minutes of people, +6000.0 per 1,000 turns; at 30 an hour +6.00, +3000.00 per 1,000" in found.output


def test_a_difference_is_not_exact(url: str, candidate: Path) -> None:
    """Exit code 1, and a word on the error stream."""
    found = run(str(candidate), "--database", url, "--exact")
    assert found.return_value == 1
    assert "Not exact" in found.stderr


def test_the_report_is_json_when_asked(url: str, candidate: Path) -> None:
    """Whole, readable again as the report, and nothing else on standard output."""
    found = run(str(candidate), "--database", url, "--json", "--last", "5")
    report = ReplayReport.model_validate_json(found.output)
    assert (report.read.turns, report.changed.successes) == (2, 1)


def test_experiments_are_reported(url: str) -> None:
    """The shipped holdouts stand ready: nobody is held out."""
    text = CliRunner().invoke(experiments, ["--database", url], standalone_mode=False)
    assert "SHADOW RULES\n  None applied." in text.output
    assert "no_segments: 0 conversations held out (0 turns), 2 not (2 turns)" in text.output
    plain = CliRunner().invoke(experiments, ["--database", url, "--json"], standalone_mode=False)
    assert json.loads(plain.output)["turns"] == 2


@pytest.mark.parametrize("words", [("--last", "0"), ("--since", "yesterday"), ("--hourly-cost", "-1")])
def test_wrong_use_is_told(url: str, words: tuple[str, str]) -> None:
    """Click says which option is wrong."""
    assert CliRunner().invoke(replay, ["--database", url, *words]).exit_code == 2
