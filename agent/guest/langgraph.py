"""Handrail around any LangGraph agent whose tools run in a tool node: the node is guarded, and so is the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Protocol, cast

from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig

from handrail.agent.embedding import NODE, SupportState, apart, support_of
from handrail.agent.guest.calls import draft_of, gated, guided, wire_call
from handrail.agent.guest.exchange import Over, WantsRun
from handrail.agent.guest.guest import Runnable
from handrail.agent.guest.visit import Door, Visit
from handrail.agent.ports import PortError
from handrail.guardrails.vocabulary import Draft

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.prebuilt import ToolNode
    from langgraph.prebuilt.tool_node import ToolCallRequest
    from langgraph.typing import ContextT, InputT, OutputT, StateT

    from handrail.agent.guest.calls import Ran
    from handrail.agent.service import Service

_OUTER = ("thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map")
"""What an outer run is configured with and the agent's own run is not: it keeps no checkpoints of its own."""

VISIT: ContextVar[Visit | None] = ContextVar("VISIT", default=None)
"""The turn that the agent of this context works for."""


class Agent(Protocol):
    """A compiled graph with a channel `messages`."""

    async def ainvoke(self, state: dict[str, object], config: RunnableConfig) -> dict[str, object]:
        """Run it."""
        ...


class Guarding:
    """Guards one LangGraph agent: build it with `tool_node` in the place of its tool node, then pass it to `around`."""

    def __init__(
        self, service: Service, site: str, tools: Sequence[BaseTool], *, name: str = "agent", instructions: str = ""
    ) -> None:
        """Guard with `service`. `tools` are the agent's own; `name` is what it is called in the audit log.

        `instructions` are the agent's system text: no reply may repeat it.
        """
        from langgraph.prebuilt import ToolNode

        self._door = Door(service, site)
        self._name = name
        self._instructions = instructions
        self._node = ToolNode([*tools], awrap_tool_call=_gated)
        for tool in tools:
            service.guests.toolbox.know(tool.name, cast(Runnable, tool))

    @property
    def tool_node(self) -> ToolNode:
        """The tools behind the gate. Outside of a guarded run it refuses every call."""
        return self._node

    def around(
        self, agent: CompiledStateGraph[StateT, ContextT, InputT, OutputT]
    ) -> CompiledStateGraph[SupportState, None, SupportState, SupportState]:
        """A graph that answers the last message with `agent`; its channels are those of `support_node`."""
        from langgraph.graph import END, START, StateGraph

        step = _Turn(self._door, self._node, cast(Agent, agent), f"agent:{self._name}", self._instructions)
        graph: StateGraph[SupportState, None, SupportState, SupportState] = StateGraph(SupportState)
        graph.add_node(NODE, step.turn)
        graph.add_edge(START, NODE)
        graph.add_edge(NODE, END)
        return graph.compile()


async def _gated(request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Ran]]) -> Ran:
    """One call of the tool node. The first of a message brings all its calls to the gate."""
    visit = VISIT.get()
    if visit is not None:
        message = _proposal(request)
        if message is not None:
            visit.bring(message.id or str(id(message)), draft_of(message))
    return await gated(visit, request, handler)


def _proposal(request: ToolCallRequest) -> AIMessage | None:
    """The model's message that the requested call stands in."""
    state = request.state
    messages = state.get("messages", ()) if isinstance(state, dict) else getattr(state, "messages", ())
    call_id = request.tool_call["id"]
    for message in reversed(messages):
        if isinstance(message, AIMessage) and any(call["id"] == call_id for call in message.tool_calls):
            return message
    return None


class _Turn:
    """The one step of the guarded graph."""

    def __init__(self, door: Door, node: ToolNode, agent: Agent, name: str, instructions: str) -> None:
        from langgraph.graph import END, START, MessagesState, StateGraph

        self._door = door
        self._agent = agent
        self._name = name
        self._instructions = instructions
        alone = StateGraph(MessagesState)
        alone.add_node("tools", node)
        alone.add_edge(START, "tools")
        alone.add_edge("tools", END)
        self._tools = cast(Agent, alone.compile())

    async def turn(self, state: SupportState, config: RunnableConfig) -> SupportState:
        """Answer the last message."""
        # INVARIANT: turn and agent run outside the outer run's context: its streams must not show unchecked drafts.
        return await apart(self._answer(state, config.get("configurable", {})))

    async def _answer(self, state: SupportState, configured: Mapping[str, object]) -> SupportState:
        messages, thread = state.get("messages", []), configured.get("thread_id")
        own = {name: value for name, value in configured.items() if name not in _OUTER and name[:2] != "__"}
        visit = await self._door.begin(
            messages,
            state.get("customer_id"),
            state.get("conversation_id"),
            None if thread is None else str(thread),
            self._name,
        )
        visit.exchange.instructions = self._instructions
        try:
            await self._followed(visit, [*messages], RunnableConfig(configurable=own))
        except asyncio.CancelledError:
            visit.abandon()
            raise
        result, said = await visit.over(), await visit.released()
        return SupportState(
            messages=[said] if said.content else [],
            conversation_id=visit.conversation_id,
            support=support_of(result),
        )

    async def _followed(self, visit: Visit, messages: list[AnyMessage], config: RunnableConfig) -> None:
        """Bring the turn what it wants until it is over. Of each run of the agent, the next one knows everything."""
        while not isinstance(wanted := await visit.wanted(), Over):
            room = self._door.service.guests.room
            if isinstance(wanted, WantsRun):
                proposed = AIMessage("", tool_calls=[wire_call(wanted.call)])
                await self._until_over(visit, self._tools, [*messages, proposed], config)
                continue
            prompt, known = wanted.prompt, messages
            told = await room.compute(lambda: guided(known, prompt, room.masked), room.patience.detection)  # noqa: B023
            messages = await self._until_over(visit, self._agent, told, config) or messages
            visit.exchange.propose(Draft(text=str(messages[-1].text), author="model:agent"))

    async def _until_over(
        self, visit: Visit, agent: Agent, messages: list[AnyMessage], config: RunnableConfig
    ) -> list[AnyMessage]:
        """The messages after a run of `agent`; none when it failed, or the turn ended before it did."""
        context = Context()
        context.run(VISIT.set, visit)
        work = asyncio.create_task(_ran(agent, messages, config), context=context)
        over = asyncio.ensure_future(visit.over())
        try:
            await asyncio.wait({work, over}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else []
        except Exception as error:  # noqa: BLE001 - whatever an agent raises is a fault of that agent
            visit.exchange.failed(PortError(f"the agent failed ({type(error).__name__})"))
            return []
        finally:
            work.cancel()
            over.cancel()
            # What the turn raised is raised to whoever asks what it wants next.
            await asyncio.gather(work, over, return_exceptions=True)


async def _ran(agent: Agent, messages: list[AnyMessage], config: RunnableConfig) -> list[AnyMessage]:
    state = await agent.ainvoke({"messages": messages}, config)
    return cast("list[AnyMessage]", state["messages"])
