"""The node in somebody else's graph shows what leaves of a reply in the outer run's stream, as it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from handrail.agent.embedding import SupportState, support_node
from handrail.agent.feed import MessageCompleted
from handrail.guardrails.vocabulary import Role
from tests.flow.aloud import FIRST, HOW_TO, Aloud, told
from tests.flow.stand import MIA, NEVER_LONGER, SITE, Scripted, Stand

Stands = Callable[..., Awaitable[Stand]]
Messages = AsyncIterator[tuple[AnyMessage, object]]
Subgraphs = AsyncIterator[tuple[object, tuple[AnyMessage, object]]]
"""What a stream of messages yields, with subgraphs and without."""


async def test_the_outer_stream_of_messages_shows_what_leaves_as_it_leaves(stands: Stands) -> None:
    """The model goes on only when its first sentence was read; the pieces together are the message of the state."""
    go = asyncio.Event()
    stand = await stands(model=Aloud([[f"{FIRST} And then", go.wait, " it goes on."]]))
    shown: list[AnyMessage] = []
    asking = SupportState(**asked(), conversation_id=stand.conversation)
    async with asyncio.timeout(NEVER_LONGER):
        running = outer(stand).astream(asking, stream_mode="messages", subgraphs=True)
        async for _, (message, _) in cast(Subgraphs, running):
            if not isinstance(message, HumanMessage):
                shown.append(message)
            if FIRST in str(message.content):
                go.set()
    (said,) = [one for one in await told(stand) if isinstance(one, MessageCompleted) and one.role is Role.BOT]
    assert [type(each) for each in shown] == [AIMessageChunk, AIMessageChunk]
    assert str(shown[0].content) == FIRST
    assert "".join(str(each.content) for each in shown) == said.text
    assert {each.id for each in shown} == {said.turn_id}


async def test_a_reply_that_leaves_whole_is_shown_whole(stands: Stands) -> None:
    """Once, by LangGraph itself."""
    stand = await stands(model=Scripted(text=FIRST))
    running = outer(stand).astream(asked(), stream_mode="messages", subgraphs=True)
    shown = [message async for _, (message, _) in cast(Subgraphs, running)]
    assert [str(each.content)[: len(FIRST)] for each in shown if isinstance(each, AIMessage)] == [FIRST]


async def test_who_does_not_look_into_subgraphs_sees_it_whole(stands: Stands) -> None:
    """Also one that left in pieces."""
    stand = await stands(model=Aloud([[f"{FIRST} And then it goes on."]]))
    shown = [message async for message, _ in cast(Messages, outer(stand).astream(asked(), stream_mode="messages"))]
    (said,) = [each for each in shown if isinstance(each, AIMessage)]
    assert str(said.content).startswith(f"{FIRST} And then it goes on.")


def outer(stand: Stand) -> CompiledStateGraph[SupportState, None, SupportState, SupportState]:
    """Somebody else's graph around the stand's service."""
    graph: StateGraph[SupportState, None, SupportState, SupportState] = StateGraph(SupportState)
    graph.add_node("support", support_node(stand.service, SITE, stand.clock))
    graph.add_edge(START, "support")
    graph.add_edge("support", END)
    return graph.compile()


def asked() -> SupportState:
    """A customer's question."""
    return SupportState(messages=[HumanMessage(HOW_TO, id="m1")], customer_id=MIA)
