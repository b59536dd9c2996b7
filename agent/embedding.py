"""The whole turn as a node of somebody else's LangGraph graph: messages in, the released reply and a status out."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from contextvars import Context
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypedDict, TypeVar, cast

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from pydantic import JsonValue

from handrail.agent.feed import MessageDelta
from handrail.agent.overhearing import Recorded, overheard
from handrail.agent.ports import Clock
from handrail.agent.releasing import after
from handrail.agent.unheard import unheard
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import IdentityLevel, TurnResult

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langgraph.graph.state import CompiledStateGraph

CHANNEL = "embedded"
NODE = "turn"

AnswerT = TypeVar("AnswerT")


class NotAnswerable(HandrailError):
    """The outer graph asked for a turn without anything that a customer said; the message says what is missing."""


class Support(TypedDict):
    """What the last turn came to, as plain JSON. `status` is who speaks from now on: route on it.

    `bot` and `returned_to_bot` mean that this node answers the next message too; `queued`, `accepted` and `human` that
    a person was asked for or is there, and that this node only passes messages on; `resolved` that the matter is over.
    """

    turn_id: str
    status: str
    reasons: list[str]
    citations: list[str]
    quick_replies: list[str]
    confirmation: JsonValue


class SupportState(TypedDict, total=False):
    """The channels that the outer graph shares with this one.

    `customer_id` is the outer graph's word, and believed: set it from a session, never from what somebody wrote. None
    or nothing is an anonymous visitor. `conversation_id` is made by the first turn, and continues it in the next.
    """

    messages: list[AnyMessage]
    customer_id: str | None
    conversation_id: str
    support: Support


class Records(Recorded, Protocol):
    """The parts of the store that a node needs; `Store` has the details."""

    async def ensure_conversation(
        self,
        site: str,
        conversation_id: str,
        channel: str,
        customer_id: str | None,
        identity: IdentityLevel,
        at: datetime,
    ) -> None:
        """Create an empty conversation with this id unless it is there."""
        ...


class Speaking(Protocol):
    """The parts of the service that a node needs; `Service` has the details."""

    @property
    def store(self) -> Records:
        """The store behind the service."""
        ...

    async def open(self, site: str, channel: str, customer_id: str | None, identity: IdentityLevel) -> str:
        """Open a conversation and return its id."""
        ...

    async def say(self, site: str, conversation_id: str, customer_id: str | None, text: str, key: str) -> TurnResult:
        """Answer a customer's message."""
        ...


def support_node(
    service: Speaking, site: str, clock: Clock | None = None
) -> CompiledStateGraph[SupportState, None, SupportState, SupportState]:
    """A compiled graph to hand to `add_node`: each run answers the last message, which must be a human's.

    The message's id makes the run repeatable: an outer graph that runs again from a checkpoint, or by a retry policy,
    gets the same answer, once. Raises NotAnswerable, and what `Service.say` raises.
    """
    from langgraph.graph import END, START, StateGraph

    node = _Node(service, site, clock or system_clock())
    graph: StateGraph[SupportState, None, SupportState, SupportState] = StateGraph(SupportState)
    graph.add_node(NODE, node.turn)
    graph.add_edge(START, NODE)
    graph.add_edge(NODE, END)
    return graph.compile()


class _Node:
    """The one step of the graph."""

    def __init__(self, service: Speaking, site: str, clock: Clock) -> None:
        self._service = service
        self._site = site
        self._clock = clock

    async def turn(self, state: SupportState, config: RunnableConfig) -> SupportState:
        """Answer the last message; what leaves of the reply meanwhile shows in the outer run's stream of messages."""
        thread = config.get("configurable", {}).get("thread_id")
        message = newest(state.get("messages", []))
        text = text_of(message)
        customer = state.get("customer_id")
        conversation_id = state.get("conversation_id", "")
        if not conversation_id:
            begun = Beginning(CHANNEL, self._site, customer, None if thread is None else str(thread), str(message.id))
            conversation_id = await apart(opened(self._service, begun, self._clock))
        key = f"message:{message.id}"
        # INVARIANT: the turn runs outside the outer run's context. Inside, LangGraph would take the turn's own graph as
        # a part of the outer one: its checkpointer would keep, and its streams would show, drafts nobody has checked.
        turn = asyncio.create_task(self._answer(conversation_id, customer, text, key), context=Context())
        try:
            said = await self._shown(conversation_id, key, turn)
            answer = await turn
        except BaseException:
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
            raise
        _show_rest(answer, said)
        return answer

    async def _shown(self, conversation_id: str, key: str, turn: asyncio.Task[SupportState]) -> str:
        """Show the pieces of the reply as they leave; returns all that was shown."""
        said = ""
        async with aclosing(overheard(self._service.store, self._site, conversation_id, key, turn)) as pieces:
            async for piece in pieces:
                if isinstance(piece.item, MessageDelta) and piece.item.turn_id is not None:
                    said += piece.item.text
                    _show(piece.item.text, piece.item.turn_id)
        return said

    async def _answer(self, conversation_id: str, customer: str | None, text: str, key: str) -> SupportState:
        result = await self._service.say(self._site, conversation_id, customer, text, key)
        before = await unheard(self._service.store, self._site, conversation_id, result.turn_id)
        # The ids are those of what was said: a repeated run replaces its messages instead of adding them again.
        said = [AIMessage(each.text, id=each.message_id, name=each.name) for each in before]
        if result.reply:
            said.append(AIMessage(result.reply, id=result.turn_id))
        return SupportState(messages=[*said], conversation_id=conversation_id, support=support_of(result))


