"""The secrets of the web side: configured ones, else ones made once and kept in the data folder."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError

from handrail.agent.setting_kinds import SHORTEST_SECRET
from handrail.agent.settings import Settings
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Frozen

FILE = "secrets.json"
DEMO = "demo"
"""Name of the generated customer key and server key, and of the sample installation's operator."""


class Keys(Frozen):
    """What identities are checked with. `identity` goes by key id, `server` by the caller's name.

    `site` goes by site key and lists the origins of the pages that may use it; site keys are no secrets.
    """

    identity: dict[str, SecretStr]
    server: dict[str, SecretStr]
    visitor: SecretStr
    site: dict[str, tuple[str, ...]] = {}


class _Stored(Frozen):
    """The content of the secrets file. `site` and `operator` are empty in files of earlier versions."""

    identity: dict[str, str] = Field(min_length=1)
    server: dict[str, str] = Field(min_length=1)
    visitor: str = Field(min_length=SHORTEST_SECRET)
    site: str = ""
    operator: str = ""

    def completed(self) -> _Stored:
        """With what earlier versions did not store, made from what they did: every process makes the same."""
        return self.model_copy(
            update={
                "site": self.site or f"site_{self._made('site key')[:24]}",
                "operator": self.operator or self._made("operator"),
            }
        )

    def _made(self, purpose: str) -> str:
        return hmac.new(self.visitor.encode(), f"made for: {purpose}".encode(), hashlib.sha256).hexdigest()


def keys_of(settings: Settings) -> Keys:
    """The keys to use. What is not configured comes from the secrets file, which is made when it is missing.

    Raises:
        ConfigError: the secrets file cannot be made or read, is damaged, or other users can read it.
    """
    given = settings
    if given.identity_keys and given.server_keys and given.visitor_secret:
        # Every secret is configured: no file. Without a site key, only pages of the server's own origin may call.
        return Keys(
            identity=given.identity_keys, server=given.server_keys, visitor=given.visitor_secret, site=given.site_keys
        )
    stored = _stored(settings)
    return Keys(
        identity=given.identity_keys or {name: SecretStr(key) for name, key in stored.identity.items()},
        server=given.server_keys or {name: SecretStr(key) for name, key in stored.server.items()},
        visitor=given.visitor_secret or SecretStr(stored.visitor),
        site=given.site_keys or {stored.site: ()},
    )


def demo_password(settings: Settings) -> SecretStr:
    """The password of the sample installation's operator; made once. Raises ConfigError as `keys_of`."""
    return SecretStr(_stored(settings).operator)


def _stored(settings: Settings) -> _Stored:
    settings.make_data_dir()
    path = settings.data_dir / FILE
    try:
        if not path.exists():
            _make(path)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError([f"{path} can be read by other users. Run `chmod 600 {path}` and renew its secrets."])
        stored = _Stored.model_validate_json(path.read_bytes())
        completed = stored.completed()
        if completed != stored:
            with _draft(path, completed) as draft:  # every process writes the same
                draft.replace(path)
        return completed
    except OSError as error:
        raise ConfigError(
            [f"{path}: {error.strerror}. Make the folder writable, or set HANDRAIL_DATA_DIR to one that is."]
        ) from error
    except ValidationError:
        raise ConfigError(
            [f"{path} is damaged. Delete it to make new secrets; customer tokens signed with the old ones end."]
        ) from None


def _fresh() -> _Stored:
    return _Stored(
        identity={DEMO: secrets.token_hex(32)},
        server={DEMO: secrets.token_hex(32)},
        visitor=secrets.token_hex(32),
        site=f"site_{secrets.token_hex(12)}",
        operator=secrets.token_urlsafe(18),
    )


def _make(path: Path) -> None:
    """Write fresh secrets. The first of several processes wins."""
    with _draft(path, _fresh()) as draft, suppress(FileExistsError):  # another process was faster; its secrets hold
        os.link(draft, path)


@contextmanager
def _draft(path: Path, content: _Stored) -> Iterator[Path]:
    """A file beside `path` with this content, readable by the owner only; gone afterwards."""
    draft = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            stream.write(content.model_dump_json(indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
