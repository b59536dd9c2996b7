"""`POST /v1/chat/completions`: a turn for OpenAI's clients, whole or as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import JsonValue

from handrail.agent.feed import MessageCompleted, MessageDelta
from handrail.agent.overhearing import overheard
from handrail.agent.releasing import GAP
from handrail.agent.server.asking import Address, Asking
from handrail.agent.server.desk import Desk
from handrail.agent.server.openai_answers import Answered, Completion, completion
from handrail.agent.server.openai_bodies import ChatRequest, words
from handrail.agent.server.openai_clients import Calling
from handrail.agent.server.openai_errors import documented
from handrail.agent.server.openai_examples import COMPLETION, MODEL, MODELS, REQUEST, STREAM
from handrail.agent.server.openai_ids import Naming, conversation_of, ensure
from handrail.agent.server.openai_models import list_models, offered, read_model
from handrail.agent.server.openai_retries import Trying, key_of
from handrail.agent.server.openai_stream import CompletionStream, Piece, Speech
from handrail.agent.unheard import signed, told, unheard
from handrail.guardrails.vocabulary import Frozen, TurnResult


class Question(Frozen):
    """A customer's message as it is answered."""

    conversation_id: str
    customer_id: str | None
    text: str
    key: str
    at: datetime
    shows_reasons: bool


async def complete(
    desk: Asking, calling: Calling, address: Address, body: ChatRequest, naming: Naming, trying: Trying
) -> Response:
    """Answer the last user message. With `stream`, as server-sent events that hold released text only."""
    offered(body.model)
    text = words(body, desk.service.bundle.manifest.limits.message_characters)
    # Without a conversation of its own, a message that can be repeated needs one that can be found again.
    named = naming.chosen(body) or trying.found_by
    conversation_id = await conversation_of(desk, calling, named)
    # A server speaks for many: its conversations are counted one by one.
    desk.rates.message(conversation_id, calling.customer_id, conversation_id if calling.server else address)
    await ensure(desk, calling, conversation_id)
    question = Question(
        conversation_id=conversation_id,
        customer_id=calling.customer_id,
        text=text,
        key=await key_of(desk, conversation_id, text, trying),
        at=desk.clock.now(),
        shows_reasons=calling.server is not None,
    )
    headers = {"x-conversation-id": conversation_id, "idempotency-key": question.key}
    work = asyncio.create_task(_answer(desk, question))
    return await respond(desk, work, _said(desk, question, work), headers, body)


async def respond(
    desk: Desk,
    work: asyncio.Task[Completion],
    said: AsyncGenerator[Piece, None],
    headers: dict[str, str],
    body: ChatRequest,
) -> Response:
    """The response, for a stream with what is `said` while `work` runs.

    What fails while nothing has been sent yet is answered with its own status.
    """
    if not body.stream:
        return JSONResponse((await _kept(work)).model_dump(mode="json"), headers=headers)
    speech = Speech(work, said, desk.streams.wait)
    try:
        await speech.upcoming()
    except asyncio.CancelledError:
        await speech.give_up()
        raise
    if work.done():
        await speech.hush()
        work.result()
    return CompletionStream(speech, headers, counts=body.counts)


async def _kept(work: asyncio.Task[Completion]) -> Completion:
    """The answer; a process that gives up on it ends it."""
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        work.cancel()
        raise
    return work.result()


async def _answer(desk: Desk, question: Question) -> Completion:
    """Run the turn and put together what the customer reads: what was written to them meanwhile, then the reply."""
    conversation_id = question.conversation_id
    result = await desk.service.say(desk.site, conversation_id, question.customer_id, question.text, question.key)
    turn = await desk.turn(conversation_id, result)
    content = await answer_text(desk, conversation_id, result) or silence(desk)
    return completion(turn, content, result.reasons if question.shows_reasons else None, question.at)


async def _said(desk: Desk, question: Question, work: asyncio.Task[Completion]) -> AsyncGenerator[Piece, None]:
    """The text of the answer as it leaves while the turn runs: its beginning, or nothing."""
    begun = False
    hearing = overheard(desk.service.store, desk.site, question.conversation_id, question.key, work)
    async with aclosing(hearing) as heard:
        async for entry in heard:
            if not isinstance(entry.item, MessageDelta) or entry.item.turn_id is None:
                continue
            answer = Answered.of(entry.item.turn_id, question.at)
            if not begun:
                begun = True
                for message in await _meanwhile(desk, question.conversation_id, entry.item.turn_id):
                    yield Piece(answer, signed(message) + GAP)
            yield Piece(answer, entry.item.text)


async def _meanwhile(desk: Desk, conversation_id: str, turn_id: str) -> tuple[MessageCompleted, ...]:
    """What was written to the customer since their message before."""
    return await unheard(desk.service.store, desk.site, conversation_id, turn_id)


async def answer_text(desk: Desk, conversation_id: str, result: TurnResult) -> str:
    """What the customer reads: what was written to them meanwhile, then the reply."""
    return told(await _meanwhile(desk, conversation_id, result.turn_id), result.reply)


def silence(desk: Desk) -> str:
    """What is said while a person has the conversation and has not written: a completion cannot be empty."""
    return desk.service.bundle.text("person_disclosure", None)


def router() -> APIRouter:
    """The routes of OpenAI's clients."""
    routes = APIRouter(prefix="/v1", tags=["openai"], responses=documented(401, 429, 503))
    routes.add_api_route("/models", list_models, methods=["GET"], responses=answering(MODELS))
    one = answering(MODEL) | documented(404)
    routes.add_api_route("/models/{model}", read_model, methods=["GET"], responses=one)
    routes.add_api_route(
        "/chat/completions",
        complete,
        methods=["POST"],
        response_model=Completion,
        openapi_extra={"requestBody": {"content": {"application/json": {"example": REQUEST}}}},
        responses=answering(COMPLETION, STREAM) | documented(400, 404, 409, 413),
    )
    return routes


def answering(example: JsonValue, stream: str | None = None) -> dict[int | str, dict[str, object]]:
    """What OpenAPI says of an answer: an example, and one of the stream if there is one."""
    content: dict[str, object] = {"application/json": {"example": example}}
    if stream is not None:
        content["text/event-stream"] = {"example": stream}
    return {HTTPStatus.OK.value: {"content": content}}
