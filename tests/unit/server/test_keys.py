"""Secrets that are made once, and ones that are configured."""

from __future__ import annotations

import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handrail.agent.server.faults import Fault
from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import FILE, demo_password, keys_of
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


def test_site_key_and_operator_of_the_sample(settings: Settings) -> None:
    """A site key that no other page may use yet, and a password for the sample's operator, are made too, once."""
    (key, origins), password = next(iter(keys_of(settings).site.items())), demo_password(settings).get_secret_value()
    assert origins == ()
    assert re.fullmatch(r"site_[0-9a-f]{24}", key)
    assert len(password) >= 20
    assert next(iter(keys_of(settings).site)) == key
    assert demo_password(settings).get_secret_value() == password
    assert password not in str(keys_of(settings))


def test_configured_site_keys_replace_the_made_one(tmp_path: Path) -> None:
    """With site keys of one's own, the made one is none any more."""
    mine = {"site_shop_1": ("https://shop.example",)}
    assert keys_of(Settings.model_validate({"data_dir": tmp_path, "site_keys": mine})).site == mine


def test_file_of_an_earlier_version_is_completed(settings: Settings) -> None:
    """A file without site key and operator keeps its secrets and gains those, the same in every process."""
    path = settings.data_dir / FILE
    old = {"identity": {"demo": "i" * 64}, "server": {"demo": "s" * 64}, "visitor": "v" * 64}
    path.write_text(json.dumps(old))
    path.chmod(0o600)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: (keys_of(settings), demo_password(settings)), range(16)))
    assert all(each == found[0] for each in found)
    assert found[0][0].identity["demo"].get_secret_value() == "i" * 64
    stored = json.loads(path.read_text())
    assert {name: stored[name] for name in old} == old
    assert stored["site"] == next(iter(found[0][0].site))
    assert stored["operator"] == found[0][1].get_secret_value()
    assert stored["operator"] not in {stored["site"], "v" * 64}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in settings.data_dir.iterdir()] == [FILE]


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
    assert gate.admit("c1", None, gate.visitor_key("c1")).customer_id is None
    other = Gate(gate.keys, "other")
    for key in (gate.visitor_key("c2"), other.visitor_key("c1"), "", "\udcff"):
        with pytest.raises(Fault, match="no such conversation"):
            gate.admit("c1", None, key)
