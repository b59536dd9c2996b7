"""Each finding of the lint, shown on a bundle that loads and has just that fault."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from handrail.agent.reasons import EMITTED
from handrail.cli import root, run
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.lint import lint
from handrail.guardrails.bundle.loader import load
from tests.unit.bundle.conftest import Folder

TODAY = date(2026, 12, 1)


def found(folder: Folder, today: date = TODAY) -> list[tuple[str, str]]:
    """Code and subject of every finding in a folder that must load."""
    assert folder.problems() == ()
    return [(one.code, one.subject) for one in lint(load(folder.path), EMITTED, today)]


def test_the_shipped_bundle_has_no_finding(shipped: Bundle) -> None:
    """What is shipped is what the lint wants."""
    assert lint(shipped, EMITTED, TODAY) == ()


def test_a_segment_that_changes_nothing_is_a_label(quick: Folder) -> None:
    """Tags alone change no decision dimension."""
    quick.edit("segments/trial.yaml", "  skills: [trial]\n", "")
    assert found(quick) == [("LINT_SEGMENT_IS_LABEL", "trial")]


def test_an_overdue_review_is_found(quick: Folder) -> None:
    """On the day itself there is still time; on the next there is not."""
    quick.edit("segments/trial.yaml", "review_by: 2027-03-31", "review_by: 2026-12-01")
    assert found(quick) == []
    assert found(quick, date(2026, 12, 2)) == [("LINT_REVIEW_OVERDUE", "trial")]


def test_a_tool_that_nothing_permits_is_found(quick: Folder) -> None:
    """Declared until a rule grants it, a tool that none grants is of no use."""
    quick.edit("segments/access_restore.yaml", "allow: [reset_mfa, resend_code, list_devices]", "allow: [resend_code]")
    assert found(quick) == [("LINT_TOOL_NEVER_ALLOWED", "reset_mfa")]


def test_a_write_without_confirmation_is_found(quick: Folder) -> None:
    """Without the general rule, only the tools that need an approval are covered."""
    condition = "{all: [{tool_access: write}, {call_confirmed: false}, {not: {call_edit: favourable}}]}"
    asked = f"{condition}\n    effect: not_yet\n    obligations: [confirm]"
    quick.edit("rules/tools.yaml", asked, f"{condition}\n    effect: refuse")
    assert found(quick) == [("LINT_WRITE_UNCONFIRMED", "resend_code")]


def test_a_code_that_nothing_emits_is_found(quick: Folder) -> None:
    """An entry without a use is a promise nobody keeps."""
    quick.add(
        "reasons/extra.yaml",
        "- {code: NEVER_SAID, title: x, operator: x, customer: {en: x}, stage: reply, severity: info}\n",
    )
    assert found(quick) == [("LINT_REASON_NEVER_EMITTED", "NEVER_SAID")]


def test_a_code_without_an_entry_is_found(shipped: Bundle) -> None:
    """What code can emit must stand in the catalogue."""
    findings = lint(shipped, (*EMITTED, "BRAND_NEW"), TODAY)
    assert [(one.code, one.subject) for one in findings] == [("LINT_REASON_MISSING", "BRAND_NEW")]


@pytest.mark.parametrize("direct", [True, False])
def test_risk_by_an_attribute_is_found(quick: Folder, direct: bool) -> None:
    """Even where an attribute's purposes would cover it, and also through a segment."""
    quick.edit("attributes.yaml", "    purposes: [style, retrieval, troubleshooting, automation, permission, queue]",
               "    purposes: [style, retrieval, troubleshooting, automation, permission, queue, risk]")  # fmt: skip
    condition = "usage_maturity: new" if direct else "segment: trial"
    if not direct:
        quick.edit("segments/trial.yaml", "entry:\n  plan: trial\nexit:\n  not: {plan: trial}",
                   "entry:\n  usage_maturity: new\nexit:\n  not: {usage_maturity: new}")  # fmt: skip
    quick.edit("rules/risk.yaml", "when: {need_state: unknown}", f"when: {{{condition}}}")
    assert found(quick) == [("LINT_RISK_BY_ATTRIBUTE", "risk.unknown_need")]


def test_findings_are_sorted_and_say_what_to_do(shipped: Bundle) -> None:
    """The order is that of code and subject, whatever was found first."""
    findings = lint(shipped, ("ZZ_ZZ", "AA_AA"), date(2030, 1, 1))
    keys = [(one.code, one.subject) for one in findings]
    assert keys == sorted(keys)
    assert all(one.message.endswith(".") for one in findings)


def command(*arguments: str) -> int:
    """The exit code of `handrail policy lint` with these arguments."""
    return run(lambda: root.main(["policy", "lint", *arguments], standalone_mode=False))


def test_the_command_says_that_all_is_well(quick: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """No finding ends with 0 and one line that names version and revision."""
    assert command(str(quick.path)) == 0
    bundle = load(quick.path)
    written = capsys.readouterr().out
    assert written.startswith(f"Bundle {bundle.manifest.version} ({bundle.revision}): ")
    assert written.endswith("0 findings\n")


def test_the_command_lists_findings(quick: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding ends with 1, as text and as JSON."""
    quick.edit("segments/trial.yaml", "  skills: [trial]\n", "")
    assert command(str(quick.path)) == 1
    assert "LINT_SEGMENT_IS_LABEL  trial: changes no decision dimension" in capsys.readouterr().out
    assert command(str(quick.path), "--json") == 1
    written = json.loads(capsys.readouterr().out)
    assert written["revision"] == load(quick.path).revision
    assert [(one["code"], one["subject"]) for one in written["findings"]] == [("LINT_SEGMENT_IS_LABEL", "trial")]


def test_the_command_lists_what_stops_a_start(quick: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle that cannot be loaded ends with 2 and every problem on standard error."""
    quick.edit("bundle.yaml", "prompt: answer", "prompt: anser")
    quick.edit("bundle.yaml", "default_queue: general", "default_queue: generell")
    assert command(str(quick.path)) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert "Error: 2 problems:" in written.err
    assert "bundle.yaml:5: there is no queue 'generell'" in written.err
    assert command(str(quick.path / "nowhere")) == 2


def test_the_command_has_help() -> None:
    """The exit codes are documented where they are looked for."""
    shown = CliRunner().invoke(root, ["policy", "lint", "--help"]).output
    assert "Exits with 2 when the bundle cannot be loaded" in " ".join(shown.split())
