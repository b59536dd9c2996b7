"""Who calls the OpenAI-compatible endpoints, and for which customer: by key and signed tokens only."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import jwt
from fastapi import Depends, Header

from handrail.agent.server.asking import Asking
from handrail.agent.server.faults import Fault
from handrail.agent.server.identity import Gate, bearer
from handrail.guardrails.vocabulary import Frozen

OPEN_WEBUI = "openwebui"
"""Id of the identity key that Open WebUI's tokens, which name no key, are checked with; and with no other."""

_ISSUER = "open-webui"

ApiKey = Annotated[
    str | None,
    Header(alias="Authorization", description="`Bearer` and one of the server keys, or a customer token."),
]
CustomerToken = Annotated[
    str | None,
    Header(alias="X-Customer-Token", description="The customer's token, when the bearer token is a server's key."),
]
OpenWebUiToken = Annotated[
    str | None,
    Header(
        alias="X-OpenWebUI-User-Jwt",
        description=f"What Open WebUI signs; checked with the identity key called `{OPEN_WEBUI}`.",
    ),
]


class Client(Frozen):
    """Who asks. `server` is the name of the key that was used, if it was one; `customer_id` who it is for."""

    server: str | None
    customer_id: str | None

    @property
    def owner(self) -> str:
        """Whose conversations these are: the customer's, or, without one, those of the calling server."""
        return f"server:{self.server}" if self.customer_id is None else f"customer:{self.customer_id}"


async def client(
    desk: Asking,
    authorization: ApiKey = None,
    x_customer_token: CustomerToken = None,
    x_openwebui_user_jwt: OpenWebUiToken = None,
) -> Client:
    """The caller of this request. Every credential that is sent must hold, and all must name the same customer.

    Raises:
        Fault: 401.
    """
    key = bearer(authorization)
    if key is None:
        raise _refused("This endpoint needs a key.", "invalid_api_key")
    server = desk.gate.known_server(key)
    named: list[str | None] = [] if server else [_customer(desk.gate, key, "The API key", "invalid_api_key")]
    if x_customer_token is not None:
        named.append(_customer(desk.gate, x_customer_token.strip(), "X-Customer-Token"))
    if x_openwebui_user_jwt is not None:
        named.append(_open_webui_user(desk.gate, x_openwebui_user_jwt.strip()))
    if len(set(named)) > 1:
        raise _refused("The tokens of this request name different customers.", "invalid_token")
    return Client(server=server, customer_id=named[0] if named else None)


Calling = Annotated[Client, Depends(client)]


def _customer(gate: Gate, token: str, where: str, code: str = "invalid_token") -> str:
    try:
        found = gate.customer(f"Bearer {token}")
    except Fault as fault:
        if fault.view.code == "token_expired":
            raise _refused(f"{where} has expired.", "token_expired") from None
        raise _refused(f"{where} is not valid.", code) from None
    if found is None:
        raise _refused(f"{where} is not valid.", code)
    return found


def _open_webui_user(gate: Gate, token: str) -> str | None:
    """The user of a token that Open WebUI signs: HS256, `iss` open-webui, `sub`, `exp`, and no `kid`.

    A token with a `kid`, which a company's own gateway may put there, is checked as every customer token.
    """
    try:
        if "kid" in jwt.get_unverified_header(token):
            return _customer(gate, token, "X-OpenWebUI-User-Jwt")
        key = gate.keys.identity.get(OPEN_WEBUI)
        if key is None:
            raise jwt.InvalidTokenError
        # INVARIANT: a token that names no key is checked with the one key meant for it; never with the company's own.
        return gate.checked(token, key, _ISSUER).customer_id
    except jwt.ExpiredSignatureError:
        raise _refused("X-OpenWebUI-User-Jwt has expired.", "token_expired") from None
    except (jwt.PyJWTError, ValueError, OverflowError):
        raise _refused("X-OpenWebUI-User-Jwt is not valid.", "invalid_token") from None


def _refused(message: str, code: str) -> Fault:
    return Fault(
        HTTPStatus.UNAUTHORIZED,
        code,
        message,
        "Send one of the keys in HANDRAIL_SERVER_KEYS, or a customer token, as the API key; with a server's key, say "
        "who it is for by X-Customer-Token.",
    )
