"""A chat-completions request as the stand-in reads it."""

from __future__ import annotations

import re

from pydantic import BaseModel, JsonValue

_PASSAGE = re.compile(r"<<<passage (.*?)>>>\n(.*?)\n<<<end of passage>>>", re.DOTALL)


class ChatMessage(BaseModel):
    """One message; unknown fields are ignored."""

    role: str
    content: str | None = None


class Function(BaseModel):
    """What a tool looks like to the model."""

    name: str
    description: str = ""
    parameters: dict[str, JsonValue] = {}


class Tool(BaseModel):
    """A tool on offer."""

    function: Function


class ChatRequest(BaseModel):
    """The parts of a request that a stand-in acts on."""

    model: str = ""
    messages: list[ChatMessage]
    tools: list[Tool] = []
    stream: bool = False
    temperature: float | None = None
    response_format: dict[str, JsonValue] | None = None

    @property
    def system(self) -> str:
        """Everything in system messages."""
        return "\n".join(message.content or "" for message in self.messages if message.role == "system")

    @property
    def text(self) -> str:
        """Everything outside system messages."""
        return "\n".join(message.content or "" for message in self.messages if message.role != "system")

    @property
    def rounds(self) -> int:
        """Tool results so far."""
        return sum(message.role == "tool" for message in self.messages)

    @property
    def passages(self) -> list[str]:
        """The text of every passage block, in order."""
        return [match[2] for match in _PASSAGE.finditer(self.text)]

    def tool(self, name: str) -> Function | None:
        """The tool on offer called `name`."""
        return next((tool.function for tool in self.tools if tool.function.name == name), None)
