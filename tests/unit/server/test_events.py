"""The events route: what it tells, from where, and what ends it."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from handrail.agent.feed import Entry, HandoffQueued, MessageDelta, StatusChanged, Typing
from handrail.agent.server.app import create_app
from handrail.agent.server.events import PING_SECONDS, EventStream, Failed, frame
from handrail.agent.server.faults import ErrorView
from handrail.agent.server.identity import LEEWAY_SECONDS, Gate
from handrail.agent.settings import Settings
from handrail.agent.store_port import StoreError
from handrail.guardrails.vocabulary import ConversationStatus
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.streaming import listening
from tests.unit.server.test_conversations import Headers, code, opened
from tests.unit.server.waiting import Hourglass, until

QUEUED = StatusChanged(status=ConversationStatus.QUEUED)
HUMAN = StatusChanged(status=ConversationStatus.HUMAN)


@pytest.fixture
def hourglass() -> Hourglass:
    """The time of the application."""
    return Hourglass()


@pytest.fixture
def app(service: FakeService, settings: Settings, hourglass: Hourglass) -> FastAPI:
    """An application whose time passes when the test says so."""
    return create_app(service, settings, FixedClock(), hourglass)


@pytest.fixture
async def client(app: FastAPI) -> httpx.AsyncClient:
    """A client of the same application."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://handrail.test")


def test_wire_form() -> None:
    """What is stored has its number as id; what passes has none. Every event is one line of data."""
    assert frame(Entry(seq=7, item=QUEUED)) == b'id: 7\nevent: status\ndata: {"event":"status","status":"queued"}\n\n'
    assert frame(Typing(active=True)) == b'event: typing\ndata: {"event":"typing","active":true}\n\n'
    broken = frame(MessageDelta(message_id="m", text='two\n\nlines: "ü"\r\nid: 9'))
    assert broken.count(b"\n") == 3
    assert 'ü"\\r\\nid: 9' in broken.decode().replace('\\"', '"')
    place = HandoffQueued(team="t", position=1, due_at=None, opens_at=None)
    assert not frame(place).startswith(b"id:")
    failed = Failed(error=ErrorView(code="c", message="m", hint="h"))
    assert frame(failed) == b'event: error\ndata: {"event":"error","error":{"code":"c","message":"m","hint":"h"}}\n\n'


async def test_stored_first_then_live(app: FastAPI, client: httpx.AsyncClient, service: FakeService) -> None:
    """A follower hears what was stored, then what happens, with headers that no proxy holds back."""
    path, key = await opened(client)
    await service.store.tell("c1", QUEUED)
    async with listening(app, f"{path}/events", key) as stream:
        await stream.heard(1)
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-cache"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-length" not in stream.headers
        assert stream.headers["x-content-type-options"] == "nosniff"
        await service.store.tell("c1", HUMAN)
        await stream.heard(2)
        assert [each["id"] for each in stream.events] == [1, 2]
        assert not stream.over


@pytest.mark.parametrize(
    ("query", "header", "first"),
    [("", None, 1), ("?after=1", None, 2), ("", "2", 3), ("?after=1", "2", 3), ("?after=0", "0", 1)],
)
async def test_resume(
    app: FastAPI, client: httpx.AsyncClient, service: FakeService, query: str, header: str | None, first: int
) -> None:
    """A follower goes on where it broke off: by the header of event streams, which counts more, or by the query."""
    path, key = await opened(client)
    await service.store.tell("c1", QUEUED, HUMAN, QUEUED)
    headers = key if header is None else key | {"Last-Event-ID": header}
    async with listening(app, f"{path}/events{query}", headers) as stream:
        await stream.heard(4 - first)
        assert [each["id"] for each in stream.events] == list(range(first, 4))


@pytest.mark.parametrize(
    ("query", "header"), [("?after=x", None), ("?after=-1", None), ("", "abc"), ("", "-1"), ("", "1" * 30), ("", "1 2")]
)
async def test_bad_places_are_refused(client: httpx.AsyncClient, query: str, header: str | None) -> None:
    """A place that is none is an error, not the beginning."""
    path, key = await opened(client)
    headers = key if header is None else key | {"Last-Event-ID": header}
    answer = await client.get(f"{path}/events{query}", headers=headers)
    assert answer.status_code == 422
    assert code(answer) == "invalid_request"


