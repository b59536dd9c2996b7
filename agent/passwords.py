"""Passwords as they are stored: salted scrypt hashes with their parameters."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

SALT_BYTES = 16
KEY_BYTES = 32
_SCHEME = "scrypt"


@dataclass(frozen=True, slots=True)
class Cost:
    """The work of one hash. The default is one of those that OWASP names for scrypt: 16 MiB, a fifth of a second."""

    n: int = 2**14
    r: int = 8
    p: int = 5


def hashed(password: str, cost: Cost) -> str:
    """`scrypt$n$r$p$salt$key`, salt and key in base64."""
    salt = secrets.token_bytes(SALT_BYTES)
    return "$".join((_SCHEME, str(cost.n), str(cost.r), str(cost.p), _text(salt), _text(_key(password, salt, cost))))


def matches(password: str, stored: str) -> bool:
    """Whether `password` is the one that was hashed to `stored`, in constant time; False for what is no hash."""
    try:
        scheme, n, r, p, salt, key = stored.split("$")
        cost = Cost(int(n), int(r), int(p))
        expected = base64.b64decode(key, validate=True)
        found = _key(password, base64.b64decode(salt, validate=True), cost)
    except (ValueError, binascii.Error):
        return False
    return scheme == _SCHEME and hmac.compare_digest(found, expected)


def _key(password: str, salt: bytes, cost: Cost) -> bytes:
    # Lone surrogates cannot be encoded otherwise; they match nothing but themselves.
    secret = password.encode("utf-8", "surrogatepass")
    memory = 256 * cost.n * cost.r
    return hashlib.scrypt(secret, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory, dklen=KEY_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
