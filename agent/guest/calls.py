"""What a LangChain or LangGraph agent proposes, and what its model hears of it, in their own messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from handrail.agent.guest.exchange import WantsDraft, WantsRun
from handrail.agent.guest.guest import plain
from handrail.agent.guest.visit import Visit
from handrail.agent.models.blocks import result_block
from handrail.agent.models.messages import guidance_of
from handrail.agent.ports import PortError, Prompt
from handrail.guardrails.detect.masking import mask
from handrail.guardrails.vocabulary import Draft, ToolCall, ToolResult

if TYPE_CHECKING:
    from langgraph.prebuilt.tool_node import ToolCallRequest
    from langgraph.types import Command

Ran: TypeAlias = "ToolMessage | Command[str]"

NOT_RUN = "outcome: refused\nreasons: not decided; propose fewer calls at once"
ENDED = "outcome: refused\nreasons: the turn has ended; what the customer reads has been decided"


def draft_of(message: AIMessage) -> Draft:
    """What the model proposes, with each id once: a second call under the same id has no answer of its own."""
    calls = {str(call["id"] or ""): call for call in reversed(message.tool_calls)}
    return Draft(
        text=str(message.text),
        calls=tuple(
            ToolCall(call_id=call_id, tool=call["name"], arguments=dict(call["args"]))
            for call_id, call in reversed(calls.items())
        ),
        author="model:agent",
    )


def proposing(message: AIMessage, draft: Draft) -> AIMessage:
    """The message that goes on to the tools: its calls, and none of the words beside them, which nobody has checked."""
    return AIMessage("", id=message.id, tool_calls=[wire_call(call) for call in draft.calls])


def wire_call(call: ToolCall) -> dict[str, object]:
    """A call as LangChain writes it."""
    return {"name": call.tool, "args": call.arguments, "id": call.call_id, "type": "tool_call"}


def guided(messages: Sequence[AnyMessage], prompt: Prompt, kinds: frozenset[str]) -> list[AnyMessage]:
    """What the model reads: the agent's messages with personal data as labels, and what a repair must mend."""
    shown = [_masked(message, kinds) for message in messages]
    guidance = guidance_of(prompt)
    if guidance:
        shown.append(HumanMessage("\n\n".join(guidance)))
    return shown


def _masked(message: AnyMessage, kinds: frozenset[str]) -> AnyMessage:
    if not kinds or not isinstance(message.content, str):
        return message
    text = mask(message.content, kinds)
    return message if text == message.content else message.model_copy(update={"content": text})


async def gated(
    visit: Visit | None, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Ran]]
) -> Ran:
    """Run the requested call when the turn says so, as the turn wrote it; else tell the model why not."""
    call_id = str(request.tool_call["id"] or "")
    if visit is None:
        return _told(request, ENDED)
    extra: Ran | None = None
    wanted = await visit.wanted()
    while isinstance(wanted, WantsRun):
        call = visit.exchange.take(call_id)
        if call is not None:
            extra = await _run(visit, request, call, handler)
        wanted = await visit.past(wanted)
    if not isinstance(wanted, WantsDraft):
        return _told(request, ENDED)
    # Endpoints use ids again from message to message: the newest result of this id is that of this call.
    found = next((one for one in reversed(wanted.prompt.results) if one.call.call_id == call_id), None)
    message = _told(request, NOT_RUN) if found is None else _told(request, result_block(found), found)
    return message if extra is None or isinstance(extra, ToolMessage) else _with(extra, message)


async def _run(
    visit: Visit, request: ToolCallRequest, call: ToolCall, handler: Callable[[ToolCallRequest], Awaitable[Ran]]
) -> Ran | None:
    """Run exactly the call that was allowed. What the tool raises is the turn's to judge."""
    asked = request.override(tool_call={**request.tool_call, "name": call.tool, "args": dict(call.arguments)})
    try:
        ran = await handler(asked)
    except Exception as error:  # noqa: BLE001 - whatever a tool raises, the turn decides what it means
        visit.exchange.failed(error)
        return None
    message = _message_in(ran)
    if message is None or message.status == "error":
        visit.exchange.failed(PortError(f"the tool {call.tool} ended with an error"))
    else:
        visit.exchange.ran(plain(message.content))
    return ran


def _message_in(ran: Ran) -> ToolMessage | None:
    if isinstance(ran, ToolMessage):
        return ran
    return next((one for one in _messages(ran) if isinstance(one, ToolMessage)), None)


def _messages(command: Command[str]) -> Iterator[object]:
    """The messages of a tool that changes the agent's state."""
    update: object = command.update
    if isinstance(update, dict):
        yield from cast("Sequence[object]", update.get("messages", ()))


def _with(command: Command[str], message: ToolMessage) -> Command[str]:
    """The tool's change of the state, with what the model may read in the place of its message."""
    update = cast("dict[str, object]", command.update)
    return replace(command, update={**update, "messages": [message]})


def _told(request: ToolCallRequest, text: str, result: ToolResult | None = None) -> ToolMessage:
    failed = result is None or result.outcome.value != "succeeded"
    return ToolMessage(
        text,
        tool_call_id=str(request.tool_call["id"] or ""),
        name=request.tool_call["name"],
        status="error" if failed else "success",
    )
