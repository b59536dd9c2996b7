"""Handrail around an agent of LangChain's `create_agent`: one middleware, put first. Needs `handrail[langchain]`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NotRequired, cast

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
    hook_config,
)
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.tools import BaseTool
from langgraph.config import get_config
from langgraph.prebuilt.tool_node import ToolCallRequest

from handrail.agent.embedding import NotAnswerable, Support, apart, support_of
from handrail.agent.guest.calls import Ran, draft_of, gated, guided, proposing, wire_call
from handrail.agent.guest.exchange import Over, WantsDraft, WantsRun
from handrail.agent.guest.guest import Runnable
from handrail.agent.guest.visit import Door, Visit
from handrail.agent.ports import PortError, Prompt
from handrail.agent.room import Room
from handrail.guardrails.vocabulary import Draft

if TYPE_CHECKING:
    from langgraph.runtime import Runtime

    from handrail.agent.service import Service


class GuardedState(AgentState[object]):
    """The channels that the middleware adds; they mean what they mean in `handrail.agent.embedding.SupportState`.

    INVARIANT: `customer_id` is read once, when the run begins: no tool and no model can change for whom calls are
    decided.
    """

    customer_id: NotRequired[str | None]
    conversation_id: NotRequired[str]
    support: NotRequired[Support]
    handrail_visit: NotRequired[Annotated[str, PrivateStateAttr]]


Update = dict[str, object]


class HandrailMiddleware(AgentMiddleware[GuardedState, None, object]):
    """The gate and the guards around every run of the agent. Put it first in the list of middleware.

    Only asynchronous runs are guarded (`ainvoke`, `astream`); others fail before a model or a tool is asked.
    """

    state_schema = GuardedState

    def __init__(self, service: Service, site: str, tools: Sequence[BaseTool] = (), *, name: str = "agent") -> None:
        """Guard with `service`. `tools` are the agent's own; `name` is what it is called in the audit log."""
        super().__init__()
        self.tools = [*tools]
        self._agent = name
        self._door = Door(service, site)
        self._visits: dict[str, Visit] = {}
        for tool in tools:
            service.guests.toolbox.know(tool.name, cast(Runnable, tool))

    @property
    def _room(self) -> Room:
        return self._door.service.guests.room

    @hook_config(can_jump_to=["tools", "end"])
    async def abefore_agent(self, state: GuardedState, runtime: Runtime[None]) -> Update | None:
        """Begin the turn: what the customer wrote is read, rated and decided on before the agent sees it."""
        thread = get_config().get("configurable", {}).get("thread_id")
        visit = await self._door.begin(
            state["messages"],
            state.get("customer_id"),
            state.get("conversation_id"),
            None if thread is None else str(thread),
            f"agent:{self._agent}",
        )
        self._visits[visit.key] = visit
        update: Update = {"conversation_id": visit.conversation_id, "handrail_visit": visit.key}
        with self._left(visit):
            wanted = await visit.wanted()
        if isinstance(wanted, WantsRun):
            # The customer agreed to a call that was asked about before: it runs first, and no model is asked.
            proposed = AIMessage("", tool_calls=[wire_call(wanted.call)])
            return {**update, "messages": [proposed], "jump_to": "tools"}
        if isinstance(wanted, Over):
            return {**update, "messages": [await visit.released()], "jump_to": "end"}
        return update

    async def awrap_model_call(
        self,
        request: ModelRequest[None],
        handler: Callable[[ModelRequest[None]], Awaitable[ModelResponse[object]]],
    ) -> ModelResponse[object]:
        """Ask the model for what the turn wants; what comes back is only what was released, or allowed."""
        visit = self._visit(request.state)
        if request.response_format is not None:
            raise NotAnswerable("a structured response is no text that can be checked: leave `response_format` out")
        if any(isinstance(tool, dict) for tool in request.tools):
            raise NotAnswerable("a tool that runs at the model's endpoint passes no gate: leave built-in tools out")
        with self._left(visit):
            return ModelResponse(result=[await self._drafted(visit, request, handler)])

    async def _drafted(
        self,
        visit: Visit,
        request: ModelRequest[None],
        handler: Callable[[ModelRequest[None]], Awaitable[ModelResponse[object]]],
    ) -> AIMessage:
        wanted = await visit.wanted()
        while isinstance(wanted, WantsDraft):
            told = await self._told(request.messages, wanted.prompt)
            if request.system_message is not None:
                visit.exchange.instructions = str(request.system_message.text)
            try:
                # INVARIANT: the model is asked outside the run's context: its words must not be streamed unchecked.
                answer = await apart(_asked(handler, request.override(messages=told)))
                said = next(one for one in answer.result if isinstance(one, AIMessage))
            except Exception as error:  # noqa: BLE001 - whatever a model's client raises is a fault of that model
                visit.exchange.failed(PortError(f"the agent's model failed ({type(error).__name__})"))
                wanted = await visit.past(wanted)
                continue
            draft = draft_of(said)
            visit.exchange.propose(draft)
            wanted = await visit.past(wanted)
            if draft.calls and not isinstance(wanted, Over):
                return proposing(said, draft)
        if isinstance(wanted, WantsRun):
            # A call was agreed to, and the agent went to its model instead: nothing is said until the turn is over.
            visit.exchange.failed(PortError("the agent did not run the call that it was given"))
            wanted = await visit.past(wanted)
        return await visit.released()

    async def _told(self, messages: Sequence[AnyMessage], prompt: Prompt) -> list[AnyMessage]:
        room = self._room
        return await room.compute(lambda: guided(messages, prompt, room.masked), room.patience.detection)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Ran]]
    ) -> Ran:
        """Run the call if the turn says so; else the model gets a typed refusal."""
        visit = self._visit(cast(GuardedState, request.state))
        with self._left(visit):
            return await gated(visit, request, handler)

    async def aafter_agent(self, state: GuardedState, runtime: Runtime[None]) -> Update | None:
        """The run ends with what was released, whatever else has touched the messages meanwhile."""
        visit = self._visit(state)
        last = state["messages"][-1]
        try:
            with self._left(visit):
                wanted = await visit.wanted()
                if isinstance(wanted, WantsDraft):
                    # Something else ended the run, such as a limit on calls: its last words are a draft like any other.
                    visit.exchange.propose(Draft(text=str(last.text), author="model:agent"))
                    wanted = await visit.past(wanted)
                if not isinstance(wanted, Over):
                    visit.exchange.failed(PortError("the agent ended before the turn did"))
                result, said = await visit.over(), await visit.released()
        finally:
            self._visits.pop(visit.key, None)
        kept = last.id == said.id and last.content == said.content and not getattr(last, "tool_calls", ())
        return {"support": support_of(result), "messages": [] if kept else [said]}

    def _visit(self, state: object) -> Visit:
        key = cast("dict[str, object]", state).get("handrail_visit")
        visit = self._visits.get(str(key))
        if visit is None:
            raise NotAnswerable("the turn of this run is over or was begun elsewhere: send the message again")
        return visit

    @contextmanager
    def _left(self, visit: Visit) -> Iterator[None]:
        """A run that is given up takes its turn with it."""
        try:
            yield
        except asyncio.CancelledError:
            self._visits.pop(visit.key, None)
            visit.abandon()
            raise


async def _asked(
    handler: Callable[[ModelRequest[None]], Awaitable[ModelResponse[object]]], request: ModelRequest[None]
) -> ModelResponse[object]:
    return await handler(request)
