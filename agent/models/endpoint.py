"""An OpenAI-compatible endpoint: one connection, made at the first call, and what operators are told when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from handrail.agent.models.wire import Answer, read_answer
from handrail.agent.ports import Listener

if TYPE_CHECKING:
    from openai import AsyncAPIResponse, AsyncOpenAI
    from openai.resources.chat.completions import AsyncCompletionsWithStreamingResponse


ParsedT = TypeVar("ParsedT")


class OpenAIEndpoint:
    """A model at an endpoint. Nothing is connected before the first call; one instance serves one event loop."""

    def __init__(self, *, model: str, base_url: str | None = None, key: SecretStr | None = None) -> None:
        self.model = model
        self._base_url = base_url
        self._key = key
        self._client: AsyncOpenAI | None = None

    @property
    def name(self) -> str:
        """The model's name, for the audit log."""
        return f"openai:{self.model}"

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    @property
    def completions(self) -> AsyncCompletionsWithStreamingResponse:
        """Where answers are asked for; each is read as it comes."""
        if self._client is None:
            self._client = _client(self._base_url, self._key)
        return self._client.chat.completions.with_streaming_response


async def read_response(response: AsyncAPIResponse[ParsedT], listener: Listener | None = None) -> Answer:
    """The answer, whether the server streams or not: some do without being asked, and some do not though asked.

    `listener` hears the text of one that is streamed.

    Raises:
        Unusable: it cannot be read, or is too long.
    """
    streamed = "json" not in response.headers.get("content-type", "")
    return await read_answer(response.iter_bytes(), streamed=streamed, listener=listener)


def _client(base_url: str | None, key: SecretStr | None) -> AsyncOpenAI:
    """A client that makes one attempt; retries are its caller's."""
    from openai import AsyncOpenAI

    # Without a key of its own the library would take one from the environment.
    return AsyncOpenAI(api_key=key.get_secret_value() if key is not None else "none", base_url=base_url, max_retries=0)


def told(error: Exception, setting: str, prefix: str) -> str:
    """One sentence for operators about a failed call, without the endpoint's words.

    `setting` is where the model is named; key and address stand under `prefix`.
    """
    from openai import APIConnectionError, APIStatusError

    if isinstance(error, APIStatusError):
        hints = {
            401: f"; check {prefix}_API_KEY",
            403: "; check what the key may do",
            404: f"; check {setting}",
        }
        return f"the model endpoint answered with status {error.status_code}{hints.get(error.status_code, '')}"
    if isinstance(error, APIConnectionError):
        return f"the model endpoint cannot be reached; check {prefix}_BASE_URL"
    return f"the call to the model failed ({type(error).__name__})"
