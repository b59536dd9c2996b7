"""`handrail gate` as somebody runs it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from pydantic import JsonValue

from handrail.cli import root, run
from handrail.commands.gate import gate
from tests.unit.evals.packs.conftest import Folder
from tests.unit.evals.packs.shop import ANA, PENDING, RETAIL, row

CANCEL: dict[str, JsonValue] = {"order_id": PENDING, "reason": "no longer needed"}
LINES = (
    row("1", "a", "cancel_pending_order", CANCEL, kind="gold", expected="allow"),
    row("2", "a", "cancel_pending_order", CANCEL, kind="again", expected="block"),
)


def called(pack: Path, data: Path, cases: Path, *more: str) -> Result:
    """The command."""
    arguments = ["--pack", str(pack), "--data", str(data), "--cases", str(cases), *more]
    return CliRunner().invoke(gate, arguments, standalone_mode=False)


def test_decisions_are_written_and_figures_printed(data: Path, tmp_path: Path) -> None:
    """One line per case in its order, and the rates of each kind."""
    cases, out = tmp_path / "cases.jsonl", tmp_path / "out.jsonl"
    cases.write_text("\n".join(LINES))
    result = called(RETAIL, data, cases, "--out", str(out))
    assert result.return_value == 0, result.output
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {"id": "1", "decision": "allow", "reasons": ["SHOP_OWN_ORDER"], "rules": ["shop.writes"]},
        {"id": "2", "decision": "refuse", "reasons": ["SHOP_NOT_PENDING"], "rules": ["orders.pending"]},
    ]
    assert "Labelled allow, allowed: 1 of 1 (100%, 95 % interval 21%–100%)" in result.output
    assert "Decisions: 1 allow, 1 refuse, 0 escalate; 0 crashed" in result.output


def test_figures_as_json_and_the_exit_code(data: Path, tmp_path: Path) -> None:
    """A label that is not met, or a line that cannot be read, is something wrong that was found."""
    cases = tmp_path / "cases.jsonl"
    cases.write_text("\n".join([LINES[0], LINES[1].replace('"block"', '"allow"'), "nonsense"]))
    result = called(RETAIL, data, cases, "--json")
    assert result.return_value == 1
    found = json.loads(result.stdout)
    assert found["allow"] | {"low": 0, "high": 0} == {"successes": 1, "n": 2, "low": 0, "high": 0}
    assert found["crashed"] == 1
    assert found["wrong"][0]["id"] == "2"
    assert f"{cases}:3: not JSON" in result.stderr


def test_what_cannot_be_used_is_said_at_once(pack_folder: Folder, tmp_path: Path) -> None:
    """Pack, data and cases together, with the exit code of wrong use."""
    pack_folder.edit("rules/items.yaml", "SHOP_NOT_AVAILABLE", "SHOP_NONE")
    arguments = ["gate", "--pack", str(pack_folder.path), "--data", str(tmp_path), "--cases", str(tmp_path / "none")]
    assert run(lambda: root.main(arguments, prog_name="handrail", standalone_mode=False)) == 2
    result = called(pack_folder.path, tmp_path, tmp_path / "none")
    assert "rules/items.yaml" in str(result.exception)
    assert "cannot read the cases" in str(result.exception)


def test_the_cases_are_not_written_over(data: Path, tmp_path: Path) -> None:
    """Nor does a file that cannot be written pass in silence."""
    cases = tmp_path / "cases.jsonl"
    cases.write_text(LINES[0])
    assert "same file" in str(called(RETAIL, data, cases, "--out", str(cases)).exception)
    result = called(RETAIL, data, cases, "--out", str(tmp_path / "no" / "out.jsonl"))
    assert "cannot be written" in str(result.exception)
    assert json.loads(cases.read_text())["context"]["authenticated_user_id"] == ANA
