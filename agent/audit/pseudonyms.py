"""Pseudonyms: stable stand-ins for identifiers in the audit log, which only the holder of the secret can match."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from pydantic import JsonValue

from handrail.guardrails.errors import ConfigError

SECRET_FILE = "pseudonyms.key"  # noqa: S105 - the name of a file, not a secret
SECRET_BYTES = 32
SHORTEST_IN_TEXT = 4
"""Identifiers shorter than this are replaced only where they stand alone: inside a sentence they would hit words."""


class Pseudonyms:
    """Replaces identifiers by keyed digests (HMAC-SHA256, 96 bits), the same identifier always by the same one."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES // 2:
            raise ConfigError(["the pseudonym secret is too short: use at least 16 bytes"])
        self._secret = secret

    def of(self, site: str, identifier: str) -> str:
        """The pseudonym of `identifier`; sites do not share pseudonyms."""
        message = f"{len(site)}:{site}:{identifier}".encode("utf-8", "surrogatepass")
        return "p_" + hmac.new(self._secret, message, sha256).hexdigest()[:24]

    def replace(self, site: str, identifiers: Iterable[str], content: JsonValue) -> JsonValue:
        """`content` with every occurrence of the identifiers replaced, in values and in keys."""
        table = {identifier: self.of(site, identifier) for identifier in identifiers if identifier}
        if not table:
            return content
        inside = sorted((word for word in table if len(word) >= SHORTEST_IN_TEXT), key=len, reverse=True)
        pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, inside)) + r")(?!\w)") if inside else None

        def text(value: str) -> str:
            if value in table:
                return table[value]
            return pattern.sub(lambda match: table[match.group()], value) if pattern else value

        def walk(value: JsonValue) -> JsonValue:
            if isinstance(value, str):
                return text(value)
            if isinstance(value, dict):
                return {text(key): walk(inner) for key, inner in value.items()}
            if isinstance(value, list | tuple):
                return [walk(inner) for inner in value]
            return value

        return walk(content)


def load_secret(folder: Path) -> bytes:
    """The secret in `folder`, made at the first call and readable by its owner only (mode 0600).

    Raises:
        ConfigError: The file cannot be read or made, or is too short.
    """
    path = folder / SECRET_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make_once(path)
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigError([f"cannot read or make the pseudonym secret {path}: {error}"]) from error
    if len(secret) < SECRET_BYTES:
        raise ConfigError([f"the pseudonym secret {path} is damaged: restore it from a backup"])
    return secret


def _make_once(path: Path) -> None:
    if path.exists():
        return
    # A link appears whole or not at all, so two processes that start together agree on one secret.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