class Beginning(NamedTuple):
    """How a conversation of another graph begins: who writes, in which thread of a checkpointer, with which message."""

    channel: str
    site: str
    customer_id: str | None
    thread: str | None
    message_id: str


async def opened(service: Speaking, begun: Beginning, clock: Clock) -> str:
    """A new conversation. One that begins in a thread of a checkpointer is the same when that run is repeated."""
    level = IdentityLevel.ANONYMOUS if begun.customer_id is None else IdentityLevel.IDENTIFIED
    if begun.thread is None:
        return await service.open(begun.site, begun.channel, begun.customer_id, level)
    told = json.dumps(list(begun))
    conversation_id = f"c_{hashlib.sha256(told.encode()).hexdigest()[:60]}"
    await service.store.ensure_conversation(
        begun.site, conversation_id, begun.channel, begun.customer_id, level, clock.now()
    )
    return conversation_id


def system_clock() -> Clock:
    """The machine's clock."""
    from handrail.agent.composition import SystemClock

    return SystemClock()


def newest(messages: Sequence[BaseMessage]) -> BaseMessage:
    """The message to answer: the last one, which must be a human's and have an id. Raises NotAnswerable."""
    if not messages or not isinstance(messages[-1], HumanMessage):
        raise NotAnswerable(
            "the last message is not a human's: route to this node only when the customer has just written"
        )
    if not messages[-1].id:
        raise NotAnswerable("the message has no id: keep messages in a channel with the reducer `add_messages`")
    return messages[-1]


def text_of(message: BaseMessage) -> str:
    """The words of a message. Parts that are not text are refused: nobody would have read them."""
    if isinstance(message.content, str):
        text = message.content
    else:
        parts = [part if isinstance(part, dict) else {"type": "text", "text": part} for part in message.content]
        if any(part.get("type") != "text" for part in parts):
            raise NotAnswerable("the message has parts that are not text: leave them out, or pass a description")
        text = "\n".join(str(part.get("text", "")) for part in parts)
    if not text.strip():
        raise NotAnswerable("the message has no text: there is nothing to answer")
    return text


def _show(text: str, turn_id: str) -> None:
    """Put a piece into the outer run's stream of messages, if there is one; the whole message has the same id."""
    from langgraph.graph.message import push_message

    push_message(AIMessageChunk(content=text, id=turn_id), state_key=None)


def _show_rest(answer: SupportState, said: str) -> None:
    """Show what of the reply has not been shown. One of which nothing was, LangGraph shows as a whole by itself."""
    reply = answer["messages"][-1] if said and answer["messages"] else None
    if isinstance(reply, AIMessage) and reply.id is not None:
        rest = after(said, str(reply.content))[len(said) :]
        if rest:
            _show(rest, reply.id)


def support_of(result: TurnResult) -> Support:
    """What the turn came to, for the outer graph."""
    call = result.confirmation
    confirmation = None if call is None else {"tool": call.tool, "arguments": call.arguments}
    return Support(
        turn_id=result.turn_id,
        status=result.status.value,
        reasons=list(result.reasons),
        citations=list(result.citations),
        quick_replies=list(result.quick_replies),
        confirmation=cast(JsonValue, confirmation),
    )


async def apart(work: Coroutine[None, None, AnswerT]) -> AnswerT:
    """Run `work` in a context of its own. A caller that gives up ends it too, and recovery finishes the turn."""
    return await asyncio.create_task(work, context=Context())
