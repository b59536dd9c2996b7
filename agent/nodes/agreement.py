"""What a customer or an operator agreed to: the exact call that may now be decided again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import JsonValue

from handrail.agent.channels import (
    ANSWERED,
    CAUSE,
    DETECTION,
    PENDING,
    PLACE,
    SNAPSHOT,
    TURN,
    VERIFIED_UNTIL,
    WITHDRAWN,
    View,
)
from handrail.agent.conversation import Approval, ApprovalState, PendingCall
from handrail.agent.nodes.apply_policy import code_in
from handrail.agent.room import Room, bounded, faults_as, sensible
from handrail.agent.turns import Answered
from handrail.guardrails.gate.canonical import digest
from handrail.guardrails.vocabulary import IdentityLevel, Obligation, ToolCall

if TYPE_CHECKING:
    from handrail.agent.nodes.authorize_tools import Progress

CODE_TRIES = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """A pending call with what has been agreed about it. INVARIANT: `call` is what was asked about, to the letter.

    `before` are the calls that the customer knows of, where an operator changed the call while approving and nobody has
    agreed to the change: first the one that the customer asked for, then those of earlier edits. `proposers` are the
    operators whose messages the call came of.
    """

    call: ToolCall
    digest: str
    confirmed: bool
    approval_id: str | None
    identity: IdentityLevel | None = None
    before: tuple[ToolCall, ...] = ()
    proposers: tuple[str, ...] = ()


async def agreement_of(view: View, room: Room, progress: Progress) -> Agreement | None:
    """The agreement that this turn brings; None when it brings none (and then perhaps words for the customer)."""
    answer = view.get(ANSWERED, Answered.NOTHING)
    pending = view[SNAPSHOT].state.pending
    language = view[DETECTION].language
    if answer is Answered.DECISION and (pending is None or await _settled(pending, view, room)):
        # INVARIANT: an operator's decision is about the call it names, never about another one that waits by now. The
        # customer has been told how that one ended; a decision that came twice tells them nothing.
        progress.report("APPROVAL_SETTLED")
        progress.hush()
        return None
    if pending is None or answer is Answered.NOTHING:
        return None
    if answer is Answered.CODE:
        return await _code(view, room, progress, pending)
    if answer is Answered.YES:
        progress.report("CONFIRMATION_GIVEN")
        return _agreed(pending, confirmed=True)
    if answer is Answered.DECISION:
        return _decision(view, room, progress, pending)
    if answer is Answered.NO:
        progress.report("CONFIRMATION_DECLINED")
        _drop(progress)
        if pending.approval_id is not None:
            progress.writes.append(WITHDRAWN.put(pending.approval_id))
        progress.speak(room.bundle.text("declined", language), "declined")
        return None
    return _asked_again(view, room, progress, pending)


async def _settled(pending: PendingCall, view: View, room: Room) -> bool:
    """Whether the operator's decision has been carried out before: another call waits by now, or another person's yes.

    A request that is pending again has had its approval counted: to count it anew would ask for approval a second time.
    """
    cause = view[CAUSE]
    if not pending.waits_for(cause.approval_id):
        return True
    if cause.approval is not ApprovalState.APPROVED or cause.approval_id is None:
        return False
    with faults_as("SYS_STORE"):
        answer = await bounded(room.store.approval(view[TURN].site, cause.approval_id), room.patience.store)
        found = None if answer is None else sensible(answer, Approval, "the store")
    return found is not None and found.state is ApprovalState.PENDING


def _asked_again(view: View, room: Room, progress: Progress, pending: PendingCall) -> Agreement | None:
    """Where the matter stands, for a message that neither agrees nor declines."""
    language = view[DETECTION].language
    if pending.awaiting is Obligation.APPROVE and view[TURN].at >= pending.expires_at:
        progress.report("APPROVAL_EXPIRED")
        _drop(progress)
        progress.speak(room.bundle.text("approval_expired", language), "approval_expired")
        return None
    progress.report("ASKED_AGAIN")
    if pending.edited:
        return _agreed(pending, confirmed=False)
    if pending.awaiting is Obligation.APPROVE:
        progress.speak(room.bundle.text("approval_waiting", language), "approval_waiting")
    elif pending.awaiting is Obligation.CONFIRM:
        _drop(progress)
        progress.speak(room.bundle.text("ask_again_confirm", language), "ask_again_confirm")
    else:
        progress.speak(room.bundle.text("ask_code_again", language), "ask_code_again")
    return None


def _agreed(pending: PendingCall, *, confirmed: bool) -> Agreement:
    """What stands of a pending call. One that a colleague has approved already keeps the level it was asked for at."""
    level = pending.identity if pending.edited else None
    return Agreement(pending.call, pending.digest, confirmed, pending.approval_id, level, proposers=pending.proposers)


async def _code(view: View, room: Room, progress: Progress, pending: PendingCall) -> Agreement | None:
    """A right code raises the identity level for a while; wrong ones end with a person."""
    turn, language = view[TURN], view[DETECTION].language
    code = code_in(turn.text)
    if turn.customer_id is None or code is None:
        return None
    with faults_as("SYS_STEP_UP"):
        answer = await bounded(room.step_up.check(turn.customer_id, code, turn.turn_id), room.patience.tool)
        right = sensible(answer, bool, "step-up")
    if right:
        until = turn.at + timedelta(minutes=room.bundle.manifest.limits.verification_minutes)
        progress.writes.append(VERIFIED_UNTIL.put(until.isoformat()))
        progress.report("IDENTITY_VERIFIED")
        return _standing(pending, IdentityLevel.VERIFIED)
    progress.report("IDENTITY_CODE_WRONG")
    if pending.tries + 1 >= CODE_TRIES:
        _drop(progress)
        progress.escalate("IDENTITY_CODE_WRONG")
        return None
    progress.writes.append(PENDING.put(pending.model_copy(update={"tries": pending.tries + 1})))
    progress.speak(room.bundle.text("code_wrong", language), "code_wrong")
    return None


def _decision(view: View, room: Room, progress: Progress, pending: PendingCall) -> Agreement | None:
    """An operator's approval lets the call be decided again; anything else ends it."""
    language, edited = view[DETECTION].language, view[CAUSE].edited
    approved_by: dict[str, JsonValue] = {"approved_by": [*view[CAUSE].approvers]}
    if view[CAUSE].approval is ApprovalState.APPROVED and edited is not None:
        progress.report("APPROVAL_GRANTED", "APPROVAL_EDITED", details=approved_by)
        progress.note(room.bundle.text("edited", language))
        # INVARIANT: the customer's yes was about the call before the edit, so it does not count for this one.
        return Agreement(
            edited,
            digest(edited),
            confirmed=False,
            approval_id=pending.approval_id,
            identity=pending.identity,
            before=(*pending.before, pending.call),
            proposers=pending.proposers,
        )
    if view[CAUSE].approval is ApprovalState.APPROVED:
        progress.report("APPROVAL_GRANTED", details=approved_by)
        # The level at which the customer asked stands for this one call: approval may take longer than a code lives.
        return _standing(pending, pending.identity)
    denied = view[CAUSE].approval is ApprovalState.DENIED
    progress.report("APPROVAL_DENIED" if denied else "APPROVAL_EXPIRED")
    _drop(progress)
    key = "approval_denied" if denied else "approval_expired"
    progress.speak(room.bundle.text(key, language), key)
    return None


def _standing(pending: PendingCall, identity: IdentityLevel) -> Agreement:
    """The pending call as it stands, with what the customer has agreed to of it so far."""
    return Agreement(
        pending.call,
        pending.digest,
        pending.confirmed,
        pending.approval_id,
        identity,
        before=pending.before,
        proposers=pending.proposers,
    )


def _drop(progress: Progress) -> None:
    """The call is given up, and with it the guided flow that proposed it."""
    progress.writes += [PENDING.put(None), PLACE.put(None)]
