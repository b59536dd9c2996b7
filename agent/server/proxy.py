"""`/proxy/v1`: the gate and the guards for applications that ask a model in OpenAI's protocol and keep the history."""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus

from fastapi import APIRouter, Response

from handrail.agent.guest.guest import Guest
from handrail.agent.guest.guests import PROXY, Heard
from handrail.agent.guest.proxied import proxied
from handrail.agent.guest.transcript import Transcript
from handrail.agent.ports import Upstream
from handrail.agent.server.asking import Address, Asking
from handrail.agent.server.desk import Desk
from handrail.agent.server.faults import Fault
from handrail.agent.server.openai_answers import Completion, Model, Models, completion, handed_over
from handrail.agent.server.openai_bodies import refused
from handrail.agent.server.openai_chat import answer_text, answering, respond, silence
from handrail.agent.server.openai_clients import Client
from handrail.agent.server.openai_errors import documented
from handrail.agent.server.openai_examples import HANDED_OVER, MODEL, MODELS, STREAM
from handrail.agent.server.openai_ids import Naming, conversation_in, ensure
from handrail.agent.server.openai_retries import Attempt, Trying, key_of
from handrail.agent.server.openai_stream import silent
from handrail.agent.server.proxy_bodies import ProxyRequest
from handrail.agent.server.proxy_clients import Application, CustomerId


async def complete(
    desk: Asking,
    application: Application,
    address: Address,
    body: ProxyRequest,
    naming: Naming,
    trying: Trying,
    x_customer_id: CustomerId = None,
) -> Response:
    """Answer with what the model says, once it has passed, or with those of its calls that were allowed."""
    upstream = _upstream(desk)
    transcript, text = body.transcript, _words(body.transcript)
    calling = Client(server=application, customer_id=_customer(x_customer_id, body.user))
    named = naming.chosen(body) or trying.found_by or _by_beginning(calling, transcript)
    conversation_id = await conversation_in(desk, calling, named, PROXY)
    if not transcript.continues:
        desk.rates.message(conversation_id, calling.customer_id, conversation_id)
    guest = await proxied(desk.service.guests.room, upstream, transcript, body.offered)
    await ensure(desk, calling, conversation_id, PROXY)
    heard = Heard(
        site=desk.site,
        conversation_id=conversation_id,
        customer_id=calling.customer_id,
        text=text,
        key=await _key(desk, conversation_id, transcript, text, trying),
        continues=transcript.continues,
        attested=transcript.attested,
    )
    headers = {"x-conversation-id": conversation_id, "idempotency-key": heard.key}
    work = asyncio.create_task(_answer(desk, heard, guest, upstream.model))
    return await respond(desk, work, silent(work), headers, body)


async def _answer(desk: Desk, heard: Heard, guest: Guest, model: str) -> Completion:
    at = desk.clock.now()
    result = await desk.service.guests.answer(heard, guest)
    turn = await desk.turn(heard.conversation_id, result)
    said = await answer_text(desk, heard.conversation_id, result)
    content = said or (None if result.calls else silence(desk))
    whole = completion(turn, content, result.reasons, at, model)
    return handed_over(whole, result.calls) if result.calls else whole


async def list_models(desk: Asking, _application: Application) -> Models:
    """The model behind the proxy."""
    return Models(data=(Model(id=_upstream(desk).model, owned_by=desk.site),))


async def read_model(desk: Asking, _application: Application, model: str) -> Model:
    """The model behind the proxy, by its name."""
    if model != _upstream(desk).model:
        raise Fault(
            HTTPStatus.NOT_FOUND, "model_not_found", "There is no such model here.", "GET /proxy/v1/models names it."
        )
    return Model(id=model, owned_by=desk.site)


def _upstream(desk: Desk) -> Upstream:
    upstream = desk.service.guests.upstream
    if upstream is None:
        raise Fault(
            HTTPStatus.NOT_FOUND,
            "no_upstream",
            "There is no model behind the proxy.",
            "Set HANDRAIL_MODEL and HANDRAIL_MODEL_BASE_URL to the model that the application asks.",
        )
    return upstream


def _words(transcript: Transcript) -> str:
    """The customer's newest message. Raises Fault (400) without one, or when nothing is to be answered."""
    newest = transcript.newest
    if newest is None or transcript.messages[-1].role not in ("user", "tool"):
        raise refused(
            "no_user_message",
            "There is nothing to answer.",
            "End `messages` with a message of the user, or with the results of the calls that the model asked for.",
        )
    told_now = transcript.messages[newest]
    if isinstance(told_now.content, list) and any(
        not isinstance(part, dict) or part.get("type") != "text" for part in told_now.content
    ):
        raise refused(
            "content_unsupported",
            "The last user message has a part that is not text.",
            "Send text only: nothing looks through pictures and sound.",
        )
    if not told_now.words or "\x00" in told_now.words:
        raise refused("no_text", "The last user message has no text.", "Send words; NUL characters are not taken.")
    return told_now.words


def _customer(header: str | None, user: str | None) -> str | None:
    """The customer whom the application attests. Raises Fault (400) when it names two."""
    if header is not None and user is not None and header != user:
        raise refused("customers_differ", "X-Customer-Id and `user` name different customers.", "Send one of them.")
    return header if header is not None else user


def _by_beginning(calling: Client, transcript: Transcript) -> str | None:
    """A name for a conversation that has none: how it began, for the customer it is with. Strangers have none."""
    first = next((one.words for one in transcript.messages if one.role == "user"), None)
    if calling.customer_id is None or first is None:
        return None
    return f"began with {hashlib.sha256(first.encode('utf-8', 'surrogatepass')).hexdigest()}"


async def _key(desk: Desk, conversation_id: str, transcript: Transcript, text: str, trying: Attempt) -> str:
    """The idempotency key. Results of calls are the same request when they are the same conversation."""
    if trying.key is None and transcript.continues:
        return hashlib.sha256(transcript.fingerprint().encode("utf-8", "surrogatepass")).hexdigest()
    return await key_of(desk, conversation_id, text, trying)


def router() -> APIRouter:
    """The routes of applications behind the proxy."""
    routes = APIRouter(prefix="/proxy/v1", tags=["proxy"], responses=documented(401, 403, 404, 429, 503))
    routes.add_api_route("/models", list_models, methods=["GET"], responses=answering(MODELS))
    routes.add_api_route("/models/{model:path}", read_model, methods=["GET"], responses=answering(MODEL))
    routes.add_api_route(
        "/chat/completions",
        complete,
        methods=["POST"],
        response_model=Completion,
        responses=answering(HANDED_OVER, STREAM) | documented(400, 409, 413),
    )
    return routes
