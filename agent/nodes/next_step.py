"""Asks for the next step of a call that is not allowed yet: a code, a yes, or a person's approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from handrail.agent.channels import DETECTION, POLICY, SNAPSHOT, TURN, View
from handrail.agent.conversation import Approval, ApprovalState, PendingCall, Reopened
from handrail.agent.facts import identity_now
from handrail.agent.nodes.agreement import Agreement
from handrail.agent.nodes.deciding import Weighed
from handrail.agent.room import Room, bounded, faults_as, sensible
from handrail.agent.waiting import minutes_in_words
from handrail.guardrails.vocabulary import Obligation

ORDER = (Obligation.VERIFY_IDENTITY, Obligation.CONFIRM, Obligation.APPROVE)
"""The steps one after the other: who you are, what you want, whether a person agrees."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question to the customer and what waits for its answer."""

    text: str
    pending: PendingCall
    approval: Approval | None = None
    reopened: Reopened | None = None
    quick_replies: tuple[str, ...] = ()


async def ask_next_step(weighed: Weighed, view: View, room: Room, agreement: Agreement | None) -> Asked:
    """The first outstanding step. A not_yet without a known step is a rule's mistake and raises LookupError."""
    step = next((step for step in ORDER if step in weighed.decision.obligations), None)
    if step is None:
        raise LookupError("the decision is not_yet, but names no step that a customer or a person can take")
    turn, state = view[TURN], view[SNAPSHOT].state
    limits = room.bundle.manifest.limits
    level = agreement.identity if agreement is not None and agreement.identity else identity_now(turn, state)
    pending = PendingCall(
        call=weighed.call,
        digest=weighed.digest,
        awaiting=step,
        asked_turn=state.turns + 1,
        expires_at=turn.at + timedelta(minutes=limits.confirmation_minutes),
        confirmed=agreement is not None and agreement.confirmed,
        identity=level,
        approval_id=agreement.approval_id if agreement is not None else None,
        # Asked to agree to the edited call, the customer's yes will be about that one alone.
        before=agreement.before if agreement is not None and step is not Obligation.CONFIRM else (),
        proposers=agreement.proposers if agreement is not None else view[SNAPSHOT].wrote,
    )
    if agreement is not None and agreement.approval_id is not None and state.pending is not None:
        # What a colleague approved waits as long as the approval holds: the customer may be away by now.
        pending = pending.model_copy(update={"expires_at": state.pending.expires_at})
    if step is Obligation.VERIFY_IDENTITY:
        return await _code(view, room, pending)
    if step is Obligation.CONFIRM:
        language = view[DETECTION].language
        text = room.bundle.text("confirm", language, question=weighed.question(language))
        return Asked(text, pending, quick_replies=("Yes", "No"))
    if pending.approval_id is not None and weighed.approvals:
        return _another(pending.approval_id, weighed, view, room, pending)
    return _approval(weighed, view, room, pending)


async def _code(view: View, room: Room, pending: PendingCall) -> Asked:
    turn = view[TURN]
    with faults_as("SYS_STEP_UP"):
        answer = await bounded(room.step_up.start(turn.customer_id or "", turn.turn_id), room.patience.tool)
        address = sensible(answer, str, "step-up")
        if not address:
            raise ValueError("step-up did not say where the code went")
    return Asked(room.bundle.text("ask_code", view[DETECTION].language, address=address), pending)


def _another(approval_id: str, weighed: Weighed, view: View, room: Room, pending: PendingCall) -> Asked:
    """Puts a request that somebody has approved back into the queue, for another person, until it expires."""
    language = view[DETECTION].language
    text = room.bundle.text("approval_another", language, question=weighed.question(language))
    return Asked(text, pending, reopened=Reopened(approval_id=approval_id, approvals=weighed.approvals))


def _approval(weighed: Weighed, view: View, room: Room, pending: PendingCall) -> Asked:
    """Puts the request into the queue; the conversation waits, no graph does."""
    turn, language = view[TURN], view[DETECTION].language
    bundle = room.bundle
    name = view[POLICY].dimensions.queue or bundle.manifest.default_queue
    expires = turn.at + timedelta(hours=bundle.manifest.limits.approval_hours)
    approval = Approval(
        # The same turn run again asks for the same approval, not for a second one.
        approval_id=uuid5(NAMESPACE_URL, f"{turn.turn_id}:{weighed.digest}").hex,
        conversation_id=turn.conversation_id,
        call=weighed.call,
        digest=weighed.digest,
        state=ApprovalState.PENDING,
        queue=name,
        requested_at=turn.at,
        expires_at=expires,
        proposers=pending.proposers,
    )
    minutes = view[POLICY].dimensions.first_response_minutes or bundle.queues[name].first_response_minutes
    text = bundle.text(
        "approval_requested", language, question=weighed.question(language), minutes=minutes_in_words(minutes)
    )
    waiting = pending.model_copy(update={"approval_id": approval.approval_id, "expires_at": expires})
    return Asked(text, waiting, approval)
