"""Routes for the people who take handoffs, after they have signed in: queue, cases, and what waits for approval."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from handrail.agent.case import CaseSummary
from handrail.agent.conversation import Approval, ApprovalState
from handrail.agent.server.asking import (
    ID,
    Address,
    Asking,
    ConversationId,
    OperatorToken,
    Repeatable,
    SignedIn,
    named,
    operator,
)
from handrail.agent.server.belongings import FileId, download
from handrail.agent.server.bodies import ApproveBody, EditBody, ReleaseBody, ReplyBody, ResolveBody, SignInBody
from handrail.agent.server.case_views import CaseView, SessionView
from handrail.agent.server.desk import Desk
from handrail.agent.server.faults import Fault, documented, unknown_approval, unknown_file
from handrail.agent.server.identity import bearer
from handrail.agent.server.views import DecidedView, MessageView
from handrail.agent.server.wire_examples import FILE_CONTENT
from handrail.agent.standing import WITH_PEOPLE
from handrail.guardrails.vocabulary import ConversationStatus, TurnResult

_PREFIX = "/v1/operator"

ApprovalId = Annotated[str, Path(pattern=ID, examples=["a_1"])]


async def sign_in(desk: Asking, address: Address, body: SignInBody) -> SessionView:
    """Sign in, for twelve hours. A wrong name and a wrong password get the same answer."""
    desk.rates.sign_in(body.name, address)
    session = await desk.service.operators.sign_in(body.name, body.password.get_secret_value())
    if session is None:
        raise Fault(
            HTTPStatus.UNAUTHORIZED,
            "sign_in_refused",
            "The name or the password is wrong, or the account is closed.",
            "Try again, or have the account looked at with `handrail operator list`.",
        )
    return SessionView(
        token=session.token,
        expires_at=session.expires_at,
        name=session.operator.name,
        display=session.operator.display,
    )


async def sign_out(desk: Asking, _operator: SignedIn, authorization: OperatorToken = None) -> None:
    """End the session whose token this is."""
    await desk.service.operators.sign_out(bearer(authorization) or "")


async def read_queue(
    desk: Asking,
    operator: SignedIn,
    status: Annotated[
        tuple[ConversationStatus, ...], Query(description="Repeatable; without it, those with people.")
    ] = (),
    queue: Annotated[str | None, Query(max_length=80, description="Only those of this queue.")] = None,
    mine: Annotated[bool, Query(description="Only those that the caller has.")] = False,
) -> tuple[CaseSummary, ...]:
    """Conversations that people look after, most urgent first, then oldest first; 200 at most."""
    holder = operator.name if mine else None
    return await desk.service.casework.queue(
        desk.site, statuses=frozenset(status) or WITH_PEOPLE, queue=queue, holder=holder
    )


async def read_case(desk: Asking, conversation_id: ConversationId) -> CaseView:
    """One conversation, whole: packet, messages, approvals, files, and the reasons of each turn."""
    return CaseView.of(await desk.service.casework.case(desk.site, conversation_id))


async def claim(desk: Asking, operator: SignedIn, conversation_id: ConversationId) -> CaseView:
    """Take a conversation, out of the queue or over from the machine. Of two who try, one gets it."""
    return CaseView.of(await desk.service.casework.claim(desk.site, conversation_id, operator))


async def reply(
    desk: Asking,
    operator: SignedIn,
    conversation_id: ConversationId,
    body: ReplyBody,
    response: Response,
    idempotency_key: Repeatable = None,
) -> MessageView:
    """Write to the customer. Only who has the conversation can; no output check reads a person's words."""
    key = named(idempotency_key)
    response.headers["idempotency-key"] = key
    return MessageView.of(await desk.service.casework.reply(desk.site, conversation_id, operator, body.text, key))


async def release(desk: Asking, operator: SignedIn, conversation_id: ConversationId, body: ReleaseBody) -> CaseView:
    """Give a conversation back to the machine, or to the queue for somebody else."""
    return CaseView.of(await desk.service.casework.release(desk.site, conversation_id, operator, body.to))


