"""`handrail policy test, coverage, prove, diff, mutate`: what they print, and 0, 1 or 2 at the end."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from handrail.cli import root, run
from handrail.commands.policy import policy
from tests.unit.evals.policy.planted import rewrite

COMMANDS = ("test", "coverage", "prove", "diff", "mutate")


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """The exit code of `handrail policy` with these arguments, and what it printed and complained."""
    given = ["policy", *(str(one) for one in arguments)]
    code = run(lambda: root.main(args=given, prog_name="handrail", standalone_mode=False))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def spoilt(small_copy: Path) -> Path:
    """A bundle with two mistakes, in two files."""
    rules = small_copy / "rules/all.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("has: HUMAN_REQUESTED", "has: HUMAN_REQUESTD"), "utf-8")
    tests = small_copy / "segments/enterprise.yaml"
    tests.write_text(tests.read_text(encoding="utf-8").replace("{plan: enterprise}", "{plann: enterprise}", 1), "utf-8")
    return small_copy


@pytest.fixture
def failing(small_copy: Path) -> Path:
    """A bundle of which one case fails and one invariant is broken."""

    def change(content: dict[str, object]) -> None:
        rules: list[dict[str, object]] = content["rules"]  # type: ignore[assignment]
        content["rules"] = [rule for rule in rules if rule["id"] != "turn.person"]

    rewrite(small_copy, "rules/all.yaml", change)  # type: ignore[arg-type]
    return small_copy


def test_the_group_lists_its_commands_in_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    """With the help that the command itself begins with."""
    code, out, _ = called(capsys, "--help")
    assert code == 0
    for name in COMMANDS:
        assert any(line.strip().startswith(f"{name} ") for line in out.splitlines()), name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_what_it_does_and_how_it_ends(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Every command has exit codes, and every option a sentence."""
    code, out, _ = called(capsys, name, "--help")
    assert code == 0
    assert "Exits with" in out
    command = policy.get_command(click.Context(policy), name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert options
    assert [one.name for one in options if not one.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_bundle_that_does_not_load_shows_all_its_problems(
    capsys: pytest.CaptureFixture[str], spoilt: Path, name: str
) -> None:
    """With file and line, on standard error, and 2."""
    code, out, err = called(capsys, name, *([spoilt, spoilt] if name == "diff" else [spoilt]))
    assert (code, out) == (2, "")
    assert "2 problems:" in err
    assert "rules/all.yaml:" in err
    assert "did you mean 'HUMAN_REQUESTED'" in err
    assert "segments/enterprise.yaml:" in err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_is_not_there_is_wrong_use(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    """And is named."""
    missing = tmp_path / "nowhere"
    code, _, err = called(capsys, name, *([missing, missing] if name == "diff" else [missing]))
    assert code == 2
    assert "nowhere" in err


def test_test_passes_and_names_the_revision(capsys: pytest.CaptureFixture[str], small_folder: Path) -> None:
    """Quietly; `-v` names every case with its place, and `-k` chooses."""
    code, out, _ = called(capsys, "test", small_folder)
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith("8 of 8 cases passed (")
    code, out, _ = called(capsys, "test", small_folder, "-v", "-k", "refund")
    assert code == 0
    assert out.startswith("passed  a refund waits  [tests/all.yaml:")
    assert "1 of 1 cases passed" in out


def test_test_shows_what_failed_in_words(capsys: pytest.CaptureFixture[str], failing: Path) -> None:
    """With the place of the case, and 1; as JSON the same."""
    code, out, _ = called(capsys, "test", failing)
    assert code == 1
    assert "FAILED  a person on request  [tests/all.yaml:" in out
    assert "        apply_policy: effect is allow, not escalate (POLICY_NEED_SERVED" in out
    assert out.splitlines()[-1].startswith("7 of 8 cases passed")
    code, out, _ = called(capsys, "test", failing, "--json")
    failures = {case["name"]: case["failures"] for case in json.loads(out)["cases"]}
    assert code == 1
    assert [name for name, lines in failures.items() if lines] == ["a person on request"]


def test_test_without_a_case_is_no_success(
    capsys: pytest.CaptureFixture[str], small_copy: Path, small_folder: Path
) -> None:
    """Neither with a folder without cases nor with a name that no case has."""
    (small_copy / "tests/all.yaml").unlink()
    for arguments in ([small_copy], [small_folder, "-k", "no such case"]):
        code, out, err = called(capsys, "test", *arguments)
        assert (code, out) == (1, "")
        assert "No case to run" in err


def test_a_mistake_in_a_case_is_wrong_use(capsys: pytest.CaptureFixture[str], small_copy: Path) -> None:
    """For each command that reads cases."""
    cases = small_copy / "tests/all.yaml"
    cases.write_text(cases.read_text(encoding="utf-8").replace("priority: high", "priority: hihg"), "utf-8")
    for name in ("test", "coverage", "mutate"):
        code, _, err = called(capsys, name, small_copy)
        assert code == 2
        assert "tests/all.yaml:" in err


def test_prove_proves(capsys: pytest.CaptureFixture[str], small_folder: Path) -> None:
    """Each invariant in a line, the sum at the end, and 0."""
    code, out, _ = called(capsys, "prove", small_folder)
    assert code == 0
    assert out.splitlines()[0].startswith("proved   person  (apply_policy")
    assert "4 of 4 invariants proved over all inputs, in 1 arms" in out.splitlines()[-1]
    code, out, _ = called(capsys, "prove", small_folder, "--only", "kept", "--only", "blind", "--json")
    told = json.loads(out)
    assert (code, told["proved"], [one["id"] for one in told["invariants"]]) == (0, 2, ["kept", "blind"])


def test_prove_shows_what_breaks(capsys: pytest.CaptureFixture[str], failing: Path) -> None:
    """The smallest input, what is decided, and 1."""
    code, out, _ = called(capsys, "prove", failing)
    assert code == 1
    assert "BROKEN   person" in out
    assert "signals: [HUMAN_REQUESTED]" in out
    assert "3 of 4 invariants proved" in out


def test_prove_knows_its_invariants(capsys: pytest.CaptureFixture[str], small_folder: Path) -> None:
    """A name that none has is wrong use, and those that there are stand beside."""
    code, _, err = called(capsys, "prove", small_folder, "--only", "persons")
    assert code == 2
    assert "There is no invariant 'persons'; there are approved, blind, kept, person." in err


def test_diff_says_what_changes(capsys: pytest.CaptureFixture[str], small_folder: Path, failing: Path) -> None:
    """With 0, however much it is; as JSON the same; nothing between equal bundles."""
    code, out, _ = called(capsys, "diff", small_folder, failing)
    assert code == 0
    assert "  rules removed: turn.person" in out
    assert "MORE PERMISSIVE" in out
    assert "apply_policy: effect escalate -> allow" in out
    code, out, _ = called(capsys, "diff", small_folder, failing, "--json")
    changes = json.loads(out)["changes"]
    assert code == 0
    assert ("effect", "escalate", "allow") in [(one["dimension"], one["before"], one["after"]) for one in changes]
    code, out, _ = called(capsys, "diff", small_folder, small_folder)
    assert (code, out.splitlines()[-1]) == (0, "No input is decided differently.")


def test_coverage_says_what_is_missing(capsys: pytest.CaptureFixture[str], small_folder: Path, tmp_path: Path) -> None:
    """With 1 while a rule or a dimension is not looked at; `--write` gives as many cases as are asked for."""
    out_file = tmp_path / "missing.yaml"
    code, out, err = called(capsys, "coverage", small_folder, "--write", out_file, "--limit", "3")
    assert code == 1
    assert "Rules that no test looks at: gate.kept" in out
    assert "  enterprise: first_response_minutes" in out
    assert str(out_file) in err
    assert out_file.read_text(encoding="utf-8").count("FILL_IN\n") == 3
    code, out, _ = called(capsys, "coverage", small_folder, "--json")
    told = json.loads(out)
    assert code == 1
    assert "gate.kept" in told["rules_missed"]
    assert told["hit"] + len(told["missing"]) == told["possible"]


def test_coverage_is_content_when_every_rule_and_dimension_is_looked_at(
    capsys: pytest.CaptureFixture[str], small_copy: Path
) -> None:
    """Every combination need not be."""
    (small_copy / "tests/more.yaml").write_text(
        """cases:
  - {name: kept, facts: {earlier_risk: high}, expect: {gate_risk: {risk: high, automation: restricted}}}
  - {name: hour, facts: {plan: enterprise}, expect: {apply_policy: {first_response_minutes: 60}}}
  - name: senior
    facts: {tickets_reopened_30d: 1}
    expect: {apply_policy: {queue: senior, obligations: [verify_outcome]}}
  - name: offer
    facts: {need_state: how_to, signals: [STILL_UNRESOLVED]}
    expect: {apply_policy: {obligations: [offer_human]}}
  - {name: good, expect: {retrieve: {effect: allow}}}
  - {name: flow, facts: {flow: verify_before_close, passages_good: 0}, expect: {retrieve: {effect: allow}}}
  - name: refund
    tool: issue_refund
    facts: {identity: verified, call_owned: true, call_approvals: 1}
    expect: {authorize_tools: {effect: allow}}
""",
        encoding="utf-8",
    )  # fmt: skip
    code, out, _ = called(capsys, "coverage", small_copy)
    assert "Rules that no test looks at: none" in out
    assert code == 0


def test_mutate_ends_with_the_score(capsys: pytest.CaptureFixture[str], small_folder: Path) -> None:
    """What survived, by name; the fates by kind; the score last; and 1 when something survived."""
    code, out, err = called(capsys, "mutate", small_folder, "-k", "rules/all.yaml rules.7")
    lines = out.splitlines()
    assert code == 1
    assert any(line.startswith("SURVIVED  rules/all.yaml rules.7") for line in lines)
    assert "          nobody looks at: an ordinary turn" in lines
    assert lines[-1].startswith("Mutation score: ")
    assert lines[-1].endswith("of those that change a decision were noticed")
    assert err == ""


def test_mutate_tries_the_same_ones_for_a_seed(capsys: pytest.CaptureFixture[str], small_folder: Path) -> None:
    """As JSON every mutation with its fate."""
    once, again = (called(capsys, "mutate", small_folder, "--count", 3, "--seed", 5, "--json") for _ in range(2))
    assert once == again
    assert len(json.loads(once[1])) == 3


def test_mutate_is_content_when_nothing_survives(capsys: pytest.CaptureFixture[str], small_folder: Path) -> None:
    """With 0."""
    code, out, _ = called(capsys, "mutate", small_folder, "--all", "-k", "turn.person is gone")
    assert code == 0
    assert out.splitlines()[-1].startswith("Mutation score: ")


def test_mutate_refuses_what_is_not_in_order(capsys: pytest.CaptureFixture[str], failing: Path) -> None:
    """A bundle whose cases fail, and a choice that leaves nothing to try."""
    code, _, err = called(capsys, "mutate", failing)
    assert code == 2
    assert "the case 'a person on request' fails already; mend it first" in err
    assert "the invariant person does not hold; mend it first" in err


def test_mutate_with_nothing_to_try_is_wrong_use(capsys: pytest.CaptureFixture[str], small_folder: Path) -> None:
    """A perfect score of nothing would be a lie."""
    code, out, err = called(capsys, "mutate", small_folder, "-k", "no such mutation")
    assert (code, out) == (2, "")
    assert "There is no mutation whose place or words contain 'no such mutation'." in err


@pytest.mark.parametrize("name", ["test", "coverage"])
def test_a_case_with_a_message_needs_the_encoder(
    capsys: pytest.CaptureFixture[str], small_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without it the command says how to get it, and does not pass the case over."""
    case = "cases:\n  - {name: read, message: Hello there, expect: {apply_policy: {effect: allow}}}\n"
    (small_copy / "tests/message.yaml").write_text(case, encoding="utf-8")
    monkeypatch.setenv("HANDRAIL_CACHE_DIR", str(tmp_path / "empty"))
    code, _, err = called(capsys, name, small_copy)
    assert code == 2
    assert "handrail model install" in err
