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

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from handrail.agent.setting_kinds import Headers, Keys, McpServers, Proxies, Secret, SiteKeys
from handrail.guardrails.detect.labels import ALL_KINDS, GRAVE_KINDS
from handrail.guardrails.encoder import MAX_CHARACTERS
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.model_folder import default_cache_dir

PREFIX = "HANDRAIL_"
CONFIG_FILE = "handrail.toml"
OPERATOR_TOKEN = "HANDRAIL_OPERATOR_TOKEN"  # noqa: S105 - a variable's name
"""The variable that `handrail queue` takes an operator's token from: an identity, and no setting."""

EMBEDDED = "embedded"
"""The model that needs no key: it quotes passages and follows flows."""

_CHROMA_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$"
_DATABASES = ("sqlite", "postgresql")
_PATHS = ("data_dir", "bundle", "cache_dir", "detection_model")


class Company(StrEnum):
    """Which company's systems stand behind the tools."""

    SAMPLE = "sample"
    NONE = "none"


class ModelMask(StrEnum):
    """What of the customer's data a model reads as labels such as `[card]`."""

    NONE = "none"
    SECRETS = "secrets"
    ALL = "all"

    @property
    def kinds(self) -> frozenset[str]:
        """The codes of what is masked."""
        return {ModelMask.NONE: frozenset[str](), ModelMask.SECRETS: GRAVE_KINDS, ModelMask.ALL: ALL_KINDS}[self]


