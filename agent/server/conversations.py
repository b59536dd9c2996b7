"""Routes for customers and visitors: open a conversation, say something, ask for a person, read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from handrail.agent.server.asking import ID, Asking, Authorization, Debugging, Repeatable, VisitorKey, named
from handrail.agent.server.bodies import MessageBody, OpenBody
from handrail.agent.server.faults import documented, too_long
from handrail.agent.server.views import ConversationView, MessagesView, MessageView, OpenedView, TurnView
from handrail.guardrails.vocabulary import ConversationStatus, Frozen, IdentityLevel

ConversationId = Annotated[str, Path(pattern=ID, description="As it was returned at opening.")]


class Party(Frozen):
    """On whose behalf a conversation is used; the customer is None for its anonymous visitor."""

    conversation_id: str
    customer_id: str | None


def party(
    desk: Asking,
    conversation_id: ConversationId,
    authorization: Authorization = None,
    x_visitor_key: VisitorKey = None,
) -> Party:
    """The party of this request. Raises Fault (401, 404)."""
    customer = desk.gate.admit(conversation_id, authorization, x_visitor_key)
    return Party(conversation_id=conversation_id, customer_id=customer)


Calling = Annotated[Party, Depends(party)]


async def open_conversation(
    desk: Asking, body: OpenBody | None = None, authorization: Authorization = None
) -> OpenedView:
    """Open a conversation: a customer's with a token, else an anonymous one with its own visitor key."""
    customer = desk.gate.customer(authorization)
    level = IdentityLevel.ANONYMOUS if customer is None else IdentityLevel.IDENTIFIED
    channel = (body or OpenBody()).channel
    conversation_id = await desk.service.open(desk.site, channel, customer, level)
    return OpenedView(
        conversation_id=conversation_id,
        status=ConversationStatus.BOT,
        visitor_key=desk.gate.visitor_key(conversation_id) if customer is None else None,
    )


async def read_conversation(desk: Asking, calling: Calling) -> ConversationView:
    """Who speaks with the customer, what waits for a yes, and where the conversation stands in the queue."""
    return await desk.conversation(calling.conversation_id, calling.customer_id)


async def say(
    desk: Asking,
    calling: Calling,
    body: MessageBody,
    response: Response,
    debug: Debugging,
    idempotency_key: Repeatable = None,
) -> TurnView:
    """Say something and get the reply. A message that was accepted is answered even if the connection breaks."""
    limit = desk.service.bundle.manifest.limits.message_characters
    if len(body.text) > limit:
        raise too_long(limit)
    key = named(idempotency_key)
    response.headers["idempotency-key"] = key
    result = await desk.service.say(desk.site, calling.conversation_id, calling.customer_id, body.text, key)
    return await desk.turn(calling.conversation_id, result, debug=debug)


async def ask_for_person(
    desk: Asking, calling: Calling, response: Response, debug: Debugging, idempotency_key: Repeatable = None
) -> TurnView:
    """The button for a person. It works always, the first time, whatever the conversation is about."""
    key = named(idempotency_key)
    response.headers["idempotency-key"] = key
    result = await desk.service.ask_for_person(desk.site, calling.conversation_id, calling.customer_id, key)
    return await desk.turn(calling.conversation_id, result, debug=debug)


async def read_messages(
    desk: Asking,
    calling: Calling,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next_after` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> MessagesView:
    """The messages after a place in the conversation, oldest first."""
    found = await desk.service.messages(desk.site, calling.conversation_id, calling.customer_id, after, limit)
    return MessagesView(messages=tuple(MessageView.of(each) for each in found), next_after=after + len(found))


def router() -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(prefix="/v1/conversations", tags=["conversations"], responses=documented(401, 422, 503))
    one, turn = documented(404), documented(404, 409, 413)
    routes.add_api_route("", open_conversation, methods=["POST"], status_code=201)
    routes.add_api_route("/{conversation_id}", read_conversation, methods=["GET"], responses=one)
    routes.add_api_route("/{conversation_id}/messages", say, methods=["POST"], responses=turn)
    routes.add_api_route("/{conversation_id}/messages", read_messages, methods=["GET"], responses=one)
    routes.add_api_route("/{conversation_id}/handoff", ask_for_person, methods=["POST"], responses=turn)
    return routes
