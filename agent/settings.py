"""Settings of a running Handrail, from the environment, a configuration file and the command line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from handrail.agent.model_settings import PREFIX
from handrail.agent.retrieval_settings import RetrievalSettings
from handrail.agent.setting_kinds import Keys, McpServers, Proxies, Secret, SiteKeys
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.model_folder import default_cache_dir

CONFIG_FILE = "handrail.toml"
OPERATOR_TOKEN = "HANDRAIL_OPERATOR_TOKEN"  # noqa: S105 - a variable's name
"""The variable that `handrail queue` takes an operator's token from: an identity, and no setting."""

_DATABASES = ("sqlite", "postgresql")
_PATHS = ("data_dir", "bundle", "cache_dir", "detection_model")


class Company(StrEnum):
    """Which company's systems stand behind the tools."""

    SAMPLE = "sample"
    NONE = "none"


class Settings(RetrievalSettings):
    """Everything that can be set. Build it with `load_settings`, which reports all that is wrong at once."""

    data_dir: Path = Field(Path(".handrail"), description="the folder for the database, the index and the secrets.")
    database_url: str = Field(
        "",
        repr=False,
        description="a SQLAlchemy URL, sqlite:///path or postgresql://user:password@host/name; "
        "without it, a SQLite file in the data folder is used.",
    )
    bundle: Path | None = Field(None, description="a policy bundle's folder; without it, the shipped one is used.")
    cache_dir: Path = Field(default_factory=default_cache_dir, description="the folder that holds the encoder.")
    detection_model: Path | None = Field(
        default=None, description="a model file of `handrail train`; without one the shipped model is used."
    )
    host: str = Field("127.0.0.1", min_length=1, description="the address to listen on, such as 127.0.0.1 or 0.0.0.0.")
    port: int = Field(8321, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any free one.")
    site: str = Field(
        "fernwell", pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="a short name in lower case, such as fernwell."
    )
    identity_keys: Keys = Field(
        default_factory=dict,
        description='a table from key id to the secret that signs customer tokens, as in {"2026-01": "..."}; '
        "`openssl rand -hex 32` makes a secret.",
    )
    server_keys: Keys = Field(
        default_factory=dict,
        description='a table from the caller\'s name to its key, as in {"crm": "..."}; '
        "`openssl rand -hex 32` makes a key.",
    )
    visitor_secret: Secret | None = Field(
        None, description="the secret behind the keys of anonymous visitors, the same in every process of a site."
    )
    site_keys: SiteKeys = Field(
        default_factory=dict,
        description="a table from site key to the origins of the pages that may embed the widget with it, as in "
        '{"site_shop_1": ["https://www.example.com"]}.',
    )
    proxies: Proxies = Field(
        "127.0.0.1",
        description="the addresses of reverse proxies, separated by commas, whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed.",
    )
    openings_per_minute: int = Field(
        30, ge=1, le=1_000_000, description="conversations that one address may open in a minute."
    )
    messages_per_minute: int = Field(
        20, ge=1, le=1_000_000, description="messages that one conversation may get in a minute."
    )
    caller_messages_per_minute: int = Field(
        60,
        ge=1,
        le=1_000_000,
        description="messages that one customer, or one address of visitors, may send in a minute.",
    )
    mcp_servers: McpServers = Field(
        default_factory=dict,
        description="a table from the name of an MCP server, as the bundle's tools have it, to how it is reached: "
        '{"billing": {"command": ["billing-mcp"], "env": {"TOKEN": "..."}}} or '
        '{"billing": {"url": "https://billing.example/mcp", "headers": {"Authorization": "..."}}}.',
    )
    company: Company = Field(Company.SAMPLE, description="`sample` for the sample company, or `none`.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="`debug`, `info`, `warning` or `error`."
    )
    workers: int = Field(2, ge=1, le=64, description="threads for detection and embedding, from 1 to 64.")

    @field_validator("database_url")
    @classmethod
    def _database(cls, url: str, found: ValidationInfo) -> str:
        if not url:
            folder = found.data.get("data_dir", Path(".handrail"))
            return f"sqlite:///{(folder / 'handrail.db').absolute()}"
        if re.split(r"[:+]", url)[0] not in _DATABASES or "://" not in url:
            raise ValueError("not the URL of a SQLite or PostgreSQL database")
        return url

    @property
    def company_file(self) -> Path:
        """Where the sample company keeps its records."""
        return self.data_dir / "company.db"

    def make_data_dir(self) -> None:
        """Make the data folder, for its owner only, unless it is there.

        Raises:
            ConfigError: it cannot be made, or is not a folder.
        """
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(
                [f"{self.data_dir} cannot be made ({error.strerror}). Set HANDRAIL_DATA_DIR to another folder."]
            ) from error


def load_settings(config: Path | None = None, overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the settings. The command line wins over the environment, the environment over the file.

    Args:
        config: The file to read; without one, `handrail.toml` of the working folder, if there is one.
        overrides: Settings by field name; a None counts as not given.

    Raises:
        ConfigError: something is wrong; it lists every wrong, unknown and missing setting.
    """
    path = config or (Path(CONFIG_FILE) if Path(CONFIG_FILE).is_file() else None)
    in_file, problems = _read(path) if path else ({}, [])
    set_by = {name.lower().removeprefix(PREFIX.lower()): name for name, content in os.environ.items() if content}
    problems += _unknown_variables()
    known = {name: content for name, content in in_file.items() if name in Settings.model_fields}
    problems += [_unknown(name, f" in {path}", list(Settings.model_fields)) for name in in_file if name not in known]
    given = {name: content for name, content in (overrides or {}).items() if content is not None}
    fromfile = {name: content for name, content in known.items() if name not in set_by}
    try:
        settings = Settings.model_validate(fromfile | given)
    except ValidationError as error:
        origins = dict.fromkeys(fromfile, f" in {path}") | dict.fromkeys(given, " on the command line")
        problems += _wrong(error, origins)
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return settings


def _read(path: Path) -> tuple[dict[str, object], list[str]]:
    """The content of a configuration file and what is wrong with it; its paths are relative to its folder."""
    try:
        content: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [f"{path}: cannot be read ({error.strerror}). Give the path of a TOML file with --config."]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"{path}: not TOML ({error}). Write one `name = value` a line, texts in quotes."]
    for name in _PATHS:
        place = content.get(name)
        if isinstance(place, str):
            content[name] = path.parent / Path(place).expanduser()
    return content, []


def _unknown_variables() -> list[str]:
    """A problem for each variable that looks like ours and is not, lest a misspelt setting go unnoticed."""
    known = [PREFIX + field.upper() for field in Settings.model_fields]
    ours = sorted(name for name in os.environ if name.upper().startswith(PREFIX))
    return [_unknown(name, "", known) for name in ours if name.upper() not in {*known, OPERATOR_TOKEN}]


def _unknown(name: str, where: str, known: list[str]) -> str:
    bare = {each.removeprefix(PREFIX).lower(): each for each in known}
    close = get_close_matches(name.lower().removeprefix(PREFIX.lower()), bare, n=1)
    advice = f"Did you mean {bare[close[0]]}?" if close else f"Remove it; the settings are {', '.join(sorted(known))}."
    return f"{name}: there is no such setting{where}. {advice}"


def _wrong(error: ValidationError, origins: Mapping[str, str]) -> list[str]:
    """One sentence for each wrong setting: its name, what is wrong, what to do. Never the content of a secret."""
    return [_sentence(each, origins) for each in error.errors(include_url=False, include_context=False)]


def _sentence(wrong: ErrorDetails, origins: Mapping[str, str]) -> str:
    field = str(wrong["loc"][0])
    said = wrong["msg"].removeprefix("Value error, ")
    advice = Settings.model_fields[field].description
    return f"{PREFIX}{field.upper()}{origins.get(field, '')}: {said[0].lower()}{said[1:]}. Set it to {advice}"
