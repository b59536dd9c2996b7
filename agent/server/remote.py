"""Reading what a server answers, in clients of ours: its answers are views, its refusals are faults."""

from __future__ import annotations

from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from handrail.agent.server.faults import ErrorBody, Fault
from handrail.guardrails.errors import HandrailError

ViewT = TypeVar("ViewT")


class TalkError(HandrailError):
    """The server cannot be reached, or is not one; the message says what to do."""


def unreachable(base: httpx.URL, error: httpx.HTTPError) -> TalkError:
    """Nothing answers there."""
    said = str(error) or type(error).__name__
    return TalkError(f"{base} does not answer ({said}). Is `handrail serve` running there?")


def read(answer: httpx.Response, view: type[ViewT]) -> ViewT:
    """The answer as `view`. Raises TalkError for what no server of ours says, Fault for what it refuses."""
    try:
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            return TypeAdapter(view).validate_json(answer.content)
        wrong = ErrorBody.model_validate_json(answer.content).error
    except ValidationError:
        where = answer.request.url.copy_with(path="/", query=None)
        raise TalkError(f"{where} is no Handrail server, or another version. Check the address.") from None
    raise Fault(HTTPStatus(answer.status_code), wrong.code, wrong.message, wrong.hint)
