"""Chat completions as OpenAI's clients get them: whole, as a stream, and while a person has the conversation."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from handrail.agent.server.events import PING_SECONDS
from handrail.agent.server.identity import Gate
from handrail.agent.settings import Settings
from handrail.guardrails.vocabulary import ConversationStatus, Role
from tests.unit.server.openai_fake import ChatService
from tests.unit.server.openai_side import CHAT, Headers, asked, bearer, body, chunks, opened, parts, said
from tests.unit.server.samples import NOW


@pytest.fixture
async def service() -> ChatService:
    """A service that echoes, with a feed."""
    return ChatService()


@pytest.fixture
def key(gate: Gate) -> Headers:
    """A server's key."""
    return bearer(gate)


async def test_a_whole_answer(client: httpx.AsyncClient, ada: Headers) -> None:
    """Every field that OpenAI has, and ours beside them."""
    answer = await client.post(CHAT, json=body("cite"), headers=ada)
    whole = answer.json()
    conversation = whole["support"].pop("conversation_id")
    assert whole == {
        "id": "chatcmpl-turn-2",
        "object": "chat.completion",
        "created": int(NOW.timestamp()),
        "model": "handrail",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "You said: cite",
                    "refusal": None,
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {
                                "url": f"urn:handrail:document:{doc}",
                                "title": title,
                                "start_index": 0,
                                "end_index": 14,
                            },
                        }
                        for doc, title in (("doc-a", "Document A"), ("doc-gone", "doc-gone"))
                    ],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        "support": {
            "turn_id": "turn-2",
            "status": "bot",
            "handoff": None,
            "citations": [
                {"doc_id": "doc-a", "title": "Document A"},
                {"doc_id": "doc-gone", "title": "doc-gone"},
            ],
            "quick_replies": ["yes", "no"],
            "checklist": [],
            "confirmation": None,
        },
    }
    assert answer.headers["x-conversation-id"] == conversation
    assert answer.headers["idempotency-key"]


async def test_what_waits_for_a_yes_is_shown_exactly(client: httpx.AsyncClient, ada: Headers) -> None:
    """The tool and its arguments."""
    call = (await asked(client, ada, "confirm")).support.confirmation
    assert call is not None
    assert call.model_dump() == {"tool": "cancel_plan", "arguments": {"plan": "team", "seats": 3}}


async def test_reasons_are_for_servers(client: httpx.AsyncClient, key: Headers, ada: Headers) -> None:
    """A caller with a server's key gets the turn's reason codes; a customer's token never does."""
    assert (await asked(client, key, "hello")).support.reasons == ("INTENT_KNOWN",)
    token = {"X-Customer-Token": ada["Authorization"].removeprefix("Bearer ")}
    assert (await asked(client, key | token, "hello")).support.reasons == ("INTENT_KNOWN",)
    shown = await client.post(CHAT, json=body("hello"), headers=ada)
    assert "reasons" not in shown.json()["support"]
    assert "INTENT_KNOWN" not in shown.text


async def test_a_stream_is_the_same_answer_in_sentences(client: httpx.AsyncClient, ada: Headers) -> None:
    """The role first, one delta a sentence, sources and our part with the end, then `[DONE]`."""
    answer = await client.post(CHAT, json=body("One. Two!\n\nThree?", stream=True), headers=ada)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    told = chunks(answer.text)
    deltas = [json.loads(each.choices[0].delta.model_dump_json()) for each in told]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "You said: One."},
        {"content": " Two!"},
        {"content": "\n\nThree?"},
        {},
    ]
    assert [each.choices[0].finish_reason for each in told] == [None, None, None, None, "stop"]
    assert {each.id for each in told} == {"chatcmpl-turn-2"}
    assert [each.support is not None for each in told] == [False, False, False, False, True]
    assert told[-1].support is not None
    assert told[-1].support.conversation_id == answer.headers["x-conversation-id"]


async def test_sources_of_a_stream_come_with_its_end(client: httpx.AsyncClient, ada: Headers) -> None:
    """As OpenAI's own streams have them."""
    told = chunks((await client.post(CHAT, json=body("cite", stream=True), headers=ada)).text)
    titles = [each.url_citation.title for each in told[-1].choices[0].delta.annotations]
    assert titles == ["Document A", "doc-gone"]


async def test_usage_comes_last_when_asked_for(client: httpx.AsyncClient, ada: Headers) -> None:
    """In a chunk without choices; otherwise no chunk speaks of it."""
    asking = body("hello", stream=True, stream_options={"include_usage": True})
    *told, last = chunks((await client.post(CHAT, json=asking, headers=ada)).text)
    assert last.choices == ()
    assert last.usage is not None
    assert all(each.usage is None for each in told)
    without = (await client.post(CHAT, json=body("hello", stream=True), headers=ada)).text
    assert "usage" not in without


