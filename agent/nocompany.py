"""The company when none is connected: every tool is declined, nobody can be verified."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.ports import CallFacts, PortError, ToolRefused
from handrail.guardrails.vocabulary import ToolCall


class NoCompany:
    """Implements `Toolbox` and `StepUp` for a site that has not connected its systems yet."""

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """No fact is known, so restrictions apply."""
        return CallFacts(values={})

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Declines."""
        raise ToolRefused("no company system is connected; set HANDRAIL_COMPANY")

    async def outcome(self, key: str) -> JsonValue:
        """Nothing ever ran."""
        return None

    async def start(self, customer_id: str, key: str) -> str:
        """Cannot send a code."""
        raise PortError("no company system is connected; set HANDRAIL_COMPANY")

    async def check(self, customer_id: str, code: str, key: str) -> bool:
        """No code is right."""
        return False
