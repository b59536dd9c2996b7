"""Decisions of people about requests for approval: who may decide what, and what is written down of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import Connection

from handrail.agent.conversation import (
    Approval,
    ApprovalState,
    Assent,
    AuditEvent,
    ConversationState,
    EventKind,
)
from handrail.agent.store.approvals import DECIDED, change, one, turn_of
from handrail.agent.store.conversations import Place, find
from handrail.agent.store_port import ApprovalChanged, ApproverBarred, UnknownApproval
from handrail.guardrails.vocabulary import ToolCall


class Decided(NamedTuple):
    """A request after an attempt to decide it, with the event to be chained when the attempt changed it."""

    approval: Approval
    event: AuditEvent | None
    customer_id: str | None = None


class Ruling(NamedTuple):
    """What a request is moved to, by whom, when. `digest` is of the call that an approver has seen, if they say."""

    state: ApprovalState
    by: str
    at: datetime
    digest: str | None = None


class Edited(NamedTuple):
    """The call as it is approved instead of the one that was asked for."""

    call: ToolCall
    digest: str


def decide(
    connection: Connection, site: str, approval_id: str, ruling: Ruling, edited: Edited | None = None
) -> Decided:
    """Decide a pending request; one that was decided before comes back unchanged and without an event.

    With `edited`, what is approved is that call of the same tool and no longer the one that was asked for. A request
    whose approval has not been carried out yet takes another person's approval too.
    """
    if ruling.state not in DECIDED:
        raise ValueError(f"a request for approval cannot be moved to {ruling.state}")
    asked = _existing(connection, site, approval_id)
    # Conversation first, as everywhere: two transactions that lock in one order never wait for each other in a circle.
    standing = find(connection, Place(site, asked.conversation_id), lock=True)
    held = _existing(connection, site, approval_id)
    if edited is not None and edited.call.tool != held.call.tool:
        raise ValueError("an edit changes arguments, not the tool")
    if held.state is not ApprovalState.PENDING and not _joins(held, ruling, edited, standing.state):
        return Decided(held, None)
    # INVARIANT: nothing is approved after its time ran out, whoever was slow.
    late = ruling.state is ApprovalState.APPROVED and ruling.at >= held.expires_at
    reached = ApprovalState.EXPIRED if late else ruling.state
    after = held.model_copy(update={"state": reached, "decided_by": ruling.by, "decided_at": ruling.at})
    if reached is ApprovalState.APPROVED:
        _may_approve(held, ruling, edited)
        after = _approved(after, ruling, edited)
    change(connection, site, after)
    payload = _payload(held, after, ruling, edited)
    turn_id = turn_of(connection, site, approval_id)
    event = AuditEvent(kind=EventKind.OPERATOR_DECISION, turn_id=turn_id, at=ruling.at, payload=payload)
    return Decided(after, event, standing.customer_id)


def _existing(connection: Connection, site: str, approval_id: str) -> Approval:
    found = one(connection, site, approval_id)
    if found is None:
        raise UnknownApproval("there is no such request for approval on this site")
    return found


def _joins(held: Approval, ruling: Ruling, edited: Edited | None, standing: str) -> bool:
    """Whether this is one more person's approval of a call whose approval nobody has carried out yet.

    Of two who approve at once, neither's word is lost. An edit under way is another call than the one they saw.
    """
    if edited is not None or held.state is not ApprovalState.APPROVED or ruling.state is not ApprovalState.APPROVED:
        return False
    if ruling.at >= held.expires_at:
        return False
    pending = ConversationState.model_validate_json(standing).pending
    waits = pending is not None and pending.waits_for(held.approval_id) and pending.digest == held.digest
    return waits and ruling.by not in held.approvers


def _may_approve(held: Approval, ruling: Ruling, edited: Edited | None) -> None:
    """INVARIANT: as many approvals as a call has, so many different people saw it and said yes; none proposed it."""
    if ruling.by in held.proposers:
        raise ApproverBarred(f"{ruling.by} wrote the message that this call came of: somebody else has to approve it")
    if edited is None and ruling.by in held.approvers:
        raise ApproverBarred(f"{ruling.by} has approved this call already: it takes another person")
    seen = held.digest if ruling.digest is None and not held.edited else ruling.digest
    if edited is None and seen != held.digest:
        raise ApprovalChanged("the call was changed since it was asked for: look at it again, and name its digest")


def _approved(after: Approval, ruling: Ruling, edited: Edited | None) -> Approval:
    if edited is not None:
        after = after.model_copy(update={"call": edited.call, "digest": edited.digest})
    assent = Assent(by=ruling.by, digest=after.digest, at=ruling.at, edited=edited is not None)
    return after.model_copy(update={"assents": (*after.assents, assent)})


def _payload(held: Approval, after: Approval, ruling: Ruling, edited: Edited | None) -> dict[str, JsonValue]:
    payload: dict[str, JsonValue] = {
        "action": "approval" if edited is None else "approval_edited",
        "approval_id": held.approval_id,
        "tool": held.call.tool,
        "digest": held.digest,
        "state": after.state.value,
        "by": ruling.by,
        "approvers": [*after.approvers],
    }
    if edited is not None:
        payload["edited_digest"] = edited.digest
    return payload
