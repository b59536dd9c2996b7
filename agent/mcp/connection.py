"""One MCP server, kept open in a task of its own; opened again, when it is next wanted, after it went away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import JsonValue

from handrail.agent.mcp.listing import Listed, Listing
from handrail.agent.mcp.reach import McpServer
from handrail.agent.ports import PortError

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

log = logging.getLogger(__name__)

OPENING_SECONDS = 25.0
"""Until a server has said who it is and what it has; a slow one gets it without anybody waiting."""
WAITING_SECONDS = 3.0
"""How long a call waits for a server that is being opened."""
LISTING_SECONDS = 3.0
FRESH_SECONDS = 30.0
"""How long a list of tools is believed when the server does not say that it changed."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds without another attempt after the first, second ... that failed in a row."""
CLOSING_SECONDS = 8.0
PAGES = 20
"""Pages of tools that are read; a server with more is not believed to come to an end."""


class NotReached(PortError):
    """The server could not be asked; nothing was sent."""


class AnsweredWithError(PortError):
    """The server itself declined the call."""


class Connection:
    """Lists and calls the tools of one server.

    INVARIANT: the client's scopes are entered and left by the one task of `_keep`; calls may come from any task.
    """

    def __init__(self, name: str, server: McpServer) -> None:
        """Reach `server`; nothing is opened before `start`."""
        self.name = name
        self._server = server
        self._client: Client | None = None
        self._listing: Listing = {}
        self._listed_at: float | None = None
        self._lock = asyncio.Lock()
        self._wanted, self._left = asyncio.Event(), asyncio.Event()
        self._attempt: asyncio.Future[bool] | None = None
        self._failures = 0
        self._not_before = 0.0
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to open the server, without waiting for it."""
        self._keeper = asyncio.create_task(self._keep(), name=f"mcp:{self.name}")
        self._want()

    async def close(self) -> None:
        """Leave the server; a command is ended, by force if need be."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        with suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._keeper

    async def tools(self) -> Listing:
        """The tools of the server as it lists them now. Raises NotReached."""
        client = await self._opened()
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._listed_at is not None and now - self._listed_at < FRESH_SECONDS:
                return self._listing
            try:
                async with asyncio.timeout(LISTING_SECONDS):
                    self._listing = await _all_tools(client)
            except Exception as error:
                self._leave()
                raise NotReached(f"the MCP server {self.name} does not list its tools") from error
            self._listed_at = now
            return self._listing

    async def call(
        self, tool: str, arguments: Mapping[str, JsonValue], meta: Mapping[str, JsonValue]
    ) -> CallToolResult:
        """What the server answers to a call of `tool`, as long as the caller waits.

        Raises NotReached when nothing was sent, AnsweredWithError, or PortError when it may have run.
        """
        from mcp import MCPError
        from mcp.types import (
            CONNECTION_CLOSED,
            INVALID_PARAMS,
            METHOD_NOT_FOUND,
            CallToolRequest,
            CallToolRequestParams,
            CallToolResult,
        )
        from mcp.types import InputRequiredResult as Wanting
        from pydantic import TypeAdapter

        client = await self._opened()
        params = CallToolRequestParams.model_validate({"name": tool, "arguments": dict(arguments), "_meta": dict(meta)})
        answer: TypeAdapter[CallToolResult | Wanting] = TypeAdapter(CallToolResult | Wanting)
        try:
            # Not `call_tool`: that runs the server's own output schema, whose patterns may take forever, in this loop.
            result = await client.session.send_request(CallToolRequest(params=params), answer)
        except asyncio.CancelledError:
            self.doubt()
            raise
        except MCPError as error:
            if error.code in {INVALID_PARAMS, METHOD_NOT_FOUND}:
                raise AnsweredWithError(f"the MCP server {self.name} answered with error {error.code}") from error
            # Any other code may be a gateway's, or the client's own for a connection that broke.
            if error.code == CONNECTION_CLOSED:
                self._leave()
            self.doubt()
            raise PortError(f"the MCP server {self.name} failed during a call, with error {error.code}") from error
        except Exception as error:
            self.doubt()
            raise PortError(f"the MCP server {self.name} answered nonsense") from error
        if isinstance(result, Wanting):
            raise AnsweredWithError(f"the MCP server {self.name} asks for more input, which nobody gives")
        return result

    def doubt(self) -> None:
        """List the tools again before the next call: that shows whether the server is still there, and the same."""
        self._listed_at = None

    async def _opened(self) -> Client:
        client = self._client
        if client is not None and not self._left.is_set():
            return client
        attempt = self._want()
        if attempt is None:
            raise NotReached(f"the MCP server {self.name} could not be reached a moment ago")
        try:
            async with asyncio.timeout(WAITING_SECONDS):
                await asyncio.shield(attempt)
        except TimeoutError as error:
            raise NotReached(f"the MCP server {self.name} takes long to start") from error
        if self._client is None:
            raise NotReached(f"the MCP server {self.name} cannot be reached")
        return self._client

    def _want(self) -> asyncio.Future[bool] | None:
        """The attempt that is under way or begins now; None while it is too early for another one."""
        if self._attempt is not None and not self._attempt.done():
            return self._attempt
        loop = asyncio.get_running_loop()
        if self._keeper is None or self._keeper.done() or loop.time() < self._not_before:
            return None
        self._attempt = loop.create_future()
        self._wanted.set()
        return self._attempt

    def _leave(self) -> None:
        """Give up the client that is open; the keeper closes it."""
        self._client = None
        self._left.set()

    async def _keep(self) -> None:
        from handrail.agent.mcp.wire import client_of

        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._left.clear()
            try:
                async with asyncio.timeout(OPENING_SECONDS) as limit, client_of(self._server, self.doubt) as client:
                    self._listing = await _all_tools(client)
                    limit.reschedule(None)
                    self._serve(client)
                    await self._left.wait()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next call may try again
                self._went(error)
            finally:
                self._client = None
                self._settle()

    def _serve(self, client: Client) -> None:
        self._listed_at = asyncio.get_running_loop().time()
        self._client, self._failures = client, 0
        self._settle()

    def _went(self, error: Exception) -> None:
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        self._not_before = asyncio.get_running_loop().time() + pause
        kinds = sorted({type(one).__name__ for one in _causes(error)})
        log.warning(
            "the MCP server %s is not there (%s): calls of its tools fail; try by hand what HANDRAIL_MCP_SERVERS says "
            "of it",
            self.name,
            ", ".join(kinds),
        )

    def _settle(self) -> None:
        if self._attempt is not None and not self._attempt.done():
            self._attempt.set_result(True)


async def _all_tools(client: Client) -> Listing:
    from mcp.types import PaginatedRequestParams

    found: dict[str, Listed] = {}
    cursor: str | None = None
    for _ in range(PAGES):
        page = await client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        found |= {tool.name: Listed.of(tool.input_schema) for tool in page.tools}
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise PortError("the list of tools does not end")


def _causes(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [cause for one in error.exceptions for cause in _causes(one)]
    return [error]
