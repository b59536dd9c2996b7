"""How an MCP server is reached: settings of whoever runs Handrail, never of a bundle."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class McpServer(BaseModel):
    """A command to start, which speaks on its standard input and output, or an address (streamable HTTP).

    `env` are variables that the command gets beside a few harmless ones (PATH, HOME); `headers` go with every request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    env: dict[str, SecretStr] = {}
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")] | None = None
    headers: dict[str, SecretStr] = {}

    @model_validator(mode="after")
    def _one_way(self) -> McpServer:
        if bool(self.command) == (self.url is not None):
            raise ValueError("a server has either a command or a url")
        if self.env and not self.command:
            raise ValueError("env belongs to a command; a url has headers")
        if self.headers and self.url is None:
            raise ValueError("headers belong to a url; a command has env")
        return self
