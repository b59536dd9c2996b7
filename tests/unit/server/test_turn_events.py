"""A turn as a stream: what it tells, when, and that the turn does not depend on who listens."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from handrail.agent.feed import (
    Entry,
    FileAttached,
    HandoffAccepted,
    HandoffRequested,
    Item,
    MessageCompleted,
    QuickReplies,
    StatusChanged,
)
from handrail.agent.server.app import create_app
from handrail.agent.server.turn_events import of_turn
from handrail.agent.settings import Settings
from handrail.guardrails.vocabulary import ConversationStatus, Role
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.samples import NOW
from tests.unit.server.streaming import Arrived, listening
from tests.unit.server.test_conversations import Headers, code, opened
from tests.unit.server.waiting import until

EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def app(service: FakeService, settings: Settings) -> FastAPI:
    """The application, for requests that go on."""
    return create_app(service, settings, FixedClock())


@pytest.fixture
async def client(app: FastAPI) -> httpx.AsyncClient:
    """A client of the same application."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://handrail.test")


async def told(app: FastAPI, path: str, text: str, headers: Headers) -> list[Arrived]:
    """All events of a turn that is answered as a stream."""
    async with listening(app, f"{path}/messages", headers | EVENTS, {"text": text}) as stream:
        await stream.ended()
    assert stream.status == 200
    return stream.events


def shapes(events: list[Arrived]) -> list[object]:
    """The events by name, messages with who says them."""
    return [(each["event"], each["role"]) if "role" in each else each["event"] for each in events]


TURN = [
    *("typing", "typing", ("message.completed", "customer")),
    *("message.delta", "message.delta", ("message.completed", "bot"), "quick_replies"),
]


async def test_turn_as_events(app: FastAPI, client: httpx.AsyncClient) -> None:
    """Typing, the customer's message, the reply in pieces and whole, and what comes with it; stored items have ids."""
    path, key = await opened(client)
    events = await told(app, path, "One thing. And another.", key)
    assert shapes(events) == TURN
    pieces = [str(each["text"]) for each in events if each["event"] == "message.delta"]
    assert pieces == ["You said: One thing.", " And another."]
    assert "".join(pieces) == events[5]["text"]
    assert [each.get("id") for each in events] == [None, None, 1, None, None, 2, 3]
    assert [each.get("active") for each in events[:2]] == [True, False]


async def test_other_accepts_get_json(client: httpx.AsyncClient) -> None:
    """Events come to those who ask for them by name."""
    path, key = await opened(client)
    for accept in ("*/*", "application/json", "text/*"):
        answer = await client.post(f"{path}/messages", json={"text": "hi"}, headers=key | {"Accept": accept})
        assert answer.headers["content-type"] == "application/json"
    streamed = await client.post(
        f"{path}/messages",
        json={"text": "hi"},
        headers=key | {"Accept": "application/json;q=0.1, Text/Event-Stream;q=1"},
    )
    assert streamed.headers["content-type"].startswith("text/event-stream")


async def test_repeat_tells_the_stored_answer(app: FastAPI, client: httpx.AsyncClient, service: FakeService) -> None:
    """The same key later tells the same turn again, whole and under the same ids; the turn does not run twice."""
    path, key = await opened(client)
    repeatable = key | {"Idempotency-Key": "k1"}
    first = await told(app, path, "hello", repeatable)
    await told(app, path, "something else", key)
    again = await told(app, path, "hello", repeatable)
    assert [each for each in again if "id" in each] == [each for each in first if "id" in each]
    assert "message.delta" not in shapes(again)
    assert [each.text for each in service.said["c1"]].count("hello") == 1


async def test_key_is_told(app: FastAPI, client: httpx.AsyncClient) -> None:
    """A made-up key stands in the header, so that a broken stream can be repeated."""
    path, key = await opened(client)
    async with listening(app, f"{path}/messages", key | EVENTS, {"text": "hi"}) as stream:
        await stream.ended()
    assert len(stream.headers["idempotency-key"]) == 32


@pytest.mark.parametrize(("text", "expected"), [("busy", "busy"), ("down", "unavailable"), ("crash", "internal")])
async def test_failure_is_an_event(app: FastAPI, client: httpx.AsyncClient, text: str, expected: str) -> None:
    """What goes wrong in the turn is an event of the one shape, and the end."""
    path, key = await opened(client)
    events = await told(app, path, text, key)
    assert shapes(events) == ["typing", "error"]
    assert events[1]["error"]["code"] == expected  # type: ignore[index]


