"""The guest of a proxied request: the model behind the proxy, which is asked what the application asks it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast

from pydantic import JsonValue

from handrail.agent.guest.guest import Brought
from handrail.agent.guest.showing import Showing, Shown
from handrail.agent.guest.transcript import Transcript
from handrail.agent.ports import PortError, Prompt, Relayed, Upstream
from handrail.agent.room import Room
from handrail.guardrails.vocabulary import Draft, Frozen, ToolCall, ToolResult

log = logging.getLogger(__name__)


class Offered(Frozen):
    """What the application asks with: its tools by name, and parameters of its request."""

    tools: dict[str, dict[str, JsonValue]] = {}
    options: dict[str, JsonValue] = {}


class Proxied:
    """Implements `Guest`. Its calls are handed over to the application and never run here."""

    def __init__(self, upstream: Upstream, transcript: Transcript, offered: Offered, seen: Shown) -> None:
        self.name = f"proxy:{upstream.model}"
        self.instructions = transcript.instructions
        self.brought = Brought(results=seen.results, documents=seen.documents, rounds=transcript.rounds)
        self._upstream = upstream
        self._offered = offered
        self._seen = seen

    def has(self, tool: str) -> bool:
        """Whether the application offered the tool with its request."""
        return tool in self._offered.tools

    async def complete(self, prompt: Prompt, seconds: float) -> Draft:
        """What the model says to the application's conversation, and to what became of its calls in this turn."""
        new = prompt.results[len(self.brought.results) :]
        # A call that the application demands once is demanded once: after a refusal the model may say something.
        options = {name: value for name, value in self._offered.options.items() if not new or name != "tool_choice"}
        tools = self._tools(prompt)
        if not tools:
            options = {name: value for name, value in options.items() if name not in _ABOUT_TOOLS}
        messages = (*self._seen.messages, *_added(new, prompt))
        return await self._upstream.relay(Relayed(messages=messages, tools=tools, options=options), seconds)

    async def execute(self, call: ToolCall) -> JsonValue:
        """Nothing runs here."""
        raise PortError(f"{call.tool} is the application's to run")

    def _tools(self, prompt: Prompt) -> tuple[dict[str, JsonValue], ...]:
        """The application's own declarations of those tools of which a call could be allowed now."""
        return tuple(self._offered.tools[one.name] for one in prompt.tools if one.name in self._offered.tools)


_ABOUT_TOOLS = ("tool_choice", "parallel_tool_calls")


def _added(results: Sequence[ToolResult], prompt: Prompt) -> list[dict[str, JsonValue]]:
    """What became of the calls of this turn, and what a repair must mend, in the wire format."""
    # Late: LangChain's messages take half a second to import, and a server without a proxy needs none.
    from langchain_core.messages import BaseMessage, HumanMessage
    from langchain_core.messages.utils import convert_to_openai_messages

    from handrail.agent.models.messages import guidance_of, round_of

    added: list[BaseMessage] = []
    for number, result in enumerate(results, 1):
        added += round_of(result, f"handrail_{number}")
    guidance = guidance_of(prompt)
    if guidance:
        added.append(HumanMessage("\n\n".join(guidance)))
    return cast("list[dict[str, JsonValue]]", convert_to_openai_messages(added))


async def proxied(room: Room, upstream: Upstream, transcript: Transcript, offered: Offered) -> Proxied:
    """The guest of one request."""
    try:
        showing = Showing(room.bundle, room.detectors, room.masked)
        seen = await room.compute(lambda: showing.shown(transcript), room.patience.detection)
    except Exception as error:  # noqa: BLE001 - whatever went wrong: what is not looked through is not shown at all
        log.error("history not screened", extra={"error": type(error).__name__})
        unread = Showing(room.bundle, room.detectors, room.masked, left=0)
        seen = await room.compute(lambda: unread.shown(transcript), room.patience.detection)
    return Proxied(upstream, transcript, offered, seen)
