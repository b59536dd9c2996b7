"""Which conversation a client of the OpenAI-compatible endpoints means.

A conversation id is never an authorisation: whatever a client names is looked for among its owner's conversations only,
and a name that belongs to somebody else simply means another conversation.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header

from handrail.agent.server.desk import Desk
from handrail.agent.server.faults import Fault
from handrail.agent.server.openai_bodies import ChatRequest, refused
from handrail.agent.server.openai_clients import Client
from handrail.agent.store_port import UnknownConversation
from handrail.guardrails.vocabulary import Frozen, IdentityLevel

CHANNEL = "openai"

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_PURPOSE = b"conversations of the OpenAI-compatible endpoints"
_OURS = re.compile(r"c_(?:[0-9a-f]{32}|[0-9a-f]{60})")
_HALF = 30
"""Hexadecimal digits of each half of an id made here: what it is made from, and the proof of who it was made for."""


class Named(Frozen):
    """How a client names its conversation in headers; an empty one counts as none."""

    x_conversation_id: str | None
    x_openwebui_chat_id: str | None

    def chosen(self, request: ChatRequest) -> str | None:
        """The name that counts: X-Conversation-Id, else the metadata's, else Open WebUI's; None without one.

        Raises:
            Fault: 400, it cannot be used as a name.
        """
        told = (request.metadata or {}).get("conversation_id")
        name = next((each for each in (self.x_conversation_id, told, self.x_openwebui_chat_id) if each), None)
        if name is None:
            return None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise refused(
                "conversation_id_invalid",
                "The conversation id cannot be used.",
                "Send 1 to 200 printable ASCII characters without spaces.",
            )
        return name


async def naming(
    x_conversation_id: Annotated[
        str | None,
        Header(description="The conversation: `support.conversation_id` of an answer, or a name of the client's own."),
    ] = None,
    x_openwebui_chat_id: Annotated[
        str | None, Header(alias="X-OpenWebUI-Chat-Id", description="How Open WebUI names its conversation.")
    ] = None,
) -> Named:
    """How this request names its conversation in headers."""
    return Named(x_conversation_id=x_conversation_id, x_openwebui_chat_id=x_openwebui_chat_id)


Naming = Annotated[Named, Depends(naming)]


async def conversation_of(desk: Desk, caller: Client, named: str | None) -> str:
    """The id of the caller's conversation that `named` stands for; a new one for None. Makes nothing."""
    if named is not None and await _theirs(desk, caller, named):
        return named
    label = secrets.token_hex(_HALF) if named is None else named
    return _made(desk, caller, _digest(desk, caller, "named", label))


async def conversation_in(desk: Desk, caller: Client, named: str | None, channel: str) -> str:
    """The same among the conversations of one `channel`: the same name means another one in another channel."""
    if named is not None and await _theirs(desk, caller, named):
        found = await desk.service.snapshot(desk.site, named, caller.customer_id)
        if found.channel == channel:
            return named
    label = secrets.token_hex(_HALF) if named is None else named
    return _made(desk, caller, _digest(desk, caller, channel, label))


async def ensure(desk: Desk, caller: Client, conversation_id: str, channel: str = CHANNEL) -> None:
    """Open the caller's conversation of this id unless it is there.

    Raises:
        Fault: 404, its customer was erased since.
    """
    level = IdentityLevel.ANONYMOUS if caller.customer_id is None else IdentityLevel.IDENTIFIED
    now = desk.clock.now()
    try:
        store = desk.service.store
        await store.ensure_conversation(desk.site, conversation_id, channel, caller.customer_id, level, now)
    except UnknownConversation:
        raise Fault(
            HTTPStatus.NOT_FOUND,
            "unknown_conversation",
            "This conversation was erased.",
            "Begin another one: send another X-Conversation-Id, or none.",
        ) from None


async def _theirs(desk: Desk, caller: Client, named: str) -> bool:
    """Whether `named` is an id that we gave out and that this caller may use."""
    if not _OURS.fullmatch(named):
        return False
    half = named[len("c_") :][:_HALF]
    issued = hmac.compare_digest(named, _made(desk, caller, half))
    # Anonymous conversations have no owner in the store: only an id that was made for this very caller proves one.
    if caller.customer_id is None and not issued:
        return False
    return await _known(desk, caller, named)


async def _known(desk: Desk, caller: Client, conversation_id: str) -> bool:
    try:
        await desk.service.snapshot(desk.site, conversation_id, caller.customer_id)
    except UnknownConversation:
        return False
    return True


def _made(desk: Desk, caller: Client, half: str) -> str:
    """An id that nobody can make, or find out whether it exists, without our secret."""
    return f"c_{half}{_digest(desk, caller, 'made', half)}"


def _digest(desk: Desk, caller: Client, *what: str) -> str:
    own = hmac.new(desk.gate.keys.visitor.get_secret_value().encode(), _PURPOSE, hashlib.sha256).digest()
    said = "\0".join((desk.site, caller.owner, *what)).encode()
    return hmac.new(own, said, hashlib.sha256).hexdigest()[:_HALF]
