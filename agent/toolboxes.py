"""Several toolboxes as one: each call goes to the one that has the tool."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from handrail.agent.ports import CallFacts, Toolbox
from handrail.guardrails.vocabulary import ToolCall


class Toolboxes:
    """Implements `Toolbox`. A tool that no other toolbox has belongs to `rest`."""

    def __init__(self, rest: Toolbox, owners: Mapping[str, Toolbox]) -> None:
        """`owners` are the toolboxes of tools, by the tools' names."""
        self._rest = rest
        self._owners = dict(owners)

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """What the owner of the tool states."""
        return await self._owner(call).call_facts(call, customer_id)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """What the owner of the tool answers."""
        return await self._owner(call).execute(call, customer_id, key)

    async def outcome(self, key: str) -> JsonValue:
        """The outcome that any of the toolboxes has under `key`; a key does not say whose it is."""
        for toolbox in dict.fromkeys((self._rest, *self._owners.values())):
            found = await toolbox.outcome(key)
            if found is not None:
                return found
        return None

    def _owner(self, call: ToolCall) -> Toolbox:
        return self._owners.get(call.tool, self._rest)
