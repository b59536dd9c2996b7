"""The people who take handoffs: their accounts and sessions."""

from __future__ import annotations

from datetime import datetime

from handrail.guardrails.vocabulary import Frozen


class OperatorRecord(Frozen):
    """A person's account. `name` signs in and stands in the audit log; `display` is what customers see.

    `password` is the salted scrypt hash with its parameters, never the password. `queues` narrows what is listed
    first, not what may be seen. A disabled account cannot sign in, and its sessions are over.
    """

    name: str
    display: str
    password: str
    queues: tuple[str, ...] = ()
    created_at: datetime
    disabled_at: datetime | None = None


class SessionRecord(Frozen):
    """A signed-in person. `token_digest` is the SHA-256 (hex) of the token, which is stored nowhere."""

    token_digest: str
    name: str
    expires_at: datetime
