"""What every route may ask for: the desk, the headers that carry identities, and the key of a repeatable request."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from handrail.agent.server.desk import Desk

ID = r"^[A-Za-z0-9_.:-]{1,200}$"
"""What ids in paths look like; no database sees anything else."""


def desk_of(request: Request) -> Desk:
    """The desk of the application that answers this request."""
    desk: object = request.app.state.desk
    assert isinstance(desk, Desk)  # noqa: S101 - create_app puts it there
    return desk


Asking = Annotated[Desk, Depends(desk_of)]

Authorization = Annotated[
    str | None, Header(description="`Bearer` and a customer token: a JWT signed with HS256, with `kid`, `sub`, `exp`.")
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


def server(desk: Asking, x_server_key: ServerKey = None) -> str:
    """The name of the calling server. Raises Fault (401)."""
    return desk.gate.server(x_server_key)


Server = Annotated[str, Depends(server)]


def debugging(desk: Asking, x_server_key: ServerKey = None, debug: Debug = False) -> bool:
    """Whether reasons are shown: asked for, by somebody with a server key. Raises Fault (401) without one."""
    if debug:
        desk.gate.server(x_server_key)
    return debug


Debugging = Annotated[bool, Depends(debugging)]
