"""Who calls the proxy: the company's own servers, by their keys. No browser, and nobody with a customer's token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Request

from handrail.agent.server.asking import Asking
from handrail.agent.server.bodies import CUSTOMER_ID
from handrail.agent.server.faults import Fault
from handrail.agent.server.identity import bearer

_OF_BROWSERS = ("origin", "sec-fetch-site", "sec-fetch-mode")
_OF_CUSTOMERS = ("x-customer-token", "x-visitor-key", "x-openwebui-user-jwt")


async def application(
    desk: Asking,
    request: Request,
    authorization: Annotated[
        str | None, Header(alias="Authorization", description="`Bearer` and one of the server keys.")
    ] = None,
) -> str:
    """The name of the calling server.

    Raises:
        Fault: 401 without a server's key; 403 for a browser, or with a credential of a customer.
    """
    if any(name in request.headers for name in _OF_BROWSERS):
        raise Fault(
            HTTPStatus.FORBIDDEN,
            "browser_refused",
            "The proxy answers no browsers.",
            "Call it from a server: whoever holds the key can speak for every customer.",
        )
    name = desk.gate.known_server(bearer(authorization))
    if name is None:
        raise Fault(
            HTTPStatus.UNAUTHORIZED,
            "invalid_api_key",
            "The proxy needs a server's key, and this is none.",
            "Send one of the keys in HANDRAIL_SERVER_KEYS as the API key (`handrail token --server`).",
        )
    if any(header in request.headers for header in _OF_CUSTOMERS):
        raise Fault(
            HTTPStatus.FORBIDDEN,
            "customer_token_refused",
            "The proxy takes no tokens of customers.",
            "Say who the customer is by X-Customer-Id or `user`; customers' own programs use /v1.",
        )
    return name


Application = Annotated[str, Depends(application)]
CustomerId = Annotated[
    str | None,
    Header(
        alias="X-Customer-Id",
        pattern=CUSTOMER_ID,
        description="The customer, as the application knows from its session. It is believed.",
    ),
]
