"""What customers and visitors can do over HTTP, and what they cannot."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from handrail.guardrails.vocabulary import IdentityLevel
from tests.unit.server.fake import FakeService

Headers = dict[str, str]


async def opened(client: httpx.AsyncClient, headers: Headers | None = None) -> tuple[str, Headers]:
    """A new conversation: its path, and the headers that open it."""
    answer = await client.post("/v1/conversations", headers=headers)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return f"/v1/conversations/{body['conversation_id']}", headers or {"X-Visitor-Key": body["visitor_key"]}


def code(answer: httpx.Response) -> str:
    """The code of an error, which must have exactly the three parts."""
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"code", "message", "hint"}
    assert all(error.values())
    return str(error["code"])


async def test_visitor_talks(client: httpx.AsyncClient, service: FakeService) -> None:
    """A visitor opens a conversation, says something, and gets the reply with its sources' titles."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/messages", json={"text": "cite"}, headers=key)
    assert answer.status_code == 200
    assert answer.json() == {
        "turn_id": "turn-2",
        "conversation_id": "c1",
        "reply": "You said: cite",
        "status": "bot",
        "citations": [{"doc_id": "doc-a", "title": "Document A"}, {"doc_id": "doc-gone", "title": "doc-gone"}],
        "quick_replies": ["yes", "no"],
        "checklist": [],
        "confirmation": None,
        "handoff": None,
        "debug": None,
    }
    assert service.opened["c1"].identity is IdentityLevel.ANONYMOUS
    assert service.opened["c1"].channel == "api"


async def test_customer_is_who_the_token_says(client: httpx.AsyncClient, service: FakeService, ada: Headers) -> None:
    """A token names the customer; no visitor key is given out for the conversation."""
    answer = await client.post("/v1/conversations", json={"channel": "web"}, headers=ada)
    assert answer.json()["visitor_key"] is None
    assert service.opened["c1"].customer_id == "ada"
    assert service.opened["c1"].identity is IdentityLevel.IDENTIFIED
    assert service.opened["c1"].channel == "web"


async def test_confirmation_shows_the_exact_call(client: httpx.AsyncClient) -> None:
    """What waits for a yes is shown with its exact arguments."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/messages", json={"text": "confirm"}, headers=key)
    assert answer.json()["confirmation"] == {"tool": "cancel_plan", "arguments": {"plan": "team", "seats": 3}}


async def test_person_button_and_queue(client: httpx.AsyncClient) -> None:
    """The button answers with the place in the queue, and the conversation says so afterwards."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/handoff", headers=key)
    place = {
        "team": "the support team",
        "position": 1,
        "due_at": "2026-05-04T11:00:00Z",
        "open_now": True,
        "opens_at": None,
    }
    assert answer.json()["handoff"] == place
    now = await client.get(path, headers=key)
    assert now.json()["status"] == "queued"
    assert now.json()["handoff"] == place


async def test_reply_leaves_even_if_the_queue_cannot_be_read(client: httpx.AsyncClient, service: FakeService) -> None:
    """Decoration that fails does not hold back a reply that was released."""
    path, key = await opened(client)
    service.store.down = True
    answer = await client.post(f"{path}/handoff", headers=key)
    assert answer.status_code == 200
    assert answer.json()["handoff"] is None


async def test_messages_page_by_page(client: httpx.AsyncClient) -> None:
    """`next_after` leads from page to page, and stays at the end."""
    path, key = await opened(client)
    for text in ("one", "two"):
        await client.post(f"{path}/messages", json={"text": text}, headers=key)
    first = (await client.get(f"{path}/messages?limit=3", headers=key)).json()
    assert [each["text"] for each in first["messages"]] == ["one", "You said: one", "two"]
    rest = (await client.get(f"{path}/messages?after={first['next_after']}", headers=key)).json()
    assert [each["role"] for each in rest["messages"]] == ["bot"]
    end = (await client.get(f"{path}/messages?after={rest['next_after']}", headers=key)).json()
    assert end == {"messages": [], "next_after": 4}


async def test_repeat_is_answered_once(client: httpx.AsyncClient, service: FakeService) -> None:
    """The same key and text again gives the same answer; the same key with another text is refused."""
    path, key = await opened(client)
    headers = key | {"Idempotency-Key": "k1"}
    first = await client.post(f"{path}/messages", json={"text": "hello"}, headers=headers)
    again = await client.post(f"{path}/messages", json={"text": "hello"}, headers=headers)
    assert first.json() == again.json()
    assert again.headers["idempotency-key"] == "k1"
    assert len(service.said["c1"]) == 2
    other = await client.post(f"{path}/messages", json={"text": "other"}, headers=headers)
    assert other.status_code == 422
    assert code(other) == "key_reused"


async def test_key_is_made_up_when_absent(client: httpx.AsyncClient) -> None:
    """Without a key each request is its own message; the key it got is told."""
    path, key = await opened(client)
    first = await client.post(f"{path}/messages", json={"text": "hello"}, headers=key)
    second = await client.post(f"{path}/messages", json={"text": "hello"}, headers=key)
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert first.json()["turn_id"] != second.json()["turn_id"]


async def test_two_messages_at_once(client: httpx.AsyncClient, service: FakeService) -> None:
    """Two messages of one conversation are answered one after the other, both."""
    path, key = await opened(client)
    answers = await asyncio.gather(
        *(client.post(f"{path}/messages", json={"text": text}, headers=key) for text in ("one", "two"))
    )
    assert [each.status_code for each in answers] == [200, 200]
    assert {each.json()["reply"] for each in answers} == {"You said: one", "You said: two"}
    assert service.most_at_once == 1


async def test_bad_token_never_counts_as_none(client: httpx.AsyncClient) -> None:
    """A visitor key does not make up for a token that is wrong."""
    path, key = await opened(client)
    answer = await client.get(path, headers=key | {"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert code(answer) == "invalid_token"


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [("busy", 409, "busy"), ("down", 503, "unavailable"), ("crash", 500, "internal")],
)
async def test_failures_say_what_to_do(client: httpx.AsyncClient, text: str, status: int, expected: str) -> None:
    """Failures have the one shape and quote nothing; those that pass say when to come back."""
    path, key = await opened(client)
    answer = await client.post(f"{path}/messages", json={"text": text}, headers=key)
    assert answer.status_code == status
    assert code(answer) == expected
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) == (status != 500)


async def test_reasons_need_a_server_key(client: httpx.AsyncClient, server: Headers) -> None:
    """Reasons are shown when asked for with a server's key, never otherwise."""
    path, key = await opened(client)
    say = {"text": "hello"}
    without = await client.post(f"{path}/messages?debug=true", json=say, headers=key)
    assert without.status_code == 401
    assert (await client.post(f"{path}/messages", json=say, headers=key | server)).json()["debug"] is None
    shown = await client.post(f"{path}/messages?debug=true", json=say, headers=key | server)
    assert shown.json()["debug"]["decisions"][0]["reasons"] == ["INTENT_KNOWN"]
