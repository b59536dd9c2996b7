"""The client of one MCP server: whichever way it is reached, nothing of it may grow without bound.

Imports of `mcp` cost most of a second, so this module is imported when the first connection is opened.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import Implementation, ServerNotification, ToolListChangedNotification

from handrail.agent.mcp.reach import McpServer

MOST_BYTES = 1_000_000
"""Bytes of one HTTP response, or of one event of a stream. A result that a model may see is far smaller."""

HTTP_SECONDS = 30.0
"""Seconds to connect, and between two pieces of an answer. How long a call may take is its caller's patience."""


@asynccontextmanager
async def client_of(server: McpServer, changed: Callable[[], None]) -> AsyncIterator[Client]:
    """A client that is connected; `changed` is called when the server says that its tools are others now.

    It has no capabilities: a server that wants to sample a model, to ask the customer or to see folders gets an error.
    """

    async def heard(message: ServerNotification | Exception) -> None:
        if isinstance(message, ToolListChangedNotification):
            changed()

    async with AsyncExitStack() as until:
        if server.url is not None:
            headers = {name: secret.get_secret_value() for name, secret in server.headers.items()}
            http = await until.enter_async_context(_http(headers))
            transport = streamable_http_client(server.url, http_client=http, max_sse_event_size=MOST_BYTES)
        else:
            silence = until.enter_context(_silence())
            env = {name: secret.get_secret_value() for name, secret in server.env.items()}
            program, *arguments = server.command
            transport = stdio_client(StdioServerParameters(command=program, args=arguments, env=env), errlog=silence)
        name = Implementation(name="handrail", version="1")
        yield await until.enter_async_context(Client(transport, cache=None, message_handler=heard, client_info=name))


@contextmanager
def _silence() -> Iterator[TextIO]:
    """For what a server writes to standard error: untrusted text, which may quote customers."""
    with Path(os.devnull).open("w") as nowhere:
        yield nowhere


def _http(headers: dict[str, str]) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        # A packed answer could unfold into more than its bytes.
        headers={**headers, "accept-encoding": "identity"},
        timeout=httpx2.Timeout(HTTP_SECONDS),
        transport=_Bounded(httpx2.AsyncHTTPTransport()),
    )


class _Bounded(httpx2.AsyncBaseTransport):
    """Reads every response that is no event stream, up to `MOST_BYTES`; of a stream the client bounds each event.

    What cannot be read is answered with a status of a gateway, which fails that request alone: an exception would tear
    down the whole connection, and with it what other customers wait for.
    """

    def __init__(self, real: httpx2.AsyncBaseTransport) -> None:
        self._real = real

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await self._real.handle_async_request(request)
        except httpx2.TransportError:
            return httpx2.Response(503, request=request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            return httpx2.Response(502, request=request)
        if response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            return response
        try:
            body = await _body(response)
        except httpx2.TransportError:
            body = None
        finally:
            await response.aclose()
        if body is None:
            return httpx2.Response(502, request=request)
        kept = [(name, value) for name, value in response.headers.items() if name not in _FRAMING]
        return httpx2.Response(response.status_code, headers=kept, content=body, request=request)

    async def aclose(self) -> None:
        await self._real.aclose()


_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding"})


async def _body(response: httpx2.Response) -> bytes | None:
    """The whole body; None when it is longer than may be read."""
    stream, read = response.stream, bytearray()
    if not isinstance(stream, httpx2.AsyncByteStream):
        return None
    async for piece in stream:
        read += piece
        if len(read) > MOST_BYTES:
            return None
    return bytes(read)
