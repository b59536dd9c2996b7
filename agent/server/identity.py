"""Who is calling: customers by signed token, visitors by the key of their conversation, servers by API key.

Nothing else is believed: no id in a body, header or path says who somebody is (spec S13.3).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from http import HTTPStatus

import jwt
from pydantic import SecretStr

from handrail.agent.server.faults import Fault, unknown_conversation
from handrail.agent.server.keys import Keys
from handrail.guardrails.errors import ConfigError

ALGORITHM = "HS256"
LEEWAY_SECONDS = 30
"""Clocks of the company's servers may differ from ours by this much."""

_TOKEN_CHARACTERS = 4096
_CUSTOMER_ID = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_LATEST = 2**40
"""Seconds since 1970; an `exp` beyond it is as good as never, and still fits where seconds are counted."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a customer route is called for. `customer_id` is None for an anonymous visitor.

    `seconds_left` is how long the token still holds, None without one.
    """

    customer_id: str | None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Checks identities of one site."""

    keys: Keys
    site: str

    def customer(self, authorization: str | None) -> str | None:
        """The customer a bearer token names, or None when there is no token. Raises Fault as `caller`."""
        return self.caller(authorization).customer_id

    def caller(self, authorization: str | None) -> Caller:
        """The customer a bearer token names, or a visitor when there is no token.

        Raises:
            Fault: 401, the token is not valid. A wrong token never counts as none.
        """
        if authorization is None:
            return Caller(customer_id=None)
        token = bearer(authorization)
        if token is None or len(token) > _TOKEN_CHARACTERS:
            raise _refused("The Authorization header is not a bearer token.")
        try:
            return self._named(token)
        except jwt.ExpiredSignatureError:
            raise token_expired() from None
        except (jwt.PyJWTError, ValueError, OverflowError):
            raise _refused("The customer token is not valid.") from None

    def _named(self, token: str) -> Caller:
        kid = jwt.get_unverified_header(token).get("kid")
        key = self.keys.identity.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise jwt.InvalidTokenError
        return self.checked(token, key)

    def checked(self, token: str, key: SecretStr, issuer: str | None = None) -> Caller:
        """Whom a token names that is signed with `key`; it must name `issuer` as its own, if one is given.

        Raises what PyJWT raises, ValueError, OverflowError.
        """
        required = ["exp", "sub"] if issuer is None else ["exp", "sub", "iss"]
        # INVARIANT: the algorithm is ours, never the token's (`alg: none`, or a public key taken for a secret).
        claims = jwt.decode(
            token,
            key.get_secret_value(),
            algorithms=[ALGORITHM],
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": required, "verify_aud": False},
        )
        subject, audience = claims["sub"], claims.get("aud", self.site)
        if audience != self.site or not isinstance(subject, str) or not _CUSTOMER_ID.fullmatch(subject):
            raise jwt.InvalidTokenError
        ends = min(int(claims["exp"]), _LATEST)
        return Caller(customer_id=subject, seconds_left=ends + LEEWAY_SECONDS - time.time())

    def sign(self, customer_id: str, seconds: int) -> str:
        """A customer token as the company's servers make it, valid for `seconds`, signed with the first key.

        Raises:
            ConfigError: the id is not one that tokens may carry.
        """
        if not _CUSTOMER_ID.fullmatch(customer_id):
            raise ConfigError(["A customer's id has 1 to 200 characters, none of them control characters."])
        kid, key = next(iter(self.keys.identity.items()))
        claims = {"sub": customer_id, "aud": self.site, "exp": int(time.time()) + seconds}
        return jwt.encode(claims, key.get_secret_value(), algorithm=ALGORITHM, headers={"kid": kid})

    def visitor_key(self, conversation_id: str) -> str:
        """The key that an anonymous visitor needs for this conversation: an HMAC of its id, so nothing is stored."""
        said = f"{self.site}\0{conversation_id}".encode()
        return hmac.new(self.keys.visitor.get_secret_value().encode(), said, hashlib.sha256).hexdigest()

    def admit(self, conversation_id: str, authorization: str | None, visitor_key: str | None) -> Caller:
        """On whose behalf this conversation is used.

        That the conversation belongs to that customer is the store's to say: a visitor key opens anonymous
        conversations only, since None matches no customer.

        Raises:
            Fault: 401 without any credential or with a bad token, 404 with a wrong visitor key.
        """
        caller = self.caller(authorization)
        if caller.customer_id is not None:
            return caller
        if visitor_key is None:
            raise _refused("A conversation needs the customer's token or its visitor key.", "credential_missing")
        if not _same(visitor_key, self.visitor_key(conversation_id)):
            raise unknown_conversation()
        return caller

    def known_server(self, key: str | None) -> str | None:
        """The name of the server whose key this is; None without a key, or with none of ours."""
        # Every key is compared, so that the time taken tells nothing about which one is close.
        names = [name for name, own in self.keys.server.items() if _same(key or "", own.get_secret_value())]
        return names[0] if names else None

    def server(self, key: str | None) -> str:
        """The name of the server whose key this is.

        Raises:
            Fault: 401, no key or none of ours.
        """
        name = self.known_server(key)
        if name is None:
            raise Fault(
                HTTPStatus.UNAUTHORIZED,
                "server_key_invalid",
                "This endpoint is for servers, and the key is missing or not valid.",
                "Send one of the keys in HANDRAIL_SERVER_KEYS as X-Server-Key (`handrail token --server`).",
            )
        return name


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization header; None without one, or with another scheme."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def token_expired() -> Fault:
    """The customer's token was valid once."""
    return _refused("The customer token has expired.", "token_expired")


def _same(given: str, own: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), own.encode())


def _refused(message: str, code: str = "invalid_token") -> Fault:
    return Fault(
        HTTPStatus.UNAUTHORIZED,
        code,
        message,
        f"Send `Authorization: Bearer <JWT>` signed with {ALGORITHM}, with `kid`, `sub` and `exp`; or, for an "
        "anonymous conversation, only its X-Visitor-Key.",
    )
