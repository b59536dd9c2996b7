"""`OpenAIModel`: any OpenAI-compatible endpoint, with retries inside the time left and limits on what it reads."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from handrail.agent.models.endpoint import OpenAIEndpoint, read_response, told
from handrail.agent.models.overlap import rests_on
from handrail.agent.models.retrying import StopBefore, Wait, may_pass
from handrail.agent.models.wire import Answer
from handrail.agent.ports import Listener, PortError, Prompt, Relayed
from handrail.guardrails.vocabulary import Draft

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, as it goes over the wire."""

    messages: list[ChatCompletionMessageParam]
    tools: list[ChatCompletionToolParam]
    options: dict[str, JsonValue] = field(default_factory=dict)


class OpenAIModel(OpenAIEndpoint):
    """Writes drafts through an OpenAI-compatible endpoint.

    One instance serves one event loop. `complete` retries overload, server errors, broken connections and broken
    answers, and never takes longer than the seconds it is given.
    """

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """A draft within `seconds`, or PortError without the endpoint's words and without the key.

        Once something that `listener` heard has left, there is no other attempt.
        """
        from handrail.agent.models.messages import wire_messages, wire_tools

        messages, tools = wire_messages(prompt), wire_tools(prompt)
        answer = await self._answer(_Question(messages, tools), seconds, listener)
        return Draft(
            text=answer.text.strip(),
            calls=answer.calls(),
            cites=rests_on(answer.text, prompt.passages),
            author=f"model:{self.name}",
        )

    async def relay(self, asked: Relayed, seconds: float) -> Draft:
        """The same for what an application asks, at once. Implements `Upstream`."""
        messages = cast("list[ChatCompletionMessageParam]", list(asked.messages))
        tools = cast("list[ChatCompletionToolParam]", list(asked.tools))
        answer = await self._answer(_Question(messages, tools, asked.options), seconds)
        return Draft(text=answer.text.strip(), calls=answer.calls(), author=f"model:{self.name}")

    async def _answer(self, question: _Question, seconds: float, listener: Listener | None = None) -> Answer:
        deadline = time.monotonic() + seconds
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: may_pass(error) and (listener is None or listener.forget())),
            stop=stop_after_attempt(ATTEMPTS) | StopBefore(deadline),
            wait=Wait(),
            reraise=True,
        )
        try:
            async with asyncio.timeout(seconds):
                answer: Answer = await retrying(self._ask, question, listener)
                return answer
        except TimeoutError:
            raise PortError(f"the model did not answer within {seconds:g} seconds") from None
        except PortError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is a fault of this port
            # `from None`: an endpoint's error text can repeat the key.
            raise PortError(told(error, "HANDRAIL_MODEL", "HANDRAIL_MODEL")) from None

    async def _ask(self, question: _Question, listener: Listener | None) -> Answer:
        from openai import omit

        async with self.completions.create(
            model=self.model,
            messages=question.messages,
            tools=question.tools or omit,
            stream=True,
            extra_body=question.options or None,
        ) as response:
            answer = await read_response(response, listener)
            # Arguments that are not JSON have to fail here, where another attempt is possible.
            answer.calls()
            return answer
