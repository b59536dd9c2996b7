"""`handrail operator`: accounts in the database of the settings."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from handrail.agent.composition import staff
from handrail.agent.server.demo_operator import DISPLAY, ensure_demo_operator
from handrail.agent.server.keys import demo_password
from handrail.agent.settings import Settings, load_settings
from handrail.cli import run
from handrail.commands.operator import operator

PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A working folder of its own, and no settings from outside."""
    for name in list(os.environ):
        if name.startswith("HANDRAIL_") and name != "HANDRAIL_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def said(*words: str, typed: str = "") -> str:
    """What the command prints when it succeeds."""
    done = CliRunner().invoke(operator, list(words), input=typed)
    assert done.exit_code == 0, done.output
    return done.output


def signs_in(name: str, password: str) -> bool:
    """Whether an account opens with this password."""

    async def trying() -> bool:
        async with staff(load_settings()) as accounts:
            return await accounts.sign_in(name, password) is not None

    return asyncio.run(trying())


def test_account_from_beginning_to_end() -> None:
    """Add, list, another password, disable: each says what it did, and the account follows."""
    assert "no accounts" in said("list")
    added = said("add", "maria", "--display", "Maria", "--queue", "billing", typed=f"{PASSWORD}\n")
    assert "customers see Maria" in added
    assert PASSWORD not in added
    assert "maria  shown as Maria, queues billing" in said("list")
    assert signs_in("maria", PASSWORD)
    said("password", "maria", typed="another long password\n")
    assert not signs_in("maria", PASSWORD)
    assert signs_in("maria", "another long password")
    said("disable", "maria")
    assert "(disabled)" in said("list")
    assert not signs_in("maria", "another long password")


def test_display_by_default() -> None:
    """Customers see the name, capitalised, unless it is given."""
    assert "customers see Omar" in said("add", "omar", typed=f"{PASSWORD}\n")


def test_password_is_no_argument() -> None:
    """A password on the command line would stand in the shell's history: there is no option for it."""
    for command in operator.commands.values():
        assert not [each for each in command.params if "password" in (each.name or "")]


@pytest.mark.parametrize(
    ("words", "typed", "advice"),
    [
        (("add", "maria"), "short\n", "12"),
        (("add", "Maria!"), f"{PASSWORD}\n", "a-z"),
        (("add", "maria"), "", "password"),
        (("password", "nobody"), f"{PASSWORD}\n", "no account"),
        (("disable", "nobody"), "", "no account"),
    ],
)
def test_wrong_use_ends_with_2(
    words: tuple[str, ...], typed: str, advice: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be done is said in one sentence, and nothing is stored."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert run(lambda: operator.main(list(words), standalone_mode=False)) == 2
    assert advice in capsys.readouterr().err
    assert "no accounts" in said("list")


async def test_the_sample_has_an_operator(tmp_path: Path) -> None:
    """The sample installation's operator is made once, with the password of the secrets file; a real one has none."""
    settings = load_settings()
    async with staff(settings) as accounts:
        await ensure_demo_operator(accounts, settings)
        await accounts.set_password("demo", PASSWORD)
        await ensure_demo_operator(accounts, settings)
        assert [(each.name, each.display) for each in await accounts.list()] == [("demo", DISPLAY)]
        assert await accounts.sign_in("demo", PASSWORD) is not None
    fresh = Settings.model_validate({"data_dir": tmp_path / "fresh"})
    async with staff(fresh) as accounts:
        await ensure_demo_operator(accounts, fresh)
        assert await accounts.sign_in("demo", demo_password(fresh).get_secret_value()) is not None
    real = Settings.model_validate({"data_dir": tmp_path / "real", "company": "none"})
    async with staff(real) as accounts:
        await ensure_demo_operator(accounts, real)
        assert await accounts.list() == ()
