"""The guest of a turn: somebody else's agent, as the model and the tools that the turn's own stages see."""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Protocol

from pydantic import JsonValue

from handrail.agent.ports import CallFacts, Listener, PortError, Prompt, Toolbox, ToolRefused
from handrail.agent.screening import Screened
from handrail.guardrails.scope import Retrieved
from handrail.guardrails.vocabulary import Draft, Frozen, ToolCall

NOBODY = "guest:gone"
_DEEPEST = 32


class Guest(Protocol):
    """Whose agent speaks in this turn. Never trusted: it is a model like any other."""

    @property
    def name(self) -> str:
        """What it is called in the audit log."""
        ...

    @property
    def instructions(self) -> str:
        """What it was told to be by those who built it; no reply may repeat that. Known after the first draft."""
        ...

    @property
    def brought(self) -> Brought:
        """What it brings into the turn."""
        ...

    def has(self, tool: str) -> bool:
        """Whether it can run a call of this tool."""
        ...

    async def complete(self, prompt: Prompt, seconds: float) -> Draft:
        """A draft within `seconds`, or `PortError`. The results in `prompt` are minimised and screened."""
        ...

    async def execute(self, call: ToolCall) -> JsonValue:
        """Run an allowed call with the agent's own tool. Raises as `Toolbox.execute` does."""
        ...


class Brought(Frozen):
    """What a guest knows before its first draft: results of calls that it ran itself, and documents, screened.

    `rounds` is how often it has asked for tools since the customer wrote.
    """

    results: tuple[Screened, ...] = ()
    documents: Retrieved | None = None
    rounds: int = 0


class Runnable(Protocol):
    """A tool that can run without its agent, such as one of LangChain's."""

    async def ainvoke(self, arguments: dict[str, JsonValue]) -> object:
        """Run it."""
        ...


GUEST: ContextVar[Guest | None] = ContextVar("GUEST", default=None)
"""The guest of the turn that runs in this context."""


def present() -> Guest:
    """The guest of the turn. Raises PortError in a turn that is finished after its guest has gone."""
    guest = GUEST.get()
    if guest is None:
        raise PortError("the agent that spoke in this turn is gone; a person takes over")
    return guest


def lent(tool: str) -> bool:
    """Whether the guest of the turn has the tool. Without one, Handrail's toolbox runs what a person approved."""
    guest = GUEST.get()
    return guest is None or guest.has(tool)


class GuestModel:
    """Implements `Model` by the guest of the turn.

    It lets nothing be heard: the drafts of an agent come whole, and whether an application gets text or calls is known
    only when its model has ended.
    """

    @property
    def name(self) -> str:
        """The guest's name."""
        guest = GUEST.get()
        return NOBODY if guest is None else guest.name

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The guest's draft. A turn that is finished after its guest has gone has nobody to write one."""
        return await present().complete(prompt, seconds)


class GuestToolbox:
    """Implements `Toolbox`: facts as the company states them, and the agent's own tools to run what was allowed."""

    def __init__(self, company: Toolbox) -> None:
        self._company = company
        self._tools: dict[str, Runnable] = {}

    def know(self, name: str, tool: Runnable) -> None:
        """Remember a tool, so that a call can run that was approved after its agent had gone."""
        self._tools[name] = tool

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """The declared facts of `call`, read now."""
        return await self._company.call_facts(call, customer_id)

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Run the call with the agent's tool; once, because the flow journals it and asks nobody twice."""
        guest = GUEST.get()
        if guest is not None:
            return await guest.execute(call)
        tool = self._tools.get(call.tool)
        if tool is None:
            raise ToolRefused(f"the agent that runs {call.tool} is not here; do it by hand, or start the agent")
        return plain(await tool.ainvoke(dict(call.arguments)))

    async def outcome(self, key: str) -> JsonValue:
        """Nobody can tell: an agent's tools keep no keys."""
        return None


def plain(content: object) -> JsonValue:
    """What a tool answered, as JSON of sensible depth where it is JSON, else as text."""
    if not isinstance(content, str):
        return _shallow(json.loads(json.dumps(content, default=str)))
    try:
        return _shallow(json.loads(content))
    except (ValueError, RecursionError):
        return content


def _shallow(content: JsonValue, depth: int = 0) -> JsonValue:
    """`content` without what lies too deep: no reader of it can be broken by its depth."""
    if not isinstance(content, list | dict):
        return content
    if depth >= _DEEPEST:
        return None
    if isinstance(content, list):
        return [_shallow(item, depth + 1) for item in content]
    return {key: _shallow(item, depth + 1) for key, item in content.items()}
