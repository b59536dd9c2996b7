"""Requests for approval: asked once, decided once, used once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import Connection, Row, insert, select, update

from handrail.agent.conversation import Approval, ApprovalState, AuditEvent, ConversationState, EventKind
from handrail.agent.store.conversations import Place, find
from handrail.agent.store.people_tables import approvals
from handrail.agent.store.tables import conversations
from handrail.agent.store_port import StoreError, UnknownApproval
from handrail.guardrails.vocabulary import ToolCall

DECIDED = frozenset({ApprovalState.APPROVED, ApprovalState.DENIED, ApprovalState.EXPIRED})
"""What a pending request can be moved to."""

WITHDRAWN_BY = "the customer"
"""Who is recorded as having denied a request that was taken back."""


class Decided(NamedTuple):
    """A request after an attempt to decide it, with the event to be chained when the attempt changed it."""

    approval: Approval
    event: AuditEvent | None
    customer_id: str | None = None


class Ruling(NamedTuple):
    """What a request is moved to, by whom, when."""

    state: ApprovalState
    by: str
    at: datetime


class Edited(NamedTuple):
    """The call as it is approved instead of the one that was asked for."""

    call: ToolCall
    digest: str


def request(connection: Connection, place: Place, turn_id: str, approval: Approval) -> None:
    """Store a request; the same one twice (a turn that was run again) is stored once."""
    if approval.conversation_id != place.conversation_id or approval.state is not ApprovalState.PENDING:
        raise ValueError("a request for approval starts pending, in the conversation of its turn")
    if _row(connection, place.site, approval.approval_id) is not None:
        raise StoreError(f"there is a request for approval {approval.approval_id} already: use a new id")
    connection.execute(
        insert(approvals).values(
            site=place.site,
            approval_id=approval.approval_id,
            conversation_id=place.conversation_id,
            turn_id=turn_id,
            call=approval.call.model_dump_json(),
            digest=approval.digest,
            state=approval.state.value,
            queue=approval.queue,
            requested_at=approval.requested_at,
            expires_at=approval.expires_at,
            decided_by=approval.decided_by,
            decided_at=approval.decided_at,
        )
    )


def use(connection: Connection, place: Place, approval_id: str) -> None:
    """Mark an approved request as used. Raises StoreError when it is not approved (any more)."""
    used = connection.execute(
        update(approvals)
        .where(
            approvals.c.site == place.site,
            approvals.c.conversation_id == place.conversation_id,
            approvals.c.approval_id == approval_id,
            approvals.c.state == ApprovalState.APPROVED.value,
        )
        .values(state=ApprovalState.USED.value)
    )
    if used.rowcount != 1:
        raise StoreError(f"the approval {approval_id} is not open for use in this conversation")


def withdraw(connection: Connection, place: Place, approval_id: str, at: datetime) -> None:
    """Deny a pending request that the customer took back or replaced; one that was decided stays as it is."""
    connection.execute(
        update(approvals)
        .where(
            approvals.c.site == place.site,
            approvals.c.conversation_id == place.conversation_id,
            approvals.c.approval_id == approval_id,
            approvals.c.state == ApprovalState.PENDING.value,
        )
        .values(state=ApprovalState.DENIED.value, decided_by=WITHDRAWN_BY, decided_at=at)
    )


def one(connection: Connection, site: str, approval_id: str) -> Approval | None:
    """One request; None when there is none."""
    row = _row(connection, site, approval_id)
    return None if row is None else _approval(row)


def listed(connection: Connection, site: str, state: ApprovalState | None) -> tuple[Approval, ...]:
    """The requests of a site, oldest first."""
    statement = select(approvals).where(approvals.c.site == site)
    if state is not None:
        statement = statement.where(approvals.c.state == state.value)
    rows = connection.execute(statement.order_by(approvals.c.requested_at, approvals.c.approval_id))
    return tuple(_approval(row) for row in rows)


def undone(connection: Connection, site: str, before: datetime) -> tuple[Approval, ...]:
    """Decided requests of the last week, decided before an instant, whose conversation still waits for them."""
    rows = connection.execute(
        select(approvals, conversations.c.state.label("standing"))
        .join(
            conversations,
            (conversations.c.site == approvals.c.site)
            & (conversations.c.conversation_id == approvals.c.conversation_id),
        )
        .where(
            approvals.c.site == site,
            approvals.c.state.in_([state.value for state in DECIDED]),
            approvals.c.decided_at <= before,
            approvals.c.decided_at > before - timedelta(days=7),
            conversations.c.state.contains(approvals.c.approval_id),
        )
        .order_by(approvals.c.decided_at, approvals.c.approval_id)
    )
    return tuple(_approval(row) for row in rows if _awaits(row.standing, row.approval_id))


def _awaits(standing: str, approval_id: str) -> bool:
    pending = ConversationState.model_validate_json(standing).pending
    return pending is not None and pending.waits_for(approval_id)


def of_conversation(connection: Connection, place: Place) -> tuple[Approval, ...]:
    """The requests of one conversation, oldest first."""
    rows = connection.execute(
        select(approvals)
        .where(approvals.c.site == place.site, approvals.c.conversation_id == place.conversation_id)
        .order_by(approvals.c.requested_at, approvals.c.approval_id)
    )
    return tuple(_approval(row) for row in rows)


def decide(
    connection: Connection, site: str, approval_id: str, ruling: Ruling, edited: Edited | None = None
) -> Decided:
    """Decide a pending request; one that was decided before comes back unchanged and without an event.

    With `edited`, what is approved is that call of the same tool and no longer the one that was asked for.
    """
    if ruling.state not in DECIDED:
        raise ValueError(f"a request for approval cannot be moved to {ruling.state}")
    row = _row(connection, site, approval_id)
    if row is None:
        raise UnknownApproval("there is no such request for approval on this site")
    # Conversation first, as everywhere: two transactions that lock in one order never wait for each other in a circle.
    standing = find(connection, Place(site, row.conversation_id), lock=True)
    if edited is not None and edited.call.tool != _approval(row).call.tool:
        raise ValueError("an edit changes arguments, not the tool")
    # INVARIANT: nothing is approved after its time ran out, whoever was slow.
    late = ruling.state is ApprovalState.APPROVED and ruling.at >= row.expires_at
    reached = ApprovalState.EXPIRED if late else ruling.state
    values = {"state": reached.value, "decided_by": ruling.by, "decided_at": ruling.at}
    if edited is not None and not late:
        values |= {"call": edited.call.model_dump_json(), "digest": edited.digest}
    # The condition on the old state makes exactly one of two racing callers succeed.
    moved = connection.execute(
        update(approvals)
        .where(
            approvals.c.site == site,
            approvals.c.approval_id == approval_id,
            approvals.c.state == ApprovalState.PENDING.value,
        )
        .values(**values)
    )
    approval = one(connection, site, approval_id)
    if approval is None:
        raise UnknownApproval("there is no such request for approval on this site")
    if moved.rowcount != 1:
        return Decided(approval, None)
    payload: dict[str, JsonValue] = {
        "action": "approval" if edited is None else "approval_edited",
        "approval_id": approval_id,
        "tool": approval.call.tool,
        "digest": row.digest,
        "state": reached.value,
        "by": ruling.by,
    }
    if edited is not None:
        payload["edited_digest"] = edited.digest
    event = AuditEvent(kind=EventKind.OPERATOR_DECISION, turn_id=row.turn_id, at=ruling.at, payload=payload)
    return Decided(approval, event, standing.customer_id)


def _row(connection: Connection, site: str, approval_id: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(
        select(approvals).where(approvals.c.site == site, approvals.c.approval_id == approval_id)
    ).one_or_none()


def _approval(row: Row[tuple[object, ...]]) -> Approval:
    return Approval(
        approval_id=row.approval_id,
        conversation_id=row.conversation_id,
        call=ToolCall.model_validate_json(row.call),
        digest=row.digest,
        state=ApprovalState(row.state),
        queue=row.queue,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
