"""Errors of the HTTP API: one shape for all of them, with a code, what is wrong and what to do."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from handrail.agent.service import ApprovalNotPending, MessageTooLong
from handrail.agent.store_port import (
    ApprovalClosed,
    ConversationBusy,
    KeyReused,
    UnknownApproval,
    UnknownConversation,
)
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


def of_domain(error: HandrailError) -> Fault:
    """The answer for an error that the service raised."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, UnknownConversation):
        return unknown_conversation()
    if isinstance(error, KeyReused):
        return Fault(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "key_reused",
            "This Idempotency-Key was used before with another text.",
            "Use a new key for a new message, and the same key only to repeat a message unchanged.",
        )
    if isinstance(error, ConversationBusy):
        return Fault(
            HTTPStatus.CONFLICT,
            "busy",
            "Another message of this conversation is still being answered.",
            "Repeat the request with the same Idempotency-Key after the seconds in Retry-After.",
            BUSY_SECONDS,
        )
    if isinstance(error, MessageTooLong):
        return too_long()
    if isinstance(error, UnknownApproval):
        return unknown_approval()
    if isinstance(error, ApprovalClosed | ApprovalNotPending):
        return Fault(
            HTTPStatus.CONFLICT,
            "approval_closed",
            "This request for approval was decided before, or its time ran out.",
            "Read it again with GET /v1/approvals; a new decision needs a new request.",
        )
    return unavailable()


def unknown_approval() -> Fault:
    """No such request for approval."""
    return Fault(
        HTTPStatus.NOT_FOUND,
        "unknown_approval",
        "There is no such request for approval.",
        "GET /v1/approvals lists the requests.",
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


def of_validation(error: RequestValidationError) -> Fault:
    """The answer for a body, header or query of the wrong shape. What was sent is not repeated."""
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return malformed()
    problems = [f"{_place(each['loc'])}: {each['msg'].removeprefix('Value error, ')}" for each in found]
    return invalid(problems, "Compare the request with /openapi.json; a body needs `Content-Type: application/json`.")


def _place(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part)[:60] for part in location[1:]) or str(location[0])


def malformed() -> Fault:
    """A body that is not JSON."""
    return Fault(HTTPStatus.BAD_REQUEST, "malformed_json", "The body is not valid JSON.", "Send UTF-8 encoded JSON.")


def of_http(error: HTTPException) -> Fault:
    """The answer for what the router itself refuses: unknown paths and methods."""
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:
        return malformed()
    return Fault(status, status.name.lower(), f"{status.phrase}.", "The endpoints are listed at / and /openapi.json.")


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """What OpenAPI says of these statuses: they all answer with an `ErrorBody`."""
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in statuses}


async def answer_domain(_request: Request, error: Exception) -> JSONResponse:
    """Exception hook for errors that the service raises on purpose."""
    assert isinstance(error, HandrailError)  # noqa: S101 - registered for this type
    return of_domain(error).response()


async def answer_validation(_request: Request, error: Exception) -> JSONResponse:
    """Exception hook for requests of the wrong shape."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    return of_validation(error).response()


async def answer_http(_request: Request, error: Exception) -> JSONResponse:
    """Exception hook for the router's own refusals."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    return of_http(error).response()
