"""What becomes of a request for approval: a person's decision or edit, or the end of its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import JsonValue

from handrail.agent.conversation import Approval, ApprovalState, PendingCall, Received, Snapshot
from handrail.agent.refusals import ArgumentsInvalid
from handrail.agent.room import Room
from handrail.agent.store_port import ApprovalClosed, UnknownApproval
from handrail.agent.turning import Runs, stored
from handrail.agent.turns import Cause, CauseKind
from handrail.guardrails.gate.canonical import digest
from handrail.guardrails.gate.editing import edit_problems, edited_call
from handrail.guardrails.vocabulary import TurnResult

if TYPE_CHECKING:
    from collections.abc import Mapping


class Approving:
    """Stores decisions about calls and runs the turns that carry them out."""

    def __init__(self, room: Room, turning: Runs) -> None:
        """Decide in the store of `room`; what was decided is carried out by `turning`."""
        self._room = room
        self._turning = turning

    async def decide(
        self, site: str, approval_id: str, decision: ApprovalState, by: str, digest: str | None = None
    ) -> TurnResult:
        """A decision on a pending call; an approved call is decided again on fresh facts, then runs.

        Where policy wants another person's approval too, it waits for that one. `digest` is of the call that the person
        has seen. Raises UnknownApproval, ApprovalClosed, ApproverBarred, ApprovalChanged.
        """
        now = self._room.clock.now()
        held = await self._existing(site, approval_id)
        joins = decision is held.state is ApprovalState.APPROVED and by not in held.approvers
        if held.state is ApprovalState.PENDING or joins:
            reached = ApprovalState.EXPIRED if now >= held.expires_at and not joins else decision
            deciding = self._room.store.decide_approval(site, approval_id, reached, by, now, digest)
            held = await stored(self._room, deciding, Approval)
        elif held.state is not decision or not await self._untold(site, held):
            raise ApprovalClosed(f"this request for approval is {held.state.value} already")
        return await self.carry_out(site, held)

    async def edit(self, site: str, approval_id: str, changes: Mapping[str, JsonValue], by: str) -> TurnResult:
        """Approve the call with some arguments changed.

        Raises UnknownApproval, ApprovalClosed, ApproverBarred, ArgumentsInvalid.
        """
        now = self._room.clock.now()
        held = await self._existing(site, approval_id)
        spec = self._room.bundle.tools.get(held.call.tool)
        if spec is None:
            raise ArgumentsInvalid((f"the tool {held.call.tool} is not declared any more: deny the call",))
        call = edited_call(spec, held.call, changes)
        again = held.state is ApprovalState.APPROVED and held.digest == digest(call) and await self._untold(site, held)
        if not again:
            if held.state is not ApprovalState.PENDING or now >= held.expires_at:
                raise ApprovalClosed(f"this request for approval is {_closed(held)} already: nothing can be changed")
            problems = edit_problems(spec, held.call, call)
            if problems:
                raise ArgumentsInvalid(problems)
            editing = self._room.store.edit_approval(site, approval_id, call, digest(call), by, now)
            held = await stored(self._room, editing, Approval)
        return await self.carry_out(site, held)

    async def _existing(self, site: str, approval_id: str) -> Approval:
        return await stored(self._room, self._found(site, approval_id), Approval)

    async def _found(self, site: str, approval_id: str) -> Approval:
        found = await self._room.store.approval(site, approval_id)
        if found is None:
            raise UnknownApproval("there is no request for approval of that id")
        return found

    async def _untold(self, site: str, held: Approval) -> bool:
        """Whether a decision was stored whose turn never began, so that the same decision may come again."""
        asking = self._room.store.snapshot(site, held.conversation_id)
        pending = (await stored(self._room, asking, Snapshot)).state.pending
        return pending is not None and pending.waits_for(held.approval_id)

    async def carry_out(self, site: str, held: Approval) -> TurnResult:
        """Run the turn that carries a stored decision out, once; a repeat changes nothing and tells nobody anything."""
        now = self._room.clock.now()
        begun = self._room.store.begin_operator_turn(site, held.conversation_id, note_of(held), now)
        received = await stored(self._room, begun, Received)
        return await self._turning.run(received, cause_of(held, received.snapshot.state.pending))


def note_of(held: Approval) -> str:
    """The text of the turn that carries a decision out; by it an interrupted one is recognised."""
    return f"{held.state.value}: {held.call.tool}"


def cause_of(held: Approval, pending: PendingCall | None) -> Cause:
    """What a turn about a decided request is about; a call that differs from the one that waits has been edited."""
    edited = pending is not None and pending.waits_for(held.approval_id) and pending.digest != held.digest
    return Cause(
        kind=CauseKind.OPERATOR_DECISION,
        approval=held.state,
        approval_id=held.approval_id,
        operator=held.decided_by,
        approvers=held.approvers,
        edited=held.call if edited else None,
    )


def _closed(held: Approval) -> str:
    return held.state.value if held.state is not ApprovalState.PENDING else ApprovalState.EXPIRED.value
