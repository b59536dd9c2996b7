"""Errors of the OpenAI-compatible endpoints in OpenAI's form, whichever layer of the application they come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import ValidationError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.agent.server.faults import ErrorBody, ErrorView
from handrail.agent.server.openai_examples import ERROR
from handrail.guardrails.vocabulary import Frozen

PATHS = ("/v1/models", "/v1/chat", "/proxy/v1")

_TYPES: Mapping[HTTPStatus, str] = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}
_PLACES: Mapping[str, str] = {
    "model_not_found": "model",
    "no_user_message": "messages",
    "no_text": "messages",
    "content_unsupported": "messages",
    "message_too_long": "messages",
    "tool_unsupported": "tools",
    "several_choices": "n",
    "customers_differ": "user",
}
"""The parameter of the request that an error code is about."""


class OpenAiError(Frozen):
    """What went wrong. `message` ends with what to do, `param` names the parameter it is about."""

    message: str
    type: str
    param: str | None = None
    code: str


class OpenAiErrorBody(Frozen):
    """The body of every answer with a status of 400 or more."""

    error: OpenAiError


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """What OpenAPI says of these statuses and of all other errors: they answer with an `OpenAiErrorBody`."""
    shape = {"model": OpenAiErrorBody, "content": {"application/json": {"example": ERROR}}}
    phrases = {each: HTTPStatus(each).phrase for each in statuses} | {"default": "Any other error"}
    return {status: {**shape, "description": phrase} for status, phrase in phrases.items()}


def told(status: int, view: ErrorView) -> OpenAiErrorBody:
    """One of our errors as OpenAI writes it."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    error = OpenAiError(
        message=f"{view.message} {view.hint}",
        type=_TYPES.get(HTTPStatus(status), kind),
        param=_PLACES.get(view.code),
        code=view.code,
    )
    return OpenAiErrorBody(error=error)


class OpenAiErrors:
    """Rewrites the errors of some paths. A layer, because not every error comes from a route: sizes, methods, crashes.

    OpenAI's clients know 400 for a request of the wrong shape, where the native API says 422.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _ours(scope["path"]):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Rewriting(scope, receive, send).send)


def _ours(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in PATHS)


class _Rewriting:
    """One answer on its way out: an error is held until its body is whole, anything else passes."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._held: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Pass a message on, or hold it."""
        if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
            self._held = message
        elif self._held is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._rewritten(self._held)

    async def _rewritten(self, held: Message) -> None:
        kept = {name.decode("latin-1"): content.decode("latin-1") for name, content in held["headers"]}
        for name in ("content-length", "content-type"):
            kept.pop(name, None)
        status = held["status"]
        status = HTTPStatus.BAD_REQUEST if status == HTTPStatus.UNPROCESSABLE_ENTITY else status
        response = JSONResponse(told(status, _view(status, self._body)).model_dump(), status, kept)
        await response(self._scope, self._receive, self._send)


def _view(status: int, body: bytes) -> ErrorView:
    try:
        return ErrorBody.model_validate(json.loads(body)).error
    except (ValueError, ValidationError):
        phrase = HTTPStatus(status).phrase
        return ErrorView(code=phrase.lower().replace(" ", "_"), message=f"{phrase}.", hint="See /openapi.json.")
