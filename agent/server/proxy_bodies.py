"""What applications send to the proxy: OpenAI's request, of which all that is passed on is named here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from handrail.agent.guest.proxied import Offered
from handrail.agent.guest.transcript import Sent, Transcript, Written
from handrail.agent.server.bodies import CUSTOMER_ID
from handrail.agent.server.openai_bodies import ChatRequest, refused

PASSED_ON = (
    "frequency_penalty",
    "logit_bias",
    "max_completion_tokens",
    "max_tokens",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "tool_choice",
    "top_p",
    "verbosity",
)
"""Parameters that the model gets as they are. None of them can make an answer that is not checked."""

Customer = Annotated[str, StringConstraints(pattern=CUSTOMER_ID)]


class Message(Written):
    """One message of the application's history."""

    role: Literal["system", "developer", "user", "assistant", "tool"] = Field(examples=["user"])


class ProxyRequest(ChatRequest):
    """A request for a chat completion. `user` is the customer's id, unless X-Customer-Id says it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    model: str = Field(examples=["gpt-5"], description="Not read: the model is the one that the settings name.")
    messages: tuple[Message, ...] = Field(min_length=1)  # type: ignore[assignment]
    tools: tuple[dict[str, JsonValue], ...] | None = None
    n: int | None = None
    user: Customer | None = None

    @property
    def transcript(self) -> Transcript:
        """The conversation."""
        return Transcript.of(self.messages)

    @property
    def offered(self) -> Offered:
        """What the model may be offered. Raises Fault (400) for what cannot be guarded."""
        if self.n not in (None, 1):
            raise refused("several_choices", "Only one choice can be asked for.", "Leave `n` out.")
        extra = self.model_extra or {}
        if extra.get("functions"):
            raise refused("tool_unsupported", "`functions` is not supported.", "Send them as `tools`.")
        options = {name: extra[name] for name in PASSED_ON if extra.get(name) is not None}
        return Offered(tools={_name(one): one for one in self.tools or ()}, options=options)


class _Function(Sent):
    name: str


class _Tool(Sent):
    type: Literal["function"]
    function: _Function


def _name(tool: dict[str, JsonValue]) -> str:
    """The name of a function tool. Others run at the model's endpoint, where no gate stands before them."""
    try:
        return _Tool.model_validate(tool).function.name
    except ValueError:
        raise refused(
            "tool_unsupported",
            "A tool is no function.",
            "Only tools of type `function` are passed on: others would run where nothing checks them.",
        ) from None