async def test_comments_keep_the_line_alive_while_the_turn_runs(
    service: ChatService, settings: Settings, ada: Headers
) -> None:
    """Nothing but comments leaves before the turn is over."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            service.go.set()
            await asyncio.Event().wait()

    async with opened(service, settings, wait) as client:
        answer = await client.post(CHAT, json=body("slow", stream=True), headers=ada)
    assert set(waited) == {PING_SECONDS}
    blocks = parts(answer.text)
    assert blocks[0] == ": ping"
    assert not any(each.startswith("data:") for each in blocks[: blocks.count(": ping")])
    assert "".join(each.choices[0].delta.content or "" for each in chunks(answer.text)) == "You said: slow"


async def test_a_person_speaks_in_the_same_thread(
    client: httpx.AsyncClient, service: ChatService, ada: Headers
) -> None:
    """While a person has the conversation each request brings what they wrote since, once, under their name."""
    conversation = (await asked(client, ada, "hello")).support.conversation_id
    headers = ada | {"X-Conversation-Id": conversation}
    service.with_person = True
    silent = await asked(client, headers, "anybody?")
    assert said(silent) == "I am a person."
    assert silent.support.status is ConversationStatus.HUMAN
    service.write(conversation, Role.OPERATOR, "I am here.")
    service.write(conversation, Role.OPERATOR, "One moment.")
    assert said(await asked(client, headers, "thanks")) == "Dana: I am here.\n\nDana: One moment."
    assert said(await asked(client, headers, "and?")) == "I am a person."


async def test_what_a_person_wrote_comes_before_the_next_answer(
    client: httpx.AsyncClient, service: ChatService, ada: Headers
) -> None:
    """Also when the machine has the conversation back, and in streams."""
    conversation = (await asked(client, ada, "hello")).support.conversation_id
    headers = ada | {"X-Conversation-Id": conversation}
    service.write(conversation, Role.OPERATOR, "It is done.")
    told = chunks((await client.post(CHAT, json=body("and now?", stream=True), headers=headers)).text)
    text = "".join(each.choices[0].delta.content or "" for each in told)
    assert text == "Dana: It is done.\n\nYou said: and now?"


async def test_what_a_decision_made_the_machine_say_is_told(
    client: httpx.AsyncClient, service: ChatService, ada: Headers
) -> None:
    """An operator's approval is told with the next answer."""
    conversation = (await asked(client, ada, "hello")).support.conversation_id
    service.write(conversation, Role.BOT, "A colleague approved it.", "turn-of-decision")
    answer = await asked(client, ada | {"X-Conversation-Id": conversation}, "and now?")
    assert said(answer) == "A colleague approved it.\n\nYou said: and now?"


@pytest.mark.parametrize(("words", "code"), [("crash", "internal"), ("down", "unavailable"), ("busy", "busy")])
async def test_what_fails_at_once_has_its_own_status(
    client: httpx.AsyncClient, ada: Headers, words: str, code: str
) -> None:
    """A stream that has not begun is answered with a status, so that clients raise what they would have raised."""
    answer = await client.post(CHAT, json=body(words, stream=True), headers=ada)
    assert answer.status_code == {"internal": 500, "unavailable": 503, "busy": 409}[code]
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(("words", "code"), [("crash", "internal"), ("down", "unavailable")])
async def test_what_fails_in_a_stream_is_told_in_it(
    service: ChatService, settings: Settings, ada: Headers, words: str, code: str
) -> None:
    """As an error in OpenAI's form, without an end that looks like success."""
    held = asyncio.Event()
    answer_at_once = service._answer

    async def slowly(conversation_id: str, text: str) -> object:
        await held.wait()
        return await answer_at_once(conversation_id, text)

    service._answer = slowly  # type: ignore[method-assign, assignment]
    waits = 0

    async def wait(_seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 2:
            held.set()
            await asyncio.Event().wait()

    async with opened(service, settings, wait) as client:
        answer = await client.post(CHAT, json=body(words, stream=True), headers=ada)
    assert answer.status_code == 200
    *_, last = parts(answer.text)
    error = json.loads(last.removeprefix("data: "))["error"]
    assert error["code"] == code
    assert error["type"] == "server_error"
    assert "[DONE]" not in answer.text
    assert "secret" not in answer.text
    assert "choices" not in answer.text


async def test_the_models(client: httpx.AsyncClient, key: Headers, ada: Headers) -> None:
    """One, for whoever may ask it."""
    for headers in (key, ada):
        listed = (await client.get("/v1/models", headers=headers)).json()
        assert listed == {
            "object": "list",
            "data": [{"id": "handrail", "object": "model", "created": 0, "owned_by": "fernwell"}],
        }
        one = await client.get("/v1/models/handrail", headers=headers)
        assert one.json() == listed["data"][0]
    assert (await client.get("/v1/models/gpt-9", headers=key)).status_code == 404