async def resolve(
    desk: Asking, operator: SignedIn, conversation_id: ConversationId, body: ResolveBody | None = None
) -> CaseView:
    """Close the matter; the customer is asked for a rating. A call that still waits for approval is denied."""
    note = None if body is None else body.note
    return CaseView.of(await desk.service.casework.resolve(desk.site, conversation_id, operator, note))


async def read_file(desk: Asking, conversation_id: ConversationId, file_id: FileId) -> Response:
    """A file that the customer attached, for saving."""
    found = await desk.service.casework.file(desk.site, conversation_id, file_id)
    if found is None:
        raise unknown_file()
    return download(found)


async def read_approvals(desk: Asking, state: ApprovalState | None = None) -> tuple[Approval, ...]:
    """Requests for a person's approval of one exact call, oldest first."""
    return await desk.service.store.approvals(desk.site, state)


async def approve(
    desk: Asking, operator: SignedIn, approval_id: ApprovalId, body: ApproveBody | None = None
) -> DecidedView:
    """Approve one exact call. It is decided again on fresh facts, and then runs, once, or waits for another person."""
    digest = None if body is None else body.digest
    turn = await desk.service.casework.approve(desk.site, approval_id, operator, digest)
    return await _decided(desk, approval_id, turn)


async def deny(desk: Asking, operator: SignedIn, approval_id: ApprovalId) -> DecidedView:
    """Deny one exact call; the customer is told."""
    return await _decided(desk, approval_id, await desk.service.casework.deny(desk.site, approval_id, operator))


async def edit(desk: Asking, operator: SignedIn, approval_id: ApprovalId, body: EditBody) -> DecidedView:
    """Approve a call with other arguments. It is checked again; where that is against the customer, they are asked."""
    turn = await desk.service.casework.edit(desk.site, approval_id, body.arguments, operator)
    return await _decided(desk, approval_id, turn)


async def _decided(desk: Desk, approval_id: str, turn: TurnResult) -> DecidedView:
    approval = await desk.service.store.approval(desk.site, approval_id)
    if approval is None:
        raise unknown_approval()
    return DecidedView(approval=approval, turn=await desk.turn(approval.conversation_id, turn, debug=True))


def router() -> APIRouter:
    """The routes of this module. INVARIANT: only signing in needs no session."""
    routes = APIRouter(tags=["operators"], responses=documented(401, 403, 422, 503))
    routes.add_api_route(f"{_PREFIX}/session", sign_in, methods=["POST"], responses=documented(429))
    signed_in = APIRouter(prefix=_PREFIX, dependencies=[Depends(operator)])
    add = signed_in.add_api_route
    case, approval = "/conversations/{conversation_id}", "/approvals/{approval_id}"
    one, move = documented(404), documented(404, 409)
    add("/session", sign_out, methods=["DELETE"], status_code=204)
    add("/queue", read_queue, methods=["GET"])
    add(case, read_case, methods=["GET"], responses=one)
    add(f"{case}/claim", claim, methods=["POST"], responses=move)
    add(f"{case}/messages", reply, methods=["POST"], status_code=201, responses={**move, **documented(413)})
    add(f"{case}/release", release, methods=["POST"], responses=move)
    add(f"{case}/resolve", resolve, methods=["POST"], responses={**move, **documented(413)})
    add(
        f"{case}/files/{{file_id}}",
        read_file,
        methods=["GET"],
        response_class=Response,
        responses={**one, **FILE_CONTENT},
    )
    add("/approvals", read_approvals, methods=["GET"])
    add(f"{approval}/approve", approve, methods=["POST"], responses=move)
    add(f"{approval}/deny", deny, methods=["POST"], responses=move)
    add(f"{approval}/edit", edit, methods=["POST"], responses=move)
    routes.include_router(signed_in)
    return routes
