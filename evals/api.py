"""Requests to a server's JSON API, with answers that are either what the API promises or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from handrail.guardrails.errors import HandrailError

REQUEST_SECONDS = 60.0

AnswerT = TypeVar("AnswerT")


class ServerAnswer(HandrailError):
    """The server answered with an error, with something that is not of its API, or with what its own log denies."""


@dataclass(frozen=True, slots=True)
class Api:
    """A server at the base address of `client`."""

    client: httpx.AsyncClient

    async def ask(
        self,
        answer: TypeAdapter[AnswerT],
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Mapping[str, object] | None = None,
    ) -> AnswerT:
        """One request; its answer, read. Raises ServerAnswer."""
        content = await self.send(method, path, headers, body)
        try:
            return answer.validate_json(content)
        except ValidationError as error:
            raise ServerAnswer(f"{method} {path} answered something that is not of the API: {error}") from error

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, object] | None = None
    ) -> bytes:
        """One request; the content of its answer. Raises ServerAnswer."""
        answer = await self.client.request(method, path, headers=dict(headers), json=body, timeout=REQUEST_SECONDS)
        if answer.is_error:
            raise ServerAnswer(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.content