async def test_comment_in_silence(
    app: FastAPI, client: httpx.AsyncClient, service: FakeService, hourglass: Hourglass
) -> None:
    """While nothing is told, a comment comes every 15 seconds, and after it the stream goes on."""
    path, key = await opened(client)
    async with listening(app, f"{path}/events", key) as stream:
        for pings in (1, 2):
            await until(lambda: PING_SECONDS in hourglass.waiting.values())
            hourglass.turn(PING_SECONDS)
            await until(lambda expected=pings: stream.pings == expected)  # type: ignore[misc]
        await service.store.tell("c1", QUEUED)
        await stream.heard(1)
        assert stream.pings == 2


async def test_nothing_stays_when_the_client_leaves(
    app: FastAPI, client: httpx.AsyncClient, service: FakeService
) -> None:
    """A client that goes away frees its follower and every task (`listening` looks for those)."""
    path, key = await opened(client)
    async with listening(app, f"{path}/events", key) as stream:
        await until(lambda: service.following.followers == 1)
    assert stream.over
    assert service.following.followers == 0


async def test_stream_ends_when_the_process_stops(
    app: FastAPI, client: httpx.AsyncClient, service: FakeService
) -> None:
    """Streams end at once, those that open meanwhile too; a client resumes elsewhere, so nothing is said."""
    path, key = await opened(client)
    async with listening(app, f"{path}/events", key) as stream:
        await until(lambda: service.following.followers == 1)
        app.state.desk.streams.closing.set()
        await stream.ended()
        assert stream.wire == b""
    async with listening(app, f"{path}/events", key) as late:
        await late.ended()


async def test_stream_ends_with_the_token(
    app: FastAPI, client: httpx.AsyncClient, gate: Gate, service: FakeService, hourglass: Hourglass
) -> None:
    """When the customer's token is over, so is the stream, and it says why. A visitor's key does not expire."""
    ada = {"Authorization": f"Bearer {gate.sign('ada', 600)}"}
    path, _ = await opened(client, ada)
    async with listening(app, f"{path}/events", ada) as stream:
        await until(lambda: any(each > PING_SECONDS for each in hourglass.waiting.values()))
        left = max(hourglass.waiting.values())
        assert 600 < left <= 600 + LEEWAY_SECONDS
        await service.store.tell("c1", QUEUED)
        await stream.heard(1)
        hourglass.turn(left)
        await stream.ended()
        assert stream.names == ["status", "error"]
        assert stream.events[-1]["error"]["code"] == "token_expired"  # type: ignore[index]
        assert "id" not in stream.events[-1]
    visitors, key = await opened(client)
    async with listening(app, f"{visitors}/events", key):
        await until(lambda: service.following.followers == 1)
        assert max(hourglass.waiting.values()) <= PING_SECONDS


@pytest.mark.parametrize(
    ("error", "expected"), [(StoreError("secret words"), "unavailable"), (RuntimeError("secret words"), "internal")]
)
async def test_failure_is_told(error: Exception, expected: str, app: FastAPI) -> None:
    """A stream that fails after its beginning ends with an error event that quotes nothing."""

    async def failing() -> object:
        yield Typing(active=True)
        raise error

    async def answer() -> EventStream:
        return EventStream(failing(), asyncio.sleep)  # type: ignore[arg-type]

    app.add_api_route("/failing", answer, methods=["GET"], response_model=None)
    async with listening(app, "/failing", {}) as stream:
        await stream.ended()
    assert stream.names == ["typing", "error"]
    assert stream.events[1]["error"]["code"] == expected  # type: ignore[index]
    assert b"secret" not in stream.wire


async def test_conversation_that_is_nobodys_has_no_stream(
    client: httpx.AsyncClient, ada: Headers, service: FakeService
) -> None:
    """Refusals have their status: nothing is followed before it is known whose it is."""
    await opened(client)
    for path in ("/v1/conversations/c1/events", "/v1/conversations/c999/events"):
        answer = await client.get(path, headers=ada)
        assert answer.status_code == 404
        assert (await client.get(path)).status_code == 401
    assert service.following.followers == 0