class Settings(BaseSettings):
    """Everything that can be set. Build it with `load_settings`, which reports all that is wrong at once.

    The description of a field completes the sentence "Set it to ...".
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

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
    model: str = Field(EMBEDDED, min_length=1, description="`embedded`, or a model's name at the endpoint.")
    model_base_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="the endpoint's address, such as https://models.example/v1."
    )
    model_api_key: SecretStr | None = Field(None, validate_default=True, description="the endpoint's key.")
    mask_model_input: ModelMask = Field(
        ModelMask.SECRETS,
        description="`none`, `secrets` or `all`: what a model reads as labels such as [card], in messages and tool "
        "results. `secrets` are card and account numbers, national ids, passwords, keys and codes; "
        "with `all`, no tool gets a name, an address, a phone number or a link from a model.",
    )
    turn_seconds: float | None = Field(
        None, gt=0, le=120, description="seconds a turn may take, up to 120; without it, the bundle's limit holds."
    )
    model_timeout: float = Field(15.0, gt=0, le=120, description="seconds one model call may take, within a turn.")
    second_opinion_model: str | None = Field(
        None,
        min_length=1,
        description="the name of a model at the endpoint that is asked about messages that detection cannot place; "
        "without it, nobody is asked.",
    )
    second_opinion_base_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="the address of its endpoint; without it, HANDRAIL_MODEL_BASE_URL."
    )
    second_opinion_api_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="the key of its endpoint; without it, HANDRAIL_MODEL_API_KEY, if the endpoint is the same.",
    )
    second_opinion_timeout_seconds: float = Field(
        2.0, gt=0, le=10, description="seconds a second opinion may take, up to 10; the customer waits meanwhile."
    )
    second_opinion_below: float = Field(
        0.4, ge=0, le=1, description="the confidence, from 0 to 1, below which a second opinion is asked for."
    )
    embedding_model: str | None = Field(
        None,
        min_length=1,
        description="the name of an embedding model at an endpoint; without it, passages and questions are embedded "
        "here, by the local encoder.",
    )
    embedding_base_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="the address of its endpoint; without it, HANDRAIL_MODEL_BASE_URL."
    )
    embedding_api_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="the key of its endpoint; without it, HANDRAIL_MODEL_API_KEY, if the endpoint is the same.",
    )
    embedding_dimensions: int | None = Field(
        None, ge=8, le=8_192, description="the length of vectors to ask for; without it, the model's own is taken."
    )
    embedding_characters: int = Field(
        MAX_CHARACTERS,
        ge=200,
        le=MAX_CHARACTERS,
        description=f"how many characters of a text the model gets, from 200 to {MAX_CHARACTERS:,}; the rest is cut.",
    )
    embedding_timeout_seconds: float = Field(
        2.5,
        gt=0,
        le=10,
        description="seconds that embedding a question may take, up to 10; the customer waits meanwhile.",
    )
    embedding_ingest_timeout_seconds: float = Field(
        60.0,
        gt=0,
        le=600,
        description="seconds that one request of an ingest may take with all its attempts, up to 600.",
    )
    passage_threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="the score, between 0 and 1, from which a passage is good enough to answer from; an ingest puts it "
        "into the base. Without it, the one that was fitted to the local encoder holds.",
    )
    chroma_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="the address of a Chroma server, such as http://chroma.example:8000; without it, Chroma is "
        "embedded and keeps its files in the data folder.",
    )
    chroma_tenant: str = Field("default_tenant", pattern=_CHROMA_NAME, description="a tenant's name on that server.")
    chroma_database: str = Field("default_database", pattern=_CHROMA_NAME, description="a database's name there.")
    chroma_headers: Headers = Field(
        default_factory=dict,
        description='a table of headers that go with every request to it, as in {"x-chroma-token": "..."} or '
        '{"Authorization": "Bearer ..."}.',
    )
    chroma_timeout_seconds: float = Field(
        2.0, gt=0, le=10, description="seconds that one request of a search may take, up to 10; the customer waits."
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

    @field_validator("model_api_key")
    @classmethod
    def _reachable(cls, key: SecretStr | None, found: ValidationInfo) -> SecretStr | None:
        remote = found.data.get("model", EMBEDDED) != EMBEDDED
        if remote and key is None and found.data.get("model_base_url") is None:
            raise ValueError("not set, though HANDRAIL_MODEL names a model and HANDRAIL_MODEL_BASE_URL is not set")
        return key

    @field_validator("second_opinion_model")
    @classmethod
    def _able(cls, name: str | None) -> str | None:
        if name == EMBEDDED:
            raise ValueError("the embedded model has no opinions")
        return name

    @field_validator("second_opinion_api_key")
    @classmethod
    def _opinion_reachable(cls, key: SecretStr | None, found: ValidationInfo) -> SecretStr | None:
        named = found.data.get("second_opinion_model") is not None
        own = ("second_opinion_base_url", "model_base_url", "model_api_key")
        if named and key is None and all(found.data.get(name) is None for name in own):
            raise ValueError(
                "not set, though HANDRAIL_SECOND_OPINION_MODEL names a model and there is no endpoint for it"
            )
        return key

    @field_validator("embedding_model")
    @classmethod
    def _remote(cls, name: str | None) -> str | None:
        if name == EMBEDDED:
            raise ValueError("leave it out for the local encoder")
        return name

    @field_validator("embedding_api_key")
    @classmethod
    def _embedding_reachable(cls, key: SecretStr | None, found: ValidationInfo) -> SecretStr | None:
        named = found.data.get("embedding_model") is not None
        own = ("embedding_base_url", "model_base_url", "model_api_key")
        if named and key is None and all(found.data.get(name) is None for name in own):
            raise ValueError("not set, though HANDRAIL_EMBEDDING_MODEL names a model and there is no endpoint for it")
        return key

    @field_validator(
        "model_timeout", "second_opinion_timeout_seconds", "embedding_timeout_seconds", "chroma_timeout_seconds"
    )
    @classmethod
    def _within_turn(cls, seconds: float, found: ValidationInfo) -> float:
        turn = found.data.get("turn_seconds")
        if turn is not None and seconds > turn:
            raise ValueError(f"longer than a turn, which HANDRAIL_TURN_SECONDS limits to {turn:g} seconds")
        return seconds

    @property
    def opinion_base_url(self) -> str | None:
        """The endpoint for second opinions: its own, or that of the chat model."""
        return self.second_opinion_base_url or self.model_base_url

    @property
    def opinion_api_key(self) -> SecretStr | None:
        """The key for second opinions. The chat model's key goes to no other endpoint than its own."""
        same = self.opinion_base_url == self.model_base_url
        return self.second_opinion_api_key or (self.model_api_key if same else None)

    @property
    def embedding_url(self) -> str | None:
        """The endpoint for embeddings: its own, or that of the chat model."""
        return self.embedding_base_url or self.model_base_url

    @property
    def embedding_key(self) -> SecretStr | None:
        """The key for embeddings. The chat model's key goes to no other endpoint than its own."""
        same = self.embedding_url == self.model_base_url
        return self.embedding_api_key or (self.model_api_key if same else None)

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
