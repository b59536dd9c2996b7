"""What the service refuses, as answers: one fault for each kind of error."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from handrail.agent.refusals import (
    ArgumentsInvalid,
    FileRefused,
    MessageEmpty,
    MessageTooLong,
    PurposeUnknown,
    RatingRefused,
)
from handrail.agent.server.faults import (
    BUSY_SECONDS,
    Fault,
    invalid,
    too_long,
    unavailable,
    unknown_approval,
    unknown_conversation,
)
from handrail.agent.store_port import (
    ApprovalClosed,
    CaseTaken,
    ConversationBusy,
    KeyReused,
    NotHolder,
    TooManyFiles,
    UnknownApproval,
    UnknownConversation,
    WrongStatus,
)
from handrail.guardrails.errors import HandrailError


def _key_reused(_said: str) -> Fault:
    return Fault(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "key_reused",
        "This Idempotency-Key was used before with another text.",
        "Use a new key for a new message, and the same key only to repeat a message unchanged.",
    )


def _busy(_said: str) -> Fault:
    return Fault(
        HTTPStatus.CONFLICT,
        "busy",
        "Another message of this conversation is still being answered.",
        "Repeat the request with the same Idempotency-Key after the seconds in Retry-After.",
        BUSY_SECONDS,
    )


def _approval_closed(_said: str) -> Fault:
    return Fault(
        HTTPStatus.CONFLICT,
        "approval_closed",
        "This request for approval was decided before, or its time ran out.",
        "Read it again with GET /v1/operator/approvals; a new decision needs a new request.",
    )


def _case_taken(holder: str) -> Fault:
    return Fault(
        HTTPStatus.CONFLICT,
        "case_taken",
        f"{holder} has this conversation.",
        "Take another one, or ask them to release it.",
    )


def _not_holder(_said: str) -> Fault:
    return Fault(
        HTTPStatus.CONFLICT,
        "not_holder",
        "You do not have this conversation.",
        "Claim it first with POST /v1/operator/conversations/{id}/claim.",
    )


def _wrong_status(said: str) -> Fault:
    return Fault(
        HTTPStatus.CONFLICT,
        "wrong_status",
        f"{said[:1].upper()}{said[1:].rstrip('.')}.",
        "Read the conversation again; its status tells what can be done with it.",
    )


def _arguments_invalid(problems: tuple[str, ...]) -> Fault:
    fault = invalid(list(problems), "Nothing was changed; the tool's declaration says what each argument may be.")
    return Fault(fault.status, "arguments_invalid", fault.view.message, fault.view.hint)


def _too_many_files(_said: str) -> Fault:
    return Fault(
        HTTPStatus.CONFLICT,
        "too_many_files",
        "The conversation holds as many files as it may.",
        "Describe what is in the file, or ask for a person.",
    )


def _file_refused(said: str) -> Fault:
    return Fault(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "file_refused",
        f"{said[:1].upper()}{said[1:].rstrip('.')}.",
        "Send a PNG, JPEG, WebP, GIF, PDF or plain text file.",
    )


def _rating_refused(said: str) -> Fault:
    return Fault(
        HTTPStatus.CONFLICT,
        "rating_refused",
        f"{said[:1].upper()}{said[1:].rstrip('.')}.",
        "Rate a conversation in which something has been said, from 1 to 5.",
    )


def _unfit(said: str) -> Fault:
    return invalid([said.rstrip(".")], "Compare the request with /openapi.json.")


_ANSWERS: tuple[tuple[type[HandrailError], Callable[[str], Fault]], ...] = (
    (UnknownConversation, lambda _: unknown_conversation()),
    (UnknownApproval, lambda _: unknown_approval()),
    (ApprovalClosed, _approval_closed),
    (KeyReused, _key_reused),
    (ConversationBusy, _busy),
    (NotHolder, _not_holder),
    (WrongStatus, _wrong_status),
    (TooManyFiles, _too_many_files),
    (MessageTooLong, lambda _: too_long()),
    (MessageEmpty, _unfit),
    (RatingRefused, _rating_refused),
    (FileRefused, _file_refused),
    (PurposeUnknown, _unfit),
)
"""The errors that the service raises on purpose, with their answers."""


def of_domain(error: HandrailError) -> Fault:
    """The answer for an error that the service raised; what is not named here counts as an outage."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, CaseTaken):
        return _case_taken(error.holder)
    if isinstance(error, ArgumentsInvalid):
        return _arguments_invalid(error.problems)
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer(str(error))
    return unavailable()
