"""The secrets of the web side: configured ones, else ones made once and kept in the data folder."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError

from handrail.agent.settings import SHORTEST_SECRET, Settings
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Frozen

FILE = "secrets.json"
DEMO = "demo"
"""Name of the generated customer key and server key."""


class Keys(Frozen):
    """What identities are checked with. `identity` goes by key id, `server` by the caller's name."""

    identity: dict[str, SecretStr]
    server: dict[str, SecretStr]
    visitor: SecretStr


class _Stored(Frozen):
    """The content of the secrets file."""

    identity: dict[str, str] = Field(min_length=1)
    server: dict[str, str] = Field(min_length=1)
    visitor: str = Field(min_length=SHORTEST_SECRET)


def keys_of(settings: Settings) -> Keys:
    """The keys to use. What is not configured comes from the secrets file, which is made when it is missing.

    Raises:
        ConfigError: the secrets file cannot be made or read, is damaged, or other users can read it.
    """
    if settings.identity_keys and settings.server_keys and settings.visitor_secret:
        return Keys(identity=settings.identity_keys, server=settings.server_keys, visitor=settings.visitor_secret)
    settings.make_data_dir()
    stored = _stored(settings.data_dir / FILE)
    return Keys(
        identity=settings.identity_keys or {name: SecretStr(key) for name, key in stored.identity.items()},
        server=settings.server_keys or {name: SecretStr(key) for name, key in stored.server.items()},
        visitor=settings.visitor_secret or SecretStr(stored.visitor),
    )


def _stored(path: Path) -> _Stored:
    try:
        if not path.exists():
            _make(path)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError([f"{path} can be read by other users. Run `chmod 600 {path}` and renew its secrets."])
        return _Stored.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            [f"{path}: {error.strerror}. Make the folder writable, or set HANDRAIL_DATA_DIR to one that is."]
        ) from error
    except ValidationError:
        raise ConfigError(
            [f"{path} is damaged. Delete it to make new secrets; customer tokens signed with the old ones end."]
        ) from None


def _make(path: Path) -> None:
    """Write fresh secrets, readable by the owner only. The first of several processes wins."""
    fresh = _Stored(
        identity={DEMO: secrets.token_hex(32)}, server={DEMO: secrets.token_hex(32)}, visitor=secrets.token_hex(32)
    )
    draft = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            stream.write(fresh.model_dump_json(indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # another process was faster; its secrets hold
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
