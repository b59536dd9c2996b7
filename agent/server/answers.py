"""Hooks of the application that turn every exception into an answer of the one shape."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from handrail.agent.server.faults import Fault, invalid
from handrail.agent.server.refusals import of_domain
from handrail.guardrails.errors import HandrailError


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
