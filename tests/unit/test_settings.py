"""Settings: where they come from, which wins, and everything that can be wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from handrail.agent.settings import OPERATOR_TOKEN, Company, Settings, load_settings
from handrail.guardrails.errors import ConfigError

SECRET = "s" * 32


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, in a working folder of its own."""
    for name in list(os.environ):
        if name.upper().startswith("HANDRAIL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def problems(config: Path | None = None) -> tuple[str, ...]:
    """Everything that is said to be wrong."""
    with pytest.raises(ConfigError) as caught:
        load_settings(config)
    return caught.value.problems


def test_defaults_need_nothing(tmp_path: Path) -> None:
    """Without any setting the product runs on a laptop, offline, for this machine only."""
    settings = load_settings()
    assert (settings.host, settings.port, settings.site, settings.model) == ("127.0.0.1", 8321, "fernwell", "embedded")
    assert settings.company is Company.SAMPLE
    assert settings.data_dir == Path(".handrail")
    assert settings.database_url == f"sqlite:///{tmp_path}/.handrail/handrail.db"


def test_command_line_wins_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer a setting is to the person, the more it counts; what is not given does not count."""
    (tmp_path / "handrail.toml").write_text('port = 1\nhost = "10.0.0.1"\nsite = "acme"\nlog_level = "debug"\n')
    monkeypatch.setenv("HANDRAIL_PORT", "2")
    monkeypatch.setenv("handrail_host", "10.0.0.2")
    monkeypatch.setenv("HANDRAIL_LOG_LEVEL", "")
    settings = load_settings(None, {"port": 3, "host": None})
    assert (settings.port, settings.host, settings.site, settings.log_level) == (3, "10.0.0.2", "acme", "debug")


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    """A configuration file can be moved together with its folders."""
    (tmp_path / "etc").mkdir()
    config = tmp_path / "etc" / "other.toml"
    config.write_text('data_dir = "state"\nbundle = "/srv/policies"\n[server_keys]\ncrm = "' + SECRET + '"\n')
    settings = load_settings(config)
    assert settings.data_dir == tmp_path / "etc" / "state"
    assert settings.database_url.endswith("/etc/state/handrail.db")
    assert settings.bundle == Path("/srv/policies")
    assert settings.server_keys["crm"].get_secret_value() == SECRET


def test_everything_wrong_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong, unknown and contradicting settings are one message, each with its name and what to do."""
    (tmp_path / "handrail.toml").write_text('portt = 1\nworkers = 0\nlog_level = "loud"\n')
    wrong = {
        "HANDRAIL_PORT": "http",
        "HANDRAIL_SITE": "Fern Well",
        "HANDRAIL_DATABASE_URL": "mysql://x",
        "HANDRAIL_COMPANY": "mine",
        "HANDRAIL_IDENTITY_KEYS": '{"a": "short-secret"}',
        "HANDRAIL_SERVER_KEYS": "{crm",
        "HANDRAIL_MODEL": "large-model",
        "HANDRAIL_MODEL_TIMEOUT": "40",
        "HANDRAIL_TURN_SECONDS": "20",
        "HANDRAIL_DATADIR": "x",
        "HANDRAIL_ZZZ": "x",
    }
    for name, content in wrong.items():
        monkeypatch.setenv(name, content)
    found = problems()
    said = {problem.split(":")[0].split(" in ")[0]: problem for problem in found}
    assert set(said) == {
        *(wrong.keys() - {"HANDRAIL_MODEL", "HANDRAIL_TURN_SECONDS"}),
        *("portt", "HANDRAIL_WORKERS", "HANDRAIL_LOG_LEVEL", "HANDRAIL_MODEL_API_KEY"),
    }
    assert len(found) == len(said)
    assert "Did you mean HANDRAIL_DATA_DIR?" in said["HANDRAIL_DATADIR"]
    assert "Did you mean port?" in said["portt"]
    assert "the settings are" in said["HANDRAIL_ZZZ"]
    assert "in handrail.toml" in said["HANDRAIL_WORKERS"]
    assert "the secret of a is shorter than 32 bytes" in said["HANDRAIL_IDENTITY_KEYS"]
    assert "20 seconds" in said["HANDRAIL_MODEL_TIMEOUT"]
    assert all("Set it to" in each or "Did you mean" in each or "Remove it" in each for each in found)
    assert "short-secret" not in "".join(found)


@pytest.mark.parametrize(
    "origin",
    [
        *("https://shop.example/", "https://shop.example/page", "shop.example", "*", "https://*.example", "null", ""),
        *("HTTPS://shop.example", "https://Shop.example", "https://shop.example:443", "http://shop.example:80"),
        *("https://shop.example ", "ftp://shop.example", "https://user@shop.example", "https://shop.example\nx"),
    ],
)
def test_origins_are_exact(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    """An origin that no browser would send is a mistake, told at start, not one that silently never matches."""
    monkeypatch.setenv("HANDRAIL_SITE_KEYS", json.dumps({"site_shop": [origin]}))
    assert "HANDRAIL_SITE_KEYS" in problems()[0]
    assert "an origin is scheme and host" in problems()[0]


def test_site_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site key has its list of origins, by file or by environment; a list may be empty, a key is no short word."""
    (tmp_path / "handrail.toml").write_text('[site_keys]\nsite_shop = ["https://shop.example", "http://[::1]:8080"]\n')
    assert load_settings().site_keys == {"site_shop": ("https://shop.example", "http://[::1]:8080")}
    monkeypatch.setenv("HANDRAIL_SITE_KEYS", '{"site_blog": []}')
    assert load_settings().site_keys == {"site_blog": ()}
    monkeypatch.setenv("HANDRAIL_SITE_KEYS", '{"shop": [], "my shop key": []}')
    assert "my shop key, shop" in problems()[0]
    monkeypatch.setenv("HANDRAIL_SITE_KEYS", '["site_shop"]')
    assert "HANDRAIL_SITE_KEYS" in problems()[0]


def test_proxies_are_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose word about callers is taken is given by address or network; a name or a star is a mistake."""
    monkeypatch.setenv("HANDRAIL_PROXIES", "10.0.0.0/8, 192.0.2.1,2001:db8::1")
    assert load_settings().proxies == "10.0.0.0/8, 192.0.2.1,2001:db8::1"
    for wrong in ("*", "proxy.example", "10.0.0.1,,10.0.0.2"):
        monkeypatch.setenv("HANDRAIL_PROXIES", wrong)
        assert "HANDRAIL_PROXIES" in problems()[0]


def test_token_of_an_operator_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that `handrail queue` reads does not stop the other commands."""
    monkeypatch.setenv(OPERATOR_TOKEN, "hro_x")
    assert load_settings().port == 8321


def test_unknown_variable_alone_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt variable is an error even if all others are right: its setting would silently not hold."""
    monkeypatch.setenv("HANDRAIL_PROT", "1")
    assert problems() == ("HANDRAIL_PROT: there is no such setting. Did you mean HANDRAIL_PORT?",)


@pytest.mark.parametrize(
    ("content", "said"), [(b"port = ", "not TOML"), (b"\xff", "not TOML"), (None, "cannot be read")]
)
def test_file_that_cannot_be_used(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A file that is named must be there and be TOML."""
    config = tmp_path / "named.toml"
    if content is not None:
        config.write_bytes(content)
    assert said in problems(config)[0]


def test_keys_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are written as JSON in the environment; their secrets are never shown."""
    monkeypatch.setenv("HANDRAIL_IDENTITY_KEYS", json.dumps({"2026-01": SECRET}))
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", "postgresql://u:secret-word@db/handrail")
    settings = load_settings()
    assert settings.identity_keys["2026-01"].get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert "secret-word" not in repr(settings)


def test_model_with_its_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model needs a key or an endpoint of one's own; an endpoint without a key is fine."""
    monkeypatch.setenv("HANDRAIL_MODEL", "small-model")
    assert "HANDRAIL_MODEL_API_KEY" in problems()[0]
    monkeypatch.setenv("HANDRAIL_MODEL_BASE_URL", "http://127.0.0.1:9/v1")
    assert load_settings().model_base_url == "http://127.0.0.1:9/v1"


def test_second_opinions_are_off_until_a_model_is_named() -> None:
    """Without a name nobody is asked, whatever else is set; the limits have defaults."""
    settings = load_settings()
    assert settings.second_opinion_model is None
    assert (settings.second_opinion_timeout_seconds, settings.second_opinion_below) == (2.0, 0.4)


def test_second_opinions_use_the_chat_models_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address and key fall back to those of the chat model."""
    monkeypatch.setenv("HANDRAIL_SECOND_OPINION_MODEL", "small-model")
    assert "HANDRAIL_SECOND_OPINION_API_KEY" in problems()[0]
    monkeypatch.setenv("HANDRAIL_MODEL_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HANDRAIL_MODEL_API_KEY", "chat-key")
    settings = load_settings()
    assert settings.opinion_base_url == "http://127.0.0.1:9/v1"
    assert settings.opinion_api_key == settings.model_api_key


def test_the_chat_models_key_goes_to_no_other_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an address of its own, a second opinion needs a key of its own, or none."""
    monkeypatch.setenv("HANDRAIL_SECOND_OPINION_MODEL", "small-model")
    monkeypatch.setenv("HANDRAIL_SECOND_OPINION_BASE_URL", "http://127.0.0.1:8/v1")
    monkeypatch.setenv("HANDRAIL_MODEL_API_KEY", "chat-key")
    assert load_settings().opinion_api_key is None
    monkeypatch.setenv("HANDRAIL_SECOND_OPINION_API_KEY", "own-key")
    own = load_settings().opinion_api_key
    assert own is not None
    assert own.get_secret_value() == "own-key"
    assert "own-key" not in repr(load_settings())


def test_wrong_settings_of_second_opinions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded model has no opinions, a limit is longer than a turn, a confidence is none: all told at once."""
    monkeypatch.setenv("HANDRAIL_SECOND_OPINION_MODEL", "embedded")
    monkeypatch.setenv("HANDRAIL_SECOND_OPINION_TIMEOUT_SECONDS", "6")
    monkeypatch.setenv("HANDRAIL_TURN_SECONDS", "5")
    monkeypatch.setenv("HANDRAIL_MODEL_TIMEOUT", "4")
    monkeypatch.setenv("HANDRAIL_SECOND_OPINION_BELOW", "1.5")
    told = "".join(problems())
    assert "the embedded model has no opinions" in told
    assert "HANDRAIL_SECOND_OPINION_TIMEOUT_SECONDS: longer than a turn" in told
    assert "HANDRAIL_SECOND_OPINION_BELOW" in told


def test_an_embedding_endpoint_is_that_of_the_chat_model_unless_it_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any endpoint, nothing is sent to a default one; the chat model's key goes to no other endpoint."""
    monkeypatch.setenv("HANDRAIL_EMBEDDING_MODEL", "embed-small")
    assert "HANDRAIL_EMBEDDING_API_KEY" in problems()[0]
    monkeypatch.setenv("HANDRAIL_MODEL_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HANDRAIL_MODEL_API_KEY", "chat-key")
    settings = load_settings()
    assert settings.embedding_url == "http://127.0.0.1:9/v1"
    assert settings.embedding_key == settings.model_api_key
    monkeypatch.setenv("HANDRAIL_EMBEDDING_BASE_URL", "http://127.0.0.1:8/v1")
    assert load_settings().embedding_key is None
    monkeypatch.setenv("HANDRAIL_EMBEDDING_API_KEY", "own-key")
    own = load_settings().embedding_key
    assert own is not None
    assert own.get_secret_value() == "own-key"
    assert "own-key" not in repr(load_settings())


def test_wrong_settings_of_retrieval(monkeypatch: pytest.MonkeyPatch) -> None:
    """All told at once, and never the content of a header."""
    monkeypatch.setenv("HANDRAIL_EMBEDDING_MODEL", "embedded")
    monkeypatch.setenv("HANDRAIL_EMBEDDING_DIMENSIONS", "0")
    monkeypatch.setenv("HANDRAIL_EMBEDDING_CHARACTERS", "100000")
    monkeypatch.setenv("HANDRAIL_TURN_SECONDS", "2")
    monkeypatch.setenv("HANDRAIL_EMBEDDING_TIMEOUT_SECONDS", "3")
    monkeypatch.setenv("HANDRAIL_CHROMA_TIMEOUT_SECONDS", "3")
    monkeypatch.setenv("HANDRAIL_CHROMA_URL", "chroma.example:8000")
    monkeypatch.setenv("HANDRAIL_CHROMA_TENANT", "../shop")
    monkeypatch.setenv("HANDRAIL_CHROMA_HEADERS", json.dumps({"x-token": f"{SECRET}\r\nhost: other"}))
    told = problems()
    for name in ("MODEL", "DIMENSIONS", "CHARACTERS", "TIMEOUT_SECONDS"):
        assert any(one.startswith(f"HANDRAIL_EMBEDDING_{name}: ") for one in told), name
    for name in ("TIMEOUT_SECONDS", "URL", "TENANT", "HEADERS"):
        assert any(one.startswith(f"HANDRAIL_CHROMA_{name}: ") for one in told), name
    assert SECRET not in "".join(told)


def test_a_chroma_server_is_an_address_with_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headers are secrets: nothing that prints settings shows them."""
    monkeypatch.setenv("HANDRAIL_CHROMA_URL", "https://chroma.example/behind/a/proxy")
    monkeypatch.setenv("HANDRAIL_CHROMA_HEADERS", json.dumps({"Authorization": f"Bearer {SECRET}"}))
    settings = load_settings()
    assert settings.chroma_headers["Authorization"].get_secret_value() == f"Bearer {SECRET}"
    assert SECRET not in repr(settings)
    assert (settings.chroma_tenant, settings.chroma_database) == ("default_tenant", "default_database")


def test_every_setting_says_what_to_set() -> None:
    """The advice of a problem comes from the field's description."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_mcp_servers_are_a_table_of_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, each a command or an address; secrets are not shown."""
    table = {
        "shop": {"command": ["shop", "--quiet"], "env": {"TOKEN": SECRET}},
        "billing": {"url": "https://billing.example/mcp", "headers": {"Authorization": SECRET}},
    }
    monkeypatch.setenv("HANDRAIL_MCP_SERVERS", json.dumps(table))
    settings = load_settings()
    assert settings.mcp_servers["shop"].command == ("shop", "--quiet")
    assert settings.mcp_servers["billing"].headers["Authorization"].get_secret_value() == SECRET
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "table", ['{"shop": {}}', '{"My Shop": {"command": ["a"]}}', '{"shop": {"command": ["a"], "token": "x"}}', "shop"]
)
def test_an_mcp_server_that_cannot_be_reached_in_one_way_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """One sentence, with an example of what to write."""
    monkeypatch.setenv("HANDRAIL_MCP_SERVERS", table)
    (problem,) = problems()
    assert problem.startswith("HANDRAIL_MCP_SERVERS")
    assert '{"billing": {"command"' in problem
