"""Routes for customers and visitors: open a conversation, say something, ask for a person, read, erase."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.datastructures import Headers

from handrail.agent.server.asking import (
    Adding,
    Address,
    Asking,
    Authorization,
    Calling,
    Debugging,
    Party,
    Repeatable,
    ServerKey,
    named,
)
from handrail.agent.server.bodies import MessageBody, OpenBody
from handrail.agent.server.desk import Desk
from handrail.agent.server.events import Ending, EventStream, Failed
from handrail.agent.server.faults import documented, too_long
from handrail.agent.server.identity import token_expired
from handrail.agent.server.origins import foreign_origin, site_key_missing
from handrail.agent.server.turn_events import turn_events
from handrail.agent.server.views import ConversationView, MessagesView, MessageView, OpenedView, TurnView
from handrail.agent.server.wire_examples import STREAM, TURN_STREAM
from handrail.guardrails.vocabulary import ConversationStatus, IdentityLevel

SiteKey = Annotated[
    str | None,
    Header(alias="X-Site-Key", description="The site key of the embedding page. Needed from pages of other origins."),
]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", pattern=r"^\d{1,15}$", description="The `id` of the last event that arrived."),
]
After = Annotated[int, Query(ge=0, le=10**15, description="As Last-Event-ID, which counts more.")]


async def open_conversation(
    desk: Asking,
    request: Request,
    address: Address,
    body: OpenBody | None = None,
    authorization: Authorization = None,
    x_site_key: SiteKey = None,
    x_server_key: ServerKey = None,
) -> OpenedView:
    """Open a conversation: a customer's with a token, else an anonymous one with its own visitor key."""
    customer = desk.gate.customer(authorization)
    if customer is None and x_site_key is None and foreign_origin(request.scope) is not None:
        raise site_key_missing()
    if desk.gate.known_server(x_server_key) is None:
        desk.rates.opening(address)
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
    calling: Adding,
    body: MessageBody,
    request: Request,
    response: Response,
    debug: Debugging,
    idempotency_key: Repeatable = None,
) -> TurnView | EventStream:
    """Say something and get the reply. A message that was accepted is answered even if the connection breaks.

    With `Accept: text/event-stream` the turn comes as events: the typing, the text piece by piece, then all it told.
    """
    limit = desk.service.bundle.manifest.limits.message_characters
    if len(body.text) > limit:
        raise too_long(limit)
    key = named(idempotency_key)
    if _wants_events(request.headers):
        return await _told_as_events(desk, calling, body.text, key)
    response.headers["idempotency-key"] = key
    result = await desk.service.say(desk.site, calling.conversation_id, calling.customer_id, body.text, key)
    return await desk.turn(calling.conversation_id, result, debug=debug)


async def _told_as_events(desk: Desk, calling: Party, text: str, key: str) -> EventStream:
    conversation_id, customer_id = calling.conversation_id, calling.customer_id
    await desk.service.snapshot(desk.site, conversation_id, customer_id)  # what is refused is refused with its status
    heads = await desk.service.store.heads(desk.site, (conversation_id,))
    turn = asyncio.create_task(desk.service.say(desk.site, conversation_id, customer_id, text, key))
    source = turn_events(desk, conversation_id, key, turn, heads.get(conversation_id, 0))
    return EventStream(source, desk.streams.wait, work=turn, headers={"idempotency-key": key})


def _wants_events(headers: Headers) -> bool:
    accepted = headers.get("accept", "").lower()
    return any(each.partition(";")[0].strip() == EventStream.media_type for each in accepted.split(","))


async def ask_for_person(
    desk: Asking, calling: Calling, response: Response, debug: Debugging, idempotency_key: Repeatable = None
) -> TurnView:
    """The button for a person. It works always, the first time, whatever the conversation is about, however often."""
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


async def follow(desk: Asking, calling: Calling, last_event_id: LastEventId = None, after: After = 0) -> EventStream:
    """Follow the conversation: everything that was told after a place in it, then what happens, as it happens.

    Events with an `id` are stored, and come again when asked for; those without are not.
    """
    await desk.service.snapshot(desk.site, calling.conversation_id, calling.customer_id)
    place = after if last_event_id is None else int(last_event_id)
    streams = desk.streams
    endings: list[Ending] = [streams.closed]
    if calling.seconds_left is not None:
        endings.append(streams.expiry(calling.seconds_left, Failed(error=token_expired().view)))
    source = desk.service.following.follow(desk.site, calling.conversation_id, place)
    return EventStream(source, streams.wait, tuple(endings))


async def erase(desk: Asking, calling: Calling) -> None:
    """Erase the conversation: what was said, its files, rating and feed. That it took place stays in the audit log."""
    await desk.service.erase(desk.site, calling.conversation_id, calling.customer_id)


def router() -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(prefix="/v1/conversations", tags=["conversations"], responses=documented(401, 403, 422, 503))
    one, turn = documented(404), documented(404, 409, 413)
    add = routes.add_api_route
    add("", open_conversation, methods=["POST"], status_code=201, responses=documented(429))
    add("/{conversation_id}", read_conversation, methods=["GET"], responses=one)
    add("/{conversation_id}", erase, methods=["DELETE"], status_code=204, responses=one)
    add(
        "/{conversation_id}/messages",
        say,
        methods=["POST"],
        response_model=TurnView,
        responses={**turn, **documented(429), **TURN_STREAM},
    )
    add("/{conversation_id}/messages", read_messages, methods=["GET"], responses=one)
    add(
        "/{conversation_id}/events",
        follow,
        methods=["GET"],
        status_code=200,
        response_class=EventStream,
        responses={**one, **STREAM},
    )
    add("/{conversation_id}/handoff", ask_for_person, methods=["POST"], responses=turn)
    return routes
