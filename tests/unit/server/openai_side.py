"""Requests and answers of the OpenAI-compatible endpoints, read strictly: an unknown field fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from pydantic import JsonValue

from handrail.agent.server.app import create_app
from handrail.agent.server.events import Wait
from handrail.agent.server.identity import Gate
from handrail.agent.server.openai_answers import Chunk, Completion
from handrail.agent.server.openai_errors import OpenAiError, OpenAiErrorBody
from handrail.agent.settings import Settings
from tests.unit.server.fake import FixedClock
from tests.unit.server.openai_fake import ChatService

CHAT = "/v1/chat/completions"
Headers = dict[str, str]


def bearer(gate: Gate) -> Headers:
    """A server's key, as OpenAI's clients send it."""
    return {"Authorization": f"Bearer {next(iter(gate.keys.server.values())).get_secret_value()}"}


@asynccontextmanager
async def opened(service: ChatService, settings: Settings, wait: Wait) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose seconds pass as `wait` says."""
    app = create_app(service, settings, FixedClock(), wait)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://handrail.test") as client:
        yield client


def body(*texts: JsonValue, **more: JsonValue) -> dict[str, JsonValue]:
    """A request whose transcript is what the customer said, the last of it now."""
    return {"model": "handrail", "messages": [{"role": "user", "content": text} for text in texts], **more}


async def asked(client: httpx.AsyncClient, headers: Headers, *texts: JsonValue, **more: JsonValue) -> Completion:
    """A whole answer."""
    answer = await client.post(CHAT, json=body(*texts, **more), headers=headers)
    assert answer.status_code == 200, answer.text
    return Completion.model_validate_json(answer.content)


def said(whole: Completion) -> str:
    """The text of an answer."""
    return whole.choices[0].message.content or ""


def failed(answer: httpx.Response) -> OpenAiError:
    """The error of an answer, which must have exactly OpenAI's fields."""
    assert answer.status_code >= 400, answer.text
    assert answer.headers["content-type"] == "application/json"
    return OpenAiErrorBody.model_validate_json(answer.content).error


def parts(stream: str) -> list[str]:
    """The blocks of a stream, which must all end properly."""
    assert stream.endswith("\n\n")
    return stream.removesuffix("\n\n").split("\n\n")


def chunks(stream: str) -> list[Chunk]:
    """The chunks of a whole stream; comments are left out."""
    told = [each for each in parts(stream) if not each.startswith(":")]
    assert told[-1] == "data: [DONE]"
    return [Chunk.model_validate(json.loads(each.removeprefix("data: "))) for each in told[:-1]]
