"""What the service refuses, as answers: one fault for each kind of error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    ApprovalChanged,
    ApprovalClosed,
    ApproverBarred,
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


@dataclass(frozen=True, slots=True)
class _Refusal:
    """How an error is answered. Without a `message`, the error's own words are it."""

    status: HTTPStatus
    code: str
    hint: str
    message: str | None = None
    retry: int | None = None

    def fault(self, error: HandrailError) -> Fault:
        """The answer to this very error."""
        said = str(error)
        words = self.message or f"{said[:1].upper()}{said[1:].rstrip('.')}."
        return Fault(self.status, self.code, words, self.hint, self.retry)


def _unfit(error: HandrailError) -> Fault:
    return invalid([str(error).rstrip(".")], "Compare the request with /openapi.json.")


_ANSWERS: tuple[tuple[type[HandrailError], Callable[[HandrailError], Fault]], ...] = (
    (UnknownConversation, lambda _: unknown_conversation()),
    (UnknownApproval, lambda _: unknown_approval()),
    (MessageTooLong, lambda _: too_long()),
    (MessageEmpty, _unfit),
    (PurposeUnknown, _unfit),
    (
        ApprovalClosed,
        _Refusal(
            HTTPStatus.CONFLICT,
            "approval_closed",
            "Read it again with GET /v1/operator/approvals; a new decision needs a new request.",
            "This request for approval was decided before, or its time ran out.",
        ).fault,
    ),
    (
        ApproverBarred,
        _Refusal(
            HTTPStatus.CONFLICT,
            "approver_barred",
            "Leave it to somebody else, or deny it: what waits is whether another person agrees.",
        ).fault,
    ),
    (
        ApprovalChanged,
        _Refusal(
            HTTPStatus.CONFLICT,
            "approval_changed",
            "Read it again with GET /v1/operator/approvals, and approve it with the digest of what you have seen.",
        ).fault,
    ),
    (
        KeyReused,
        _Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "key_reused",
            "Use a new key for a new message, and the same key only to repeat a message unchanged.",
            "This Idempotency-Key was used before with another text.",
        ).fault,
    ),
    (
        ConversationBusy,
        _Refusal(
            HTTPStatus.CONFLICT,
            "busy",
            "Repeat the request with the same Idempotency-Key after the seconds in Retry-After.",
            "Another message of this conversation is still being answered.",
            BUSY_SECONDS,
        ).fault,
    ),
    (
        NotHolder,
        _Refusal(
            HTTPStatus.CONFLICT,
            "not_holder",
            "Claim it first with POST /v1/operator/conversations/{id}/claim.",
            "You do not have this conversation.",
        ).fault,
    ),
    (
        WrongStatus,
        _Refusal(
            HTTPStatus.CONFLICT,
            "wrong_status",
            "Read the conversation again; its status tells what can be done with it.",
        ).fault,
    ),
    (
        TooManyFiles,
        _Refusal(
            HTTPStatus.CONFLICT,
            "too_many_files",
            "Describe what is in the file, or ask for a person.",
            "The conversation holds as many files as it may.",
        ).fault,
    ),
    (
        FileRefused,
        _Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "file_refused",
            "Send a PNG, JPEG, WebP, GIF, PDF or plain text file.",
        ).fault,
    ),
    (
        RatingRefused,
        _Refusal(
            HTTPStatus.CONFLICT,
            "rating_refused",
            "Rate a conversation in which something has been said, from 1 to 5.",
        ).fault,
    ),
)
"""The errors that the service raises on purpose, with their answers."""


def of_domain(error: HandrailError) -> Fault:
    """The answer for an error that the service raised; what is not named here counts as an outage."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, CaseTaken):
        hint = "Take another one, or ask them to release it."
        return Fault(HTTPStatus.CONFLICT, "case_taken", f"{error.holder} has this conversation.", hint)
    if isinstance(error, ArgumentsInvalid):
        hint = "Nothing was changed; the tool's declaration says what each argument may be."
        found = invalid(list(error.problems), hint)
        return Fault(found.status, "arguments_invalid", found.view.message, found.view.hint)
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer(error)
    return unavailable()
