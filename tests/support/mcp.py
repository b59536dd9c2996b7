"""Real MCP servers for tests, the example declarations of the documentation, and toolboxes over both."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, SecretStr

from handrail.agent.mcp.connection import Connection
from handrail.agent.mcp.reach import McpServer
from handrail.agent.mcp.toolbox import McpToolbox
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolCall
from handrail.guardrails.yamlsource import Problem, read
from tests.support.bundles import Edit

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "mcp"
SHOP, RAW = "tests.support.mcp_shop", "tests.support.mcp_raw"
STDIO, HTTP = "stdio", "http"
EDITS: tuple[Edit, ...] = tuple(
    (path.relative_to(EXAMPLE).as_posix(), "", path.read_text("utf-8")) for path in sorted(EXAMPLE.glob("*/*.yaml"))
)
"""The example as edits of the shipped bundle."""


def declared(name: str, **changes: JsonValue) -> ToolSpec:
    """A tool of the example, with other values at the top or, by `mcp`, under it."""
    problems: list[Problem] = []
    document = read(EXAMPLE / "tools" / f"{name}.yaml", f"{name}.yaml", problems)
    assert document is not None
    assert problems == []
    content = document.content
    assert isinstance(content, dict)
    mcp = changes.pop("mcp", {})
    assert isinstance(mcp, dict)
    held = content["mcp"]
    assert isinstance(held, dict)
    return ToolSpec.model_validate({**content, **changes, "mcp": {**held, **mcp}})


def call(tool: str, order: str = "ORD-1001") -> ToolCall:
    """A call of a tool of the shop."""
    return ToolCall(call_id="c1", tool=tool, arguments={"order_id": order})


@dataclass(frozen=True)
class Served:
    """A server that can be reached, and the file in which it notes what reached it."""

    server: McpServer
    ledger: Path

    def noted(self) -> list[Mapping[str, JsonValue]]:
        """What the server noted, oldest first."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return [json.loads(line) for line in lines]


@asynccontextmanager
async def served(folder: Path, how: str, module: str = SHOP, variant: str = "") -> AsyncIterator[Served]:
    """A server of `module`; over HTTP it runs as long as the context, over stdio its client starts it."""
    ledger = folder / "ledger.jsonl"
    if how == STDIO:
        arguments = _arguments(module, "stdio", ledger, variant)
        command = (sys.executable, "-m", *arguments)
        yield Served(McpServer(command=command, env={"PYTHONPATH": SecretStr(str(ROOT))}), ledger)
        return
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *_arguments(module, str(port), ledger, variant), cwd=ROOT
    )
    try:
        await _listening(port)
        yield Served(McpServer(url=f"http://127.0.0.1:{port}/mcp"), ledger)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def toolbox(reached: Served, *specs: ToolSpec) -> AsyncIterator[McpToolbox]:
    """The example's tools, or `specs`, on a server."""
    connection = Connection("shop", reached.server)
    connection.start()
    async with AsyncExitStack() as until:
        until.push_async_callback(connection.close)
        await until.enter_async_context(_patient(connection))
        yield McpToolbox(specs or (declared("get_order"), declared("cancel_order")), {"shop": connection})


@asynccontextmanager
async def _patient(connection: Connection) -> AsyncIterator[None]:
    """Wait for a server to start on a loaded machine; one that does not answer is the test's own matter."""
    attempt = connection._attempt
    if attempt is not None:
        await asyncio.wait([attempt], timeout=30)
    yield


def _arguments(module: str, how: str, ledger: Path, variant: str) -> tuple[str, ...]:
    return (module, how, str(ledger), variant) if variant else (module, how, str(ledger))


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def _listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
