"""What every route may ask for: the desk, who calls, the headers that carry identities, and the key of a repeat."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request

from handrail.agent.operators import Operator
from handrail.agent.server.desk import Desk
from handrail.agent.server.faults import Fault
from handrail.agent.server.identity import bearer
from handrail.agent.server.rates import counted_address

ID = r"^[A-Za-z0-9_.:-]{1,200}$"
"""What ids in paths look like; no database sees anything else."""


async def desk_of(request: Request) -> Desk:
    """The desk of the application that answers this request."""
    desk: object = request.app.state.desk
    assert isinstance(desk, Desk)  # noqa: S101 - create_app puts it there
    return desk


Asking = Annotated[Desk, Depends(desk_of)]

ConversationId = Annotated[str, Path(pattern=ID, description="As it was returned at opening.", examples=["c_5f0c1a"])]
Authorization = Annotated[
    str | None, Header(description="`Bearer` and a customer token: a JWT signed with HS256, with `kid`, `sub`, `exp`.")
]
OperatorToken = Annotated[
    str | None,
    Header(alias="Authorization", description="`Bearer` and the token of `POST /v1/operator/session`."),
]
VisitorKey = Annotated[
    str | None, Header(alias="X-Visitor-Key", description="The key that an anonymous conversation was opened with.")
]
ServerKey = Annotated[str | None, Header(alias="X-Server-Key", description="The key of one of the company's servers.")]
Repeatable = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="Names this message, so that repeating the request answers it once. Made up when absent; then a "
        "request that broke off cannot be repeated safely.",
    ),
]
Debug = Annotated[bool, Query(description="Adds the reasons of each stage. Needs X-Server-Key.")]


def named(key: str | None) -> str:
    """The idempotency key of a request, made up when it has none."""
    return key or secrets.token_hex(16)


async def server(desk: Asking, x_server_key: ServerKey = None) -> str:
    """The name of the calling server. Raises Fault (401)."""
    return desk.gate.server(x_server_key)


Server = Annotated[str, Depends(server)]


async def debugging(desk: Asking, x_server_key: ServerKey = None, debug: Debug = False) -> bool:
    """Whether reasons are shown: asked for, by somebody with a server key. Raises Fault (401) without one."""
    if debug:
        desk.gate.server(x_server_key)
    return debug


Debugging = Annotated[bool, Depends(debugging)]


async def address_of(request: Request) -> str:
    """The address that the request is counted by."""
    return counted_address(None if request.client is None else request.client.host)


Address = Annotated[str, Depends(address_of)]


@dataclass(frozen=True, slots=True)
class Party:
    """On whose behalf a conversation is used; the customer is None for its anonymous visitor.

    `seconds_left` is how long the customer's token still holds; None for a visitor.
    """

    conversation_id: str
    customer_id: str | None
    seconds_left: float | None = None


async def party(
    desk: Asking,
    conversation_id: ConversationId,
    authorization: Authorization = None,
    x_visitor_key: VisitorKey = None,
) -> Party:
    """The party of this request. Raises Fault (401, 404)."""
    caller = desk.gate.admit(conversation_id, authorization, x_visitor_key)
    return Party(conversation_id, caller.customer_id, caller.seconds_left)


Calling = Annotated[Party, Depends(party)]


async def paced(desk: Asking, calling: Calling, address: Address, x_server_key: ServerKey = None) -> Party:
    """The party of a request that adds something to the conversation. Raises Fault (401, 404, 429).

    The company's own servers speak for many and are not counted.
    """
    if desk.gate.known_server(x_server_key) is None:
        desk.rates.message(calling.conversation_id, calling.customer_id, address)
    return calling


Adding = Annotated[Party, Depends(paced)]


async def operator(desk: Asking, authorization: OperatorToken = None) -> Operator:
    """The person who is signed in. Raises Fault (401)."""
    token = bearer(authorization)
    found = None if token is None else await desk.service.operators.who(token)
    if found is None:
        raise Fault(
            HTTPStatus.UNAUTHORIZED,
            "operator_token_invalid",
            "This endpoint is for signed-in operators, and the token is missing, over or not one of theirs.",
            "Sign in with POST /v1/operator/session and send its token as `Authorization: Bearer`.",
        )
    return found


SignedIn = Annotated[Operator, Depends(operator)]
