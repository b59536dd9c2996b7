"""Errors of the HTTP API: one shape for all of them, with a code, what is wrong and what to do."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.responses import JSONResponse
from pydantic import Field

from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import Frozen

BUSY_SECONDS = 2
"""When to try again after a 409 or a 503."""

_SHOWN = 20
"""Problems named in one answer; a body of garbage is not reflected in full."""


class ErrorView(Frozen):
    """What went wrong: a stable code for programs, a sentence, and what to do."""

    code: str = Field(examples=["unknown_conversation"])
    message: str = Field(examples=["There is no such conversation."])
    hint: str = Field(examples=["Open one with POST /v1/conversations."])


class ErrorBody(Frozen):
    """The body of every answer with a status of 400 or more."""

    error: ErrorView


class Fault(HandrailError):
    """An answer that is an error."""

    def __init__(self, status: HTTPStatus, code: str, message: str, hint: str, retry: int | None = None) -> None:
        self.status = status
        self.view = ErrorView(code=code, message=message, hint=hint)
        self.retry = retry
        super().__init__(f"{message} {hint}")

    def response(self) -> JSONResponse:
        """The fault as it is sent."""
        headers = {} if self.retry is None else {"retry-after": str(self.retry)}
        if self.status is HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse(ErrorBody(error=self.view).model_dump(), self.status, headers)


def invalid(problems: list[str], hint: str) -> Fault:
    """A request whose content cannot be used; names all its problems."""
    more = len(problems) - _SHOWN
    shown = problems[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return Fault(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", "; ".join(shown) + ".", hint)


def unknown_conversation() -> Fault:
    """The one answer for a conversation that does not exist and for one that belongs to somebody else."""
    return Fault(
        HTTPStatus.NOT_FOUND,
        "unknown_conversation",
        "There is no such conversation.",
        "Open one with POST /v1/conversations, and send the token or visitor key it was opened with.",
    )


def too_long(limit: int | None = None) -> Fault:
    """A message above the bundle's limit, in characters."""
    return Fault(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "message_too_long",
        f"The message is longer than {limit} characters." if limit else "The message is too long.",
        "Send it in parts, or ask for a person with POST /v1/conversations/{id}/handoff.",
    )


def internal() -> Fault:
    """A defect. The log has the details under the request id."""
    return Fault(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong on our side.",
        "Try again with the same Idempotency-Key; if it stays, report the X-Request-Id.",
    )


def unknown_file() -> Fault:
    """No such file in this conversation."""
    return Fault(
        HTTPStatus.NOT_FOUND,
        "unknown_file",
        "There is no such file in this conversation.",
        "The conversation's events tell the ids of its files.",
    )


def unknown_approval() -> Fault:
    """No such request for approval."""
    return Fault(
        HTTPStatus.NOT_FOUND,
        "unknown_approval",
        "There is no such request for approval.",
        "GET /v1/operator/approvals lists the requests.",
    )


def unavailable() -> Fault:
    """A dependency failed; the same request may be sent again."""
    return Fault(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "A part of the service is not available.",
        "Repeat the request with the same Idempotency-Key after the seconds in Retry-After.",
        BUSY_SECONDS,
    )


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """What OpenAPI says of these statuses: they all answer with an `ErrorBody`."""
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in statuses}
