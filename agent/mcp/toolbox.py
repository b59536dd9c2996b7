"""Tools of MCP servers behind the Toolbox port."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from handrail.agent.mcp.connection import AnsweredWithError, Connection, NotReached
from handrail.agent.mcp.listing import disagreements
from handrail.agent.mcp.writing import arguments_of, content_of, facts_of_record, look_up_arguments
from handrail.agent.ports import CallFacts, ToolRefused
from handrail.guardrails.gate.mcp_source import ErrorMeans, McpSource
from handrail.guardrails.toolspec import Access, ToolSpec
from handrail.guardrails.vocabulary import ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RemoteTool:
    """A declared tool, and the server that runs it."""

    spec: ToolSpec
    source: McpSource
    connection: Connection


class McpToolbox:
    """Runs declared tools on MCP servers. A tool on which declaration and server disagree is denied."""

    def __init__(self, specs: Iterable[ToolSpec], connections: Mapping[str, Connection]) -> None:
        """The tools among `specs` that MCP servers have; `connections` by the names of the servers."""
        self._tools = {
            spec.id: RemoteTool(spec, spec.mcp, connections[spec.mcp.server]) for spec in specs if spec.mcp is not None
        }
        self._first: dict[str, str] = {}
        self._said: dict[str, tuple[str, ...]] = {}

    @property
    def names(self) -> frozenset[str]:
        """The tools that are here."""
        return frozenset(self._tools)

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """The declared facts of `call`, from the look-up of its tool, now.

        Raises ToolRefused when the tool is denied, PortError when the server cannot be asked.
        """
        tool = self._tool(call)
        await self._agreed(tool)
        look_up = tool.source.look_up
        arguments = None if look_up is None else look_up_arguments(call, look_up, customer_id)
        if look_up is None or arguments is None:
            return CallFacts(values={})
        try:
            result = await tool.connection.call(look_up.tool, arguments, {})
        except AnsweredWithError:
            return CallFacts(values={})
        if result.is_error:
            return CallFacts(values={})
        return CallFacts(values=facts_of_record(tool.spec, look_up, content_of(result), call, customer_id))

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Send the call, with the key where the server takes one.

        Raises ToolRefused when nothing happened, PortError when it may or may not have happened.
        """
        tool = self._tool(call)
        with _unsent_is_refused(tool.spec):
            await self._agreed(tool)
            arguments = arguments_of(call, tool.source, customer_id, key)
            place = tool.source.key
            meta = {} if place is None or place.meta is None else {place.meta: key}
            try:
                result = await tool.connection.call(tool.source.tool, arguments, meta)
            except AnsweredWithError as error:
                if _harmless(tool):
                    raise ToolRefused(str(error)) from error
                raise
        if not result.is_error:
            return content_of(result)
        if _harmless(tool):
            raise ToolRefused(f"the MCP server {tool.source.server} declined the call")
        raise AnsweredWithError(f"the MCP server {tool.source.server} reports an error of {tool.source.tool}")

    async def outcome(self, key: str) -> JsonValue:
        """None: MCP has no way to ask what became of a key."""
        return None

    def _tool(self, call: ToolCall) -> RemoteTool:
        tool = self._tools.get(call.tool)
        if tool is None:
            raise ToolRefused("no MCP server has a tool of this name")
        return tool

    async def _agreed(self, tool: RemoteTool) -> None:
        """Raise ToolRefused unless the server still has the tool as it is declared."""
        listing = await tool.connection.tools()
        problems = disagreements(tool.spec, tool.source, listing, self._first.get(tool.spec.id))
        if found := listing.get(tool.source.tool):
            self._first.setdefault(tool.spec.id, found.digest)
        if problems != self._said.get(tool.spec.id):
            self._said[tool.spec.id] = problems
            self._tell(tool, problems)
        if problems:
            raise ToolRefused("; ".join(problems))

    def _tell(self, tool: RemoteTool, problems: tuple[str, ...]) -> None:
        name, server = tool.spec.id, tool.source.server
        if problems:
            log.error("the tool %s is denied, MCP server %s: %s", name, server, "; ".join(problems))
        else:
            log.info("the tool %s is ready, MCP server %s; schema %s", name, server, self._first[name])


def _harmless(tool: RemoteTool) -> bool:
    """Whether an error that the server answers says that nothing happened."""
    return tool.spec.access is Access.READ or tool.source.error_means is ErrorMeans.NOTHING_HAPPENED


@contextmanager
def _unsent_is_refused(spec: ToolSpec) -> Iterator[None]:
    """A write that was not even sent has not happened, which is more than "it may have happened"."""
    try:
        yield
    except NotReached as error:
        if spec.access is Access.READ:
            raise
        raise ToolRefused(str(error)) from error
