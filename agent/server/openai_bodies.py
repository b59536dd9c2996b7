"""What OpenAI's clients send, and the little of it that is believed: the last user message, and which conversation.

Everything else of a request (earlier messages, system and tool messages, tools, sampling parameters) is read by nobody.
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from handrail.agent.server.bodies import MessageBody
from handrail.agent.server.faults import Fault

MODEL = "handrail"
"""The one model on offer."""

_INSTRUCTIONS = frozenset({"system", "developer"})


class _Sent(BaseModel):
    """Base of what is sent: clients add fields of their own, which are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ChatMessage(_Sent):
    """One message of the client's transcript. Only the last of a user is read; the server has its own history."""

    role: str = Field(examples=["user"])
    content: JsonValue = Field(default=None, examples=["I was charged twice for invoice INV-2041."])


class StreamOptions(_Sent):
    """How a stream ends."""

    include_usage: bool = False


class ChatRequest(_Sent):
    """A request for a chat completion, as OpenAI's clients write it."""

    model: str = Field(examples=[MODEL])
    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    metadata: dict[str, JsonValue] | None = Field(
        default=None,
        description="`conversation_id` names the conversation, unless X-Conversation-Id does.",
        examples=[{"conversation_id": "chat-17"}],
    )

    @property
    def counts(self) -> bool:
        """Whether a stream ends with a chunk about usage."""
        return self.stream_options is not None and self.stream_options.include_usage


def words(request: ChatRequest, limit: int) -> str:
    """What the customer says with this request: the text of the last message, which must be a user's.

    Raises:
        Fault: 400 when there is no such message, when it has parts other than text, or nothing to say; 413 when it has
            more than `limit` characters.
    """
    said = [each for each in request.messages if each.role not in _INSTRUCTIONS]
    if not said or said[-1].role != "user":
        raise refused(
            "no_user_message",
            "The last message is not a user's.",
            "End `messages` with what the customer says now; answers are kept here and are not continued.",
        )
    try:
        text = MessageBody(text=_text(said[-1].content)).text
    except ValidationError:
        raise refused(
            "no_text", "The last user message has no text.", "Send words; NUL characters are not taken."
        ) from None
    if len(text) > limit:
        raise Fault(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "message_too_long",
            f"The last user message is longer than {limit} characters.",
            "Send it in parts.",
        )
    return text


def refused(code: str, message: str, hint: str) -> Fault:
    """A request that cannot be answered."""
    return Fault(HTTPStatus.BAD_REQUEST, code, message, hint)


def _text(content: JsonValue) -> str:
    """The text of a message, written as one string or as parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(_part(part) for part in content)


def _part(part: JsonValue) -> str:
    if isinstance(part, dict) and part.get("type") == "text":
        text = part.get("text")
        if isinstance(text, str):
            return text
    raise refused(
        "content_unsupported",
        "The last user message has a part that is not text.",
        "Only text is read here. Files are attached with POST /v1/conversations/{id}/files.",
    )
