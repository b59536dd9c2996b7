"""The company's systems behind the Toolbox port."""

from __future__ import annotations

from pydantic import JsonValue
from sqlalchemy import Connection, insert, select

from handrail.agent.company.database import CompanyDatabase
from handrail.agent.company.desk import CompanyTool, Desk, MalformedArguments
from handrail.agent.company.records import find_customer
from handrail.agent.company.tables import idempotency
from handrail.agent.company.tools import TOOLS
from handrail.agent.ports import CallFacts, Clock, ToolRefused
from handrail.guardrails.gate.canonical import digest
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import ToolCall


class CompanyToolbox:
    """Runs the tools of the company for the authenticated customer.

    It trusts no caller: arguments are read again and ownership is judged again inside the transaction that writes.
    """

    def __init__(self, database: CompanyDatabase, clock: Clock, tools: tuple[CompanyTool, ...] = TOOLS) -> None:
        self._database = database
        self._clock = clock
        self._tools = {tool.name: tool for tool in tools}

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """The declared facts of `call`, read now. Facts of what the customer does not own are never stated.

        Malformed arguments have no facts: everything about them is unknown. Raises ToolRefused for an unknown tool,
        PortError when the records cannot be read.
        """
        tool = self._tool(call)
        try:
            values = await self._database.read(
                lambda connection: tool.facts(self._desk(connection, customer_id), call.arguments)
            )
        except MalformedArguments:
            values = {}
        return CallFacts(values=values)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Run the call: a write at most once per `key`, so that a repeat returns the first outcome; a read each time.

        Raises ToolRefused when nothing happened, also for a key that belongs to another call or customer; PortError
        when it may or may not have happened: then `outcome` tells, or the same call with the same key.
        """
        tool = self._tool(call)
        if tool.access is Access.READ:
            return await self._database.read(
                lambda connection: tool.run(self._desk(connection, customer_id), call.arguments)
            )
        return await self._database.write(lambda connection: self._once(connection, tool, call, customer_id, key))

    async def outcome(self, key: str) -> JsonValue:
        """The outcome recorded under `key`, or None when no write with that key has been committed."""

        def recorded(connection: Connection) -> JsonValue:
            found = connection.execute(select(idempotency.c.outcome).where(idempotency.c.key == key)).first()
            return None if found is None else dict(found.outcome)

        return await self._database.read(recorded)

    def _once(self, connection: Connection, tool: CompanyTool, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        # INVARIANT: the transaction holds the write lock, so nobody else can be between this look-up and the insert.
        bound = digest(call)
        found = connection.execute(select(idempotency).where(idempotency.c.key == key)).first()
        if found is not None:
            if (found.customer_id, found.digest) != (customer_id, bound):
                raise ToolRefused("this idempotency key belongs to another call; use a new one")
            return dict(found.outcome)
        desk = self._desk(connection, customer_id)
        outcome = tool.run(desk, call.arguments)
        row = {"key": key, "customer_id": customer_id, "digest": bound, "outcome": outcome, "at": desk.now}
        connection.execute(insert(idempotency).values(**row))
        return outcome

    def _tool(self, call: ToolCall) -> CompanyTool:
        tool = self._tools.get(call.tool)
        if tool is None:
            raise ToolRefused("the company has no tool of this name")
        return tool

    def _desk(self, connection: Connection, customer_id: str) -> Desk:
        customer = find_customer(connection, customer_id) if customer_id else None
        return Desk(connection, customer, self._clock.now())
