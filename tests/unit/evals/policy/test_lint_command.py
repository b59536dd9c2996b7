"""`handrail policy lint`: what it prints, and what it exits with."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from handrail.cli import root, run
from handrail.evals.policy.lint.checks import CODES
from handrail.evals.policy.schema import FOLDER, write_schema
from handrail.guardrails.bundle.loader import load
from tests.unit.bundle.conftest import Folder

DAY = ("--today", "2026-12-01")
LABEL = ("segments/trial.yaml", "  skills: [trial]\n", "")
WINDOW = "  - {fact: runs_1h, meaning: tools run, count: tool_run, within_minutes: 60}\n"


@pytest.fixture
def bare(quick: Folder) -> Folder:
    """A copy of the shipped bundle without schema files, which every new name would make stale."""
    shutil.rmtree(quick.path / FOLDER, ignore_errors=True)
    return quick


def command(*arguments: str) -> int:
    """The exit code of `handrail policy lint` with these arguments."""
    return run(lambda: root.main(["policy", "lint", *arguments], standalone_mode=False))


def test_the_command_says_that_all_is_well(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """No finding ends with 0 and one line that names version and revision."""
    assert command(str(bare.path), *DAY) == 0
    bundle = load(bare.path)
    written = capsys.readouterr().out
    assert written.startswith(f"Bundle {bundle.manifest.version} ({bundle.revision}): ")
    assert written.endswith("0 findings\n")


def test_the_command_lists_findings_by_place(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """An error ends with 1, as text and as JSON."""
    bare.edit(*LABEL)
    line = bare.line("segments/trial.yaml", "id: trial")
    assert command(str(bare.path), *DAY) == 1
    start = f"segments/trial.yaml:{line}: error: LINT_SEGMENT_IS_LABEL  trial: changes no decision dimension"
    assert capsys.readouterr().out.startswith(start)
    assert command(str(bare.path), *DAY, "--json") == 1
    written = json.loads(capsys.readouterr().out)
    assert written["revision"] == load(bare.path).revision
    (finding,) = written["findings"]
    assert finding["message"].startswith("changes no decision dimension")
    del finding["message"]
    assert finding == {
        "code": "LINT_SEGMENT_IS_LABEL",
        "level": "error",
        "kind": "segment",
        "subject": "trial",
        "file": "segments/trial.yaml",
        "line": line,
    }


def test_notes_count_only_when_asked_for(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """A note is something to know, and stops nobody."""
    bare.add("attributes.yaml", WINDOW)
    assert command(str(bare.path), *DAY) == 0
    assert "note: LINT_WINDOW_UNUSED  runs_1h" in capsys.readouterr().out
    assert command(str(bare.path), *DAY, "--strict") == 1


def test_the_date_can_be_given(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """So that a report of today can be repeated tomorrow."""
    assert command(str(bare.path), "--today", "2030-01-01") == 1
    assert "LINT_REVIEW_OVERDUE  trial: was to be reviewed by 2027-03-31" in capsys.readouterr().out


def test_sarif_names_rule_level_and_place(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """What a code host needs to show a finding beside the line (SARIF 2.1.0, sections 3.19, 3.27 and 3.30)."""
    bare.edit(*LABEL)
    bare.add("attributes.yaml", WINDOW)
    assert command(str(bare.path), *DAY, "--sarif") == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    assert str(log["$schema"]).endswith("sarif-schema-2.1.0.json")
    (run_,) = log["runs"]
    driver = run_["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == ["LOAD", *(code.id for code in CODES)]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in driver["rules"])
    assert run_["originalUriBaseIds"] == {"BUNDLE": {"uri": f"{bare.path.resolve().as_uri()}/"}}
    places = {}
    for result in run_["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        artifact, region = (location["physicalLocation"][name] for name in ("artifactLocation", "region"))
        assert artifact["uriBaseId"] == "BUNDLE"
        places[result["ruleId"]] = (result["level"], artifact["uri"], region["startLine"])
    assert places == {
        "LINT_SEGMENT_IS_LABEL": ("error", "segments/trial.yaml", bare.line("segments/trial.yaml", "id: trial")),
        "LINT_WINDOW_UNUSED": ("note", "attributes.yaml", bare.line("attributes.yaml", "fact: runs_1h")),
    }


def test_the_command_lists_what_stops_a_start(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle that cannot be loaded ends with 2 and every problem on standard error."""
    bare.edit("bundle.yaml", "prompt: answer", "prompt: anser")
    bare.edit("bundle.yaml", "default_queue: general", "default_queue: generell")
    line = bare.line("bundle.yaml", "default_queue")
    assert command(str(bare.path)) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert "Error: 2 problems:" in written.err
    assert f"bundle.yaml:{line}: there is no queue 'generell'" in written.err
    assert command(str(bare.path / "nowhere")) == 2


def test_what_stops_a_start_is_told_in_the_form_asked_for(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """Who reads JSON or SARIF gets it then, too, with the place of every problem."""
    bare.edit("bundle.yaml", "default_queue: general", "default_queue: generell")
    line = bare.line("bundle.yaml", "default_queue")
    assert command(str(bare.path), "--json") == 2
    written = json.loads(capsys.readouterr().out)
    assert written["revision"] is None
    (finding,) = written["findings"]
    assert (finding["code"], finding["file"], finding["line"]) == ("LOAD", "bundle.yaml", line)
    assert command(str(bare.path), "--sarif") == 2
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("LOAD", "error")
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": line}
    assert command(str(bare.path / "nowhere"), "--sarif") == 2
    assert (
        "there is no bundle folder" in json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["message"]["text"]
    )


def test_schema_files_that_do_not_fit_any_more_are_found(bare: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """Written anew they fit; after a new window, editors would not know its name."""
    write_schema(bare.path, load(bare.path))
    assert command(str(bare.path), *DAY) == 0
    bare.add("attributes.yaml", WINDOW)
    capsys.readouterr()
    assert command(str(bare.path), *DAY) == 1
    assert "schema/rules.json:1: warning: LINT_SCHEMA_STALE" in capsys.readouterr().out


def test_the_command_has_help() -> None:
    """The exit codes are documented where they are looked for."""
    shown = CliRunner().invoke(root, ["policy", "lint", "--help"]).output
    assert "Exits with 2 when the bundle cannot be loaded" in " ".join(shown.split())
