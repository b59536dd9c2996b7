"""`handrail train` and `handrail bench detect`, as they are typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from handrail.cli import root
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.encoder import MiniLMEncoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few labelled rows of two companies."""
    rows = [
        {"text": "the app crashes", "source": "one/a", "need_state": "incident"},
        {"text": "export is broken", "source": "one/b", "need_state": "incident"},
        {"text": "send me the invoice", "source": "two", "need_state": "billing_charges"},
        {"text": "my lawyer will write to you", "source": "two", "signals": ["RISK_LEGAL"]},
        {"text": "my lawyer needs a copy", "source": "two", "signals": []},
    ]
    place = tmp_path / "rows"
    place.mkdir()
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return place


def test_a_model_is_written_and_told(folder: Path, tmp_path: Path, minilm: MiniLMEncoder) -> None:
    """The file can be loaded, and its card says what it was learnt from."""
    out = tmp_path / "new" / "model.safetensors"
    result = CliRunner().invoke(root, ["train", str(folder), "--out", str(out), "--without", "one/b"])
    assert result.exit_code == 0, result.output
    assert "RISK_LEGAL" in result.output
    card = Foundation.load(out, minilm.revision).card
    assert {used.name: used.rows for used in card.sources} == {"one": 1, "two": 3}


def test_a_source_that_is_not_there_is_wrong_use(folder: Path, tmp_path: Path) -> None:
    """A misspelt name would leave nothing out, unnoticed."""
    result = CliRunner().invoke(
        root, ["train", str(folder), "--out", str(tmp_path / "m"), "--without", "tow"], standalone_mode=True
    )
    assert result.exit_code == 2
    assert "No row has the source tow" in result.output


def test_a_bench_needs_a_folder() -> None:
    """It says which one."""
    result = CliRunner().invoke(root, ["bench", "detect"])
    assert result.exit_code == 2
    assert "--data" in result.output
