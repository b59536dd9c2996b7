"""Requests for approval: asked once, decided once, used once."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, update

from handrail.agent.conversation import Approval, ApprovalState, Assent, ConversationState, Reopened
from handrail.agent.store.conversations import Place
from handrail.agent.store.people_tables import approvals
from handrail.agent.store.tables import conversations
from handrail.agent.store_port import StoreError, UnknownApproval
from handrail.guardrails.vocabulary import ToolCall

DECIDED = frozenset({ApprovalState.APPROVED, ApprovalState.DENIED, ApprovalState.EXPIRED})
"""What a pending request can be moved to."""

_ASSENTS: TypeAdapter[tuple[Assent, ...]] = TypeAdapter(tuple[Assent, ...])
_NAMES: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])

WITHDRAWN_BY = "the customer"
"""Who is recorded as having denied a request that was taken back."""


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
            assents=_ASSENTS.dump_json(approval.assents).decode(),
            proposers=_NAMES.dump_json(approval.proposers).decode(),
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


def reopen(connection: Connection, place: Place, reopened: Reopened) -> None:
    """Put an approved request back into the queue, for one more person. Raises StoreError when it is not approved.

    Where somebody has approved since the decision was made, it stays approved: the turn of that approval comes next.
    """
    held = one(connection, place.site, reopened.approval_id)
    if held is None or held.conversation_id != place.conversation_id or held.state is not ApprovalState.APPROVED:
        raise StoreError(f"the approval {reopened.approval_id} is not open for another one in this conversation")
    if len(held.approvers) > reopened.approvals:
        return
    again = {"state": ApprovalState.PENDING, "decided_by": None, "decided_at": None}
    change(connection, place.site, held.model_copy(update=again))


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


def change(connection: Connection, site: str, approval: Approval) -> None:
    """Store what became of a request. The caller has locked its conversation."""
    connection.execute(
        update(approvals)
        .where(approvals.c.site == site, approvals.c.approval_id == approval.approval_id)
        .values(
            state=approval.state.value,
            decided_by=approval.decided_by,
            decided_at=approval.decided_at,
            call=approval.call.model_dump_json(),
            digest=approval.digest,
            assents=_ASSENTS.dump_json(approval.assents).decode(),
        )
    )


def turn_of(connection: Connection, site: str, approval_id: str) -> str:
    """The turn that asked for approval. Raises UnknownApproval."""
    row = _row(connection, site, approval_id)
    if row is None:
        raise UnknownApproval("there is no such request for approval on this site")
    return str(row.turn_id)


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
        assents=_ASSENTS.validate_json(row.assents),
        proposers=_NAMES.validate_json(row.proposers),
    )