async def test_reply_that_could_not_be_stored(app: FastAPI, client: httpx.AsyncClient) -> None:
    """A reply that stands in no feed is told as the error it is about, with the words meant for the customer."""
    path, key = await opened(client)
    events = await told(app, path, "unstored", key)
    assert shapes(events)[-2:] == [("message.completed", "customer"), "error"]
    assert events[-1]["error"]["message"] == "You said: unstored"  # type: ignore[index]
    assert events[-1]["error"]["code"] == "unavailable"  # type: ignore[index]


async def test_silence_is_no_error(app: FastAPI, client: httpx.AsyncClient) -> None:
    """While a person has the conversation the machine says nothing, and the stream just ends."""
    path, key = await opened(client)
    assert shapes(await told(app, path, "silence", key)) == ["typing", "typing", ("message.completed", "customer")]


async def test_refusals_before_the_turn_have_their_status(client: httpx.AsyncClient, ada: Headers) -> None:
    """Whose conversation it is, and whether the message can be one, is answered with a status, not as a stream."""
    path, key = await opened(client)
    other = await client.post(f"{path}/messages", json={"text": "hi"}, headers=ada | EVENTS)
    assert (other.status_code, code(other)) == (404, "unknown_conversation")
    long = await client.post(f"{path}/messages", json={"text": "x" * 8001}, headers=key | EVENTS)
    assert (long.status_code, code(long)) == (413, "message_too_long")
    empty = await client.post(f"{path}/messages", json={"text": " "}, headers=key | EVENTS)
    assert (empty.status_code, code(empty)) == (422, "invalid_request")


async def test_turn_goes_on_without_its_client(app: FastAPI, client: httpx.AsyncClient, service: FakeService) -> None:
    """A client that leaves in the middle loses nothing: the answer is stored, and the request ends after the turn."""
    path, key = await opened(client)
    repeatable = key | {"Idempotency-Key": "k1"}
    async with listening(app, f"{path}/messages", repeatable | EVENTS, {"text": "slow"}) as stream:
        await stream.heard(1)
        await until(service.began.is_set)
        stream.left.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not stream.over  # the server still waits for the turn, so that a shutdown would too
        service.go.set()
        await stream.ended()
    assert [each.text for each in service.said["c1"]] == ["slow", "You said: slow"]
    assert shapes(await told(app, path, "slow", repeatable))[-2:] == [("message.completed", "bot"), "quick_replies"]


async def test_the_same_key_twice_at_once(app: FastAPI, client: httpx.AsyncClient, service: FakeService) -> None:
    """Two requests under one key, at the same time, are one turn; both get its answer, in whichever form they want."""
    path, key = await opened(client)
    repeatable = key | {"Idempotency-Key": "k1"}
    json, events, again = await asyncio.gather(
        client.post(f"{path}/messages", json={"text": "hello"}, headers=repeatable),
        client.post(f"{path}/messages", json={"text": "hello"}, headers=repeatable | EVENTS),
        client.post(f"{path}/messages", json={"text": "hello"}, headers=repeatable | EVENTS),
    )
    assert json.json()["reply"] == "You said: hello"
    for each in (events, again):
        assert each.text.count("event: message.completed") == 2
        assert '"text":"You said: hello"' in each.text
    assert [each.text for each in service.said["c1"]] == ["hello", "You said: hello"]


def message(number: int, turn: str | None, role: Role) -> MessageCompleted:
    """A message of a feed."""
    return MessageCompleted(message_id=f"m{number}", role=role, text="x", at=NOW, turn_id=turn)


def test_items_of_a_turn() -> None:
    """A turn's items are its messages and what follows its reply at once; people's moves in between are not its own."""
    status = StatusChanged(status=ConversationStatus.QUEUED)
    items: tuple[Item, ...] = (
        message(1, "t0", Role.CUSTOMER),
        message(2, "t0", Role.BOT),
        QuickReplies(message_id="m2", replies=("a",)),
        message(3, "t1", Role.CUSTOMER),
        FileAttached(file_id="f", name="n", media_type="image/png", size=1),
        message(4, None, Role.OPERATOR),
        status,
        message(5, "t1", Role.BOT),
        QuickReplies(message_id="m5", replies=("b",)),
        HandoffRequested(team="t"),
        status,
        HandoffAccepted(name="Robin"),
        status,
        message(6, "t2", Role.CUSTOMER),
    )
    entries = [Entry(seq=n, item=item) for n, item in enumerate(items, 1)]
    assert [each.seq for each in of_turn(entries, "t1")] == [4, 8, 9, 10, 11]
    assert [each.seq for each in of_turn(entries, "t0")] == [1, 2, 3]
    assert [each.seq for each in of_turn(entries, "t2")] == [14]
    assert of_turn(entries, "t9") == ()
