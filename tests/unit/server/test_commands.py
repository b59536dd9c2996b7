"""`handrail serve` and `handrail token`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import keys_of
from handrail.agent.server.run import claim
from handrail.agent.settings import Settings, load_settings
from handrail.cli import run
from handrail.commands.chat import chat
from handrail.commands.serve import greeting, serve
from handrail.commands.token import token


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A working folder of its own, and no settings from outside."""
    for name in list(os.environ):
        if name.startswith("HANDRAIL_") and name != "HANDRAIL_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def called(command: click.Command, *words: str) -> int:
    """The exit code of a command as the shell sees it."""
    return run(lambda: command.main(list(words), standalone_mode=False))


def test_used_port_ends_with_2_before_anything_is_built(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A used port is told at once, and nothing is left behind."""
    with claim("127.0.0.1", 0) as taken:
        assert called(serve, "--port", str(taken.getsockname()[1])) == 2
    assert "in use" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_broken_settings_end_with_2(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is wrong with the settings is told, for every command."""
    monkeypatch.setenv("HANDRAIL_PORT", "x")
    monkeypatch.setenv("HANDRAIL_WORKERS", "x")
    for command in (serve, chat):
        assert called(command) == 2
        said = capsys.readouterr().err
        assert "HANDRAIL_PORT" in said
        assert "HANDRAIL_WORKERS" in said


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_data_folder_that_cannot_be_made_ends_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    """A data folder that cannot be made is named before anything is built."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HANDRAIL_DATA_DIR", folder)
    assert called(serve, "--port", "0") == 2
    assert "HANDRAIL_DATA_DIR" in capsys.readouterr().err


def test_token_names_its_customer() -> None:
    """The token is one that the server takes, and the server's key too."""
    signed = CliRunner().invoke(token, ["ada"]).output.strip()
    gate = Gate(keys_of(load_settings()), "fernwell")
    assert gate.customer(f"Bearer {signed}") == "ada"
    assert gate.server(CliRunner().invoke(token, ["--server"]).output.strip()) == "demo"


def test_site_key_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key for pages that embed the widget: the made one, or the first configured one; else what to set."""
    made = CliRunner().invoke(token, ["--site"]).output.strip()
    assert list(keys_of(load_settings()).site) == [made]
    monkeypatch.setenv("HANDRAIL_SITE_KEYS", '{"site_shop": [], "site_blog": []}')
    assert CliRunner().invoke(token, ["--site"]).output.strip() == "site_shop"
    monkeypatch.delenv("HANDRAIL_SITE_KEYS")
    for name in ("IDENTITY_KEYS", "SERVER_KEYS"):
        monkeypatch.setenv(f"HANDRAIL_{name}", f'{{"a": "{"k" * 32}"}}')
    monkeypatch.setenv("HANDRAIL_VISITOR_SECRET", "v" * 32)
    assert called(token, "--site") == 2


@pytest.mark.parametrize(
    "words", [(), ("ada", "--server"), ("ada", "--site"), ("--server", "--site"), ("ada", "--minutes", "0")]
)
def test_token_wrong_use(words: tuple[str, ...]) -> None:
    """A token is for a customer, the key for a server; one of the two."""
    assert called(token, *words) == 2


def test_token_of_an_id_that_the_server_would_refuse() -> None:
    """No token is made that cannot be used."""
    assert called(token, "a\nb") == 2


def test_greeting_says_how_to_begin(tmp_path: Path) -> None:
    """The demo and the sample's operator are offered with the sample company only."""
    sample = greeting("http://127.0.0.1:1", Settings.model_validate({"data_dir": tmp_path}))
    assert "http://127.0.0.1:1/demo" in sample
    assert "handrail queue list --url http://127.0.0.1:1" in sample
    real = greeting("http://127.0.0.1:1", Settings.model_validate({"data_dir": tmp_path, "company": "none"}))
    assert "/demo" not in real
    assert "handrail operator add NAME" in real


def test_example_takes_the_answer_apart(tmp_path: Path) -> None:
    """The printed example can be pasted: the shell finds id and key in the answer, and sends the message."""
    said = greeting("http://127.0.0.1:1", Settings.model_validate({"data_dir": tmp_path}))
    example = said[said.index("  set --") : said.index("Act as")]
    stand_in = tmp_path / "curl"
    stand_in.write_text(
        '#!/bin/sh\nif [ "$2" = -X ]; then\n'
        'echo \'{"conversation_id":"c1","status":"bot","visitor_key":"k1"}\'\nelse echo "$@"; fi\n'
    )
    stand_in.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["/bin/sh", "-c", example], capture_output=True, text=True, check=True, env=environment)
    assert "http://127.0.0.1:1/v1/conversations/c1/messages" in done.stdout
    assert "X-Visitor-Key: k1" in done.stdout
