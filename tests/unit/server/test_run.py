"""The application on a real socket: start, large bodies, clients that leave, and shutdown."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from handrail.agent.server.app import create_app
from handrail.agent.server.run import address_of, claim, serve
from handrail.agent.settings import Settings
from handrail.guardrails.errors import ConfigError
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.test_conversations import code, opened


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
