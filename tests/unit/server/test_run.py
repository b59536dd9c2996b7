"""The application on a real socket: start, large bodies, clients that leave, and shutdown."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from fastapi import Request

from handrail.agent.server.app import create_app
from handrail.agent.server.asking import address_of as address_of_caller
from handrail.agent.server.run import address_of, claim, serve
from handrail.agent.settings import Settings
from handrail.guardrails.errors import ConfigError
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.test_conversations import Headers, code, opened
from tests.unit.server.waiting import until


@asynccontextmanager
async def served(service: FakeService, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that answers; stopped by the signal that stops it in earnest."""
    taken = claim("127.0.0.1", 0)
    address, ready = address_of(taken), asyncio.Event()
    serving = asyncio.create_task(serve(create_app(service, settings, FixedClock()), taken, ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    try:
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            yield client
    finally:
        if not serving.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 10)


async def test_a_conversation_over_a_socket(service: FakeService, settings: Settings) -> None:
    """The whole way: open, say, read, over HTTP."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        said = await client.post(f"{path}/messages", json={"text": "hello"}, headers=key)
        assert said.json()["reply"] == "You said: hello"
        assert len((await client.get(f"{path}/messages", headers=key)).json()["messages"]) == 2
        assert "server" not in said.headers


async def test_a_megabyte_gets_its_answer(service: FakeService, settings: Settings) -> None:
    """A client that sends too much hears why, instead of losing the connection."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        answer = await client.post(f"{path}/messages", json={"text": "x" * 1_000_000}, headers=key)
        assert answer.status_code == 413
        assert code(answer) == "body_too_large"
        assert (await client.get("/healthz")).status_code == 200


async def test_a_file_too_large_gets_its_answer(service: FakeService, settings: Settings, ada: Headers) -> None:
    """A file of too many bytes is refused to the one who may send files, and to the one who may not, in words."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        large = b"\x89PNG" + b"x" * (6 * 1024 * 1024)
        for headers, status in ((key, 413), (ada, 404), ({}, 401)):
            answer = await client.post(f"{path}/files", content=large, headers=headers)
            assert answer.status_code == status
        fits = await client.post(f"{path}/files", content=large[: 5 * 1024 * 1024], headers=key)
        assert fits.status_code == 201


async def test_nonsense_on_the_wire(service: FakeService, settings: Settings) -> None:
    """Bytes that are no HTTP, and headers that contradict each other, do not stop the server."""
    async with served(service, settings) as client:
        host, port = client.base_url.host, client.base_url.port
        for sent in (
            b"\x16\x03\x01\x00\xa5\x01\x00\x00",
            b"GET / HTTP/1.1\r\n\r\n" + b"\x00" * 100,
            b"POST /v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
            b"POST /v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999\r\n\r\n{",
        ):
            _, writer = await asyncio.open_connection(host, port)
            writer.write(sent)
            await writer.drain()
            writer.close()
        assert (await client.get("/healthz")).status_code == 200


async def test_turn_goes_on_when_the_client_leaves(service: FakeService, settings: Settings) -> None:
    """An accepted message is answered although nobody listens; a repeat gets that answer."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        headers = key | {"Idempotency-Key": "k1", "Content-Type": "application/json"}
        body = json.dumps({"text": "slow"}).encode()
        _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        head = "".join(f"{name}: {content}\r\n" for name, content in headers.items())
        writer.write(f"POST {path}/messages HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()
        await asyncio.wait_for(service.began.wait(), 10)
        writer.close()
        await writer.wait_closed()
        service.go.set()
        again = await client.post(f"{path}/messages", content=body, headers=headers)
        assert again.json()["reply"] == "You said: slow"
        assert len(service.said["c1"]) == 2


@dataclass
class Stream:
    """One follower on a connection of its own."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    wire: bytes = b""

    @classmethod
    async def open(cls, client: httpx.AsyncClient, path: str, headers: Headers, body: bytes = b"") -> Stream:
        """Send a request and wait for the head of the answer."""
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        given = headers | {"Host": "x", "Content-Length": str(len(body))}
        head = "".join(f"{name}: {content}\r\n" for name, content in given.items())
        writer.write(f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        await writer.drain()
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        return cls(reader, writer)

    async def heard(self, words: bytes) -> None:
        """Read until these words have arrived."""
        while words not in self.wire:
            piece = await asyncio.wait_for(self.reader.read(65536), 10)
            assert piece, self.wire
            self.wire += piece

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        self.wire += await asyncio.wait_for(self.reader.read(), 10)
        self.writer.close()
        return self.wire


async def test_two_hundred_idle_streams(service: FakeService, settings: Settings) -> None:
    """They cost a few tasks each and no thread; a message reaches those it is for; a stop ends all, properly."""
    async with served(service, settings) as client:
        conversations = [await opened(client) for _ in range(20)]
        threads, tasks = threading.active_count(), len(asyncio.all_tasks())
        streams = [
            (number, await Stream.open(client, f"{path}/events", key))
            for number, (path, key) in enumerate(conversations)
            for _ in range(10)
        ]
        await until(lambda: service.following.followers == 200)
        assert threading.active_count() <= threads
        assert len(asyncio.all_tasks()) - tasks <= 200 * 8
        path, key = conversations[7]
        said = await client.post(f"{path}/messages", json={"text": "hello"}, headers=key)
        assert said.status_code == 200
        for number, stream in streams:
            if number == 7:
                await stream.heard(b'"text":"You said: hello"')
        os.kill(os.getpid(), signal.SIGTERM)
        for number, stream in streams:
            wire = await stream.rest()
            assert wire.endswith(b"0\r\n\r\n")  # the end of a chunked answer, not a broken connection
            assert (b"hello" in wire) == (number == 7)
    assert service.following.followers == 0


async def test_stream_frees_everything_when_its_client_leaves(service: FakeService, settings: Settings) -> None:
    """A connection that is gone leaves no follower and no task behind."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        await client.get("/healthz")
        before = len(asyncio.all_tasks())
        streams = [await Stream.open(client, f"{path}/events", key) for _ in range(20)]
        for stream in streams:
            stream.writer.transport.abort()
        await until(lambda: not service.following.followers and len(asyncio.all_tasks()) <= before)


async def test_turn_that_streams_outlives_its_client_and_the_stop(service: FakeService, settings: Settings) -> None:
    """A client leaves in the middle of a streamed turn, and the server is told to stop: the turn is still finished."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        headers = key | {"Accept": "text/event-stream", "Content-Type": "application/json", "Idempotency-Key": "k1"}
        stream = await Stream.open(client, f"{path}/messages", headers, b'{"text": "slow"}')
        await asyncio.wait_for(service.began.wait(), 10)
        stream.writer.transport.abort()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        service.go.set()
    assert [each.text for each in service.said["c1"]] == ["slow", "You said: slow"]


async def test_turn_that_streams_is_delivered_while_stopping(service: FakeService, settings: Settings) -> None:
    """Streams that follow end at a stop; the stream of a turn ends with the turn, whole."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        headers = key | {"Accept": "text/event-stream", "Content-Type": "application/json"}
        stream = await Stream.open(client, f"{path}/messages", headers, b'{"text": "slow"}')
        follower = await Stream.open(client, f"{path}/events", key)
        await asyncio.wait_for(service.began.wait(), 10)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (await follower.rest()).endswith(b"0\r\n\r\n")
        assert not service.go.is_set()
        service.go.set()
        assert b'"text":"You said: slow"' in await stream.rest()
        assert stream.wire.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(("proxies", "counted"), [("127.0.0.1", "203.0.113.9"), ("192.0.2.1", "127.0.0.1")])
async def test_proxies_are_believed_by_name(
    service: FakeService, settings: Settings, proxies: str, counted: str
) -> None:
    """Who calls, and by which scheme, is taken from the headers of named proxies; anybody else's are lies."""
    app = create_app(service, settings, FixedClock())
    taken, ready = claim("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(app, taken, ready.set, proxies))
    seen: list[str] = []

    async def told(request: Request) -> None:
        seen.append(f"{await address_of_caller(request)} {request.url.scheme}")

    app.add_api_route("/told", told, methods=["GET"])
    await asyncio.wait_for(ready.wait(), 10)
    headers = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "X-Forwarded-Proto": "https"}
    async with httpx.AsyncClient(base_url=address_of(taken), trust_env=False) as client:
        await client.get("/told", headers=headers)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, 10)
    assert seen == [f"{counted} {'https' if counted == '203.0.113.9' else 'http'}"]


async def test_shutdown_finishes_what_was_begun(service: FakeService, settings: Settings) -> None:
    """A signal stops new connections; the turn that runs is finished and its reply delivered."""
    async with served(service, settings) as client:
        path, key = await opened(client)
        saying = asyncio.create_task(client.post(f"{path}/messages", json={"text": "slow"}, headers=key))
        await asyncio.wait_for(service.began.wait(), 10)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        service.go.set()
        assert (await saying).json()["reply"] == "You said: slow"


def test_used_port_is_told_with_another() -> None:
    """A used port is known at once, and the message offers another one."""
    with claim("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} .* in use.*--port {port + 1 if port < 65535 else 8321}"):
            claim("127.0.0.1", port)


def test_wrong_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is no address, or none of this machine, is answered with one that is."""
    with pytest.raises(ConfigError, match=r"not an address of this machine.*127\.0\.0\.1"):
        claim("192.0.2.1", 0)

    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigError, match=r"fernwell is not an address.*127\.0\.0\.1"):
        claim("fernwell", 0)


def test_address_is_one_that_reaches_the_server() -> None:
    """What is printed can be opened, also when listening everywhere."""
    with claim("0.0.0.0", 0) as taken:  # noqa: S104 - the case under test
        assert address_of(taken) == f"http://127.0.0.1:{taken.getsockname()[1]}"
    if socket.has_ipv6:
        with claim("::1", 0) as taken:
            assert address_of(taken).startswith("http://[::1]:")
