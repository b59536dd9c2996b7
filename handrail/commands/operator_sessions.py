"""Who the command line acts as: sessions kept for the user, and the ways to get a new one."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from platformdirs import user_state_path
from pydantic import ValidationError

from handrail.agent.settings import OPERATOR_TOKEN, Company, Settings
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Frozen

if TYPE_CHECKING:
    import httpx

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class SavedSession(Frozen):
    """A session as it is kept between two commands."""

    url: str
    name: str
    token: str
    expires_at: datetime


class SavedSessions:
    """Sessions in a folder, one file each, readable by the user only."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep them in `folder`, by default in the user's state folder."""
        self._folder = folder or user_state_path("handrail") / "sessions"

    def latest(self, url: str, name: str | None, now: datetime) -> SavedSession | None:
        """The session at `url` that lasts longest, of `name` if that is given; None when all are over."""
        found = [
            each for each in self._all() if each.url == url and name in {None, each.name} and each.expires_at > now
        ]
        return max(found, key=lambda each: each.expires_at, default=None)

    def of_token(self, url: str, token: str) -> SavedSession | None:
        """The session that this token is of, if it is a kept one."""
        return next((each for each in self._all() if each.url == url and each.token == token), None)

    def keep(self, session: SavedSession) -> None:
        """Store a session, in place of an older one of the same person at the same address."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(session)
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            stream.write(session.model_dump_json())
        draft.replace(path)

    def forget(self, session: SavedSession) -> None:
        """Drop a session that the server does not know any more."""
        self._path(session).unlink(missing_ok=True)

    def _path(self, session: SavedSession) -> Path:
        name = hashlib.sha256(f"{session.url}\0{session.name}".encode()).hexdigest()[:24]
        return self._folder / f"{name}.json"

    def _all(self) -> list[SavedSession]:
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(SavedSession.model_validate_json(path.read_bytes()))
            except (OSError, ValidationError):
                continue  # of another version, or gone meanwhile: a new sign-in replaces it
        return found


def token_for(client: httpx.Client, url: str, name: str | None, settings: Settings, sessions: SavedSessions) -> str:
    """A token of `name`, or of whoever acted last: from the environment, a kept session, or a new sign-in.

    Raises:
        ConfigError: nobody can be asked for a password.
        Fault: the server refuses the sign-in.
    """
    given = os.environ.get(OPERATOR_TOKEN)
    if given and name is None:
        return given
    saved = sessions.latest(url, name, datetime.now(UTC))
    if saved is not None:
        return saved.token
    return new_token(client, url, name, settings, sessions)


def new_token(client: httpx.Client, url: str, name: str | None, settings: Settings, sessions: SavedSessions) -> str:
    """Sign in and keep the session. Raises as `token_for`."""
    from handrail.agent.server.operator_client import sign_in

    who, password = _credentials(url, name, settings)
    session = sign_in(client, who, password)
    sessions.keep(SavedSession(url=url, name=who, token=session.token, expires_at=session.expires_at))
    return session.token


def _credentials(url: str, name: str | None, settings: Settings) -> tuple[str, str]:
    """Name and password: those of the sample installation on this machine, else asked for."""
    from handrail.agent.server.keys import DEMO, FILE, demo_password

    sample = settings.company is Company.SAMPLE and urlsplit(url).hostname in _HERE
    if sample and name in {None, DEMO} and (settings.data_dir / FILE).exists():
        return DEMO, demo_password(settings).get_secret_value()
    if not _at_terminal():
        advice = (
            f"Set {OPERATOR_TOKEN} to the token of POST /v1/operator/session, or run a `handrail queue` command in a "
            "terminal once. `handrail operator add NAME` makes an account."
        )
        raise ConfigError([f"Nobody is signed in at {url}, and there is no terminal to ask for a password. {advice}"])
    who = name or click.prompt(f"Operator at {url}", err=True)
    return who, click.prompt(f"Password of {who}", hide_input=True, err=True)


def _at_terminal() -> bool:
    return sys.stdin.isatty()
