"""Secrets that are made once, and ones that are configured."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handrail.agent.server.faults import Fault
from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import FILE, keys_of
from handrail.agent.settings import Settings
from handrail.guardrails.errors import ConfigError


def test_secrets_are_made_once_for_the_owner_only(settings: Settings) -> None:
    """The first start makes the secrets, readable by nobody else; later ones use them."""
    first = keys_of(settings)
    path = settings.data_dir / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys_of(settings) == first
    assert [each.name for each in settings.data_dir.iterdir()] == [FILE]
    assert str(first).count("**********") == 3


def test_processes_that_start_together_agree(settings: Settings) -> None:
    """Whoever comes second takes what the first has made."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: keys_of(settings), range(16)))
    assert all(each == found[0] for each in found)


def test_configured_keys_hold(tmp_path: Path) -> None:
    """Configured keys replace the made ones; with all of them set, no file is written."""
    content = {"identity_keys": {"a": "i" * 32}, "server_keys": {"crm": "s" * 32}, "visitor_secret": "v" * 32}
    keys = keys_of(Settings.model_validate({"data_dir": tmp_path / "none"} | content))
    assert keys.identity["a"].get_secret_value() == "i" * 32
    assert Gate(keys, "x").server("s" * 32) == "crm"
    assert not (tmp_path / "none").exists()
    partly = keys_of(Settings.model_validate({"data_dir": tmp_path, "server_keys": content["server_keys"]}))
    assert list(partly.server) == ["crm"]
    assert list(partly.identity) == ["demo"]


@pytest.mark.parametrize("content", ["", "{}", '{"identity": {}, "server": {}, "visitor": ""}', "\x00"])
def test_damaged_secrets_stop_the_start(settings: Settings, content: str) -> None:
    """A damaged file is never replaced silently: tokens would end without anybody knowing why."""
    path = settings.data_dir / FILE
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="damaged"):
        keys_of(settings)
    assert path.read_text() == content


def test_secrets_that_others_can_read_stop_the_start(settings: Settings) -> None:
    """A file that other users can read is no secret."""
    keys_of(settings)
    (settings.data_dir / FILE).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys_of(settings)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A data folder that cannot be made is named, with what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="HANDRAIL_DATA_DIR"):
        keys_of(Settings.model_validate({"data_dir": tmp_path / "file" / "below"}))


def test_visitor_key_belongs_to_one_conversation_of_one_site(gate: Gate) -> None:
    """A visitor key opens its own conversation only, and not one of the same id on another site."""
    assert gate.admit("c1", None, gate.visitor_key("c1")) is None
    other = Gate(gate.keys, "other")
    for key in (gate.visitor_key("c2"), other.visitor_key("c1"), "", "\udcff"):
        with pytest.raises(Fault, match="no such conversation"):
            gate.admit("c1", None, key)
