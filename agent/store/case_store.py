"""What people do with conversations: approvals, the queue, cases and who speaks in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from handrail.agent.case import Case, CaseMove, CaseQuery, CaseSummary
from handrail.agent.conversation import Approval, ApprovalState, QueuedHandoff
from handrail.agent.operators import OperatorRecord, SessionRecord
from handrail.agent.store import approvals, cases, handoffs, moves, rulings, staff
from handrail.agent.store.conversations import LONGEST_NAME, Place, checked
from handrail.agent.store.ledger import append
from handrail.agent.store.means import Means
from handrail.agent.store.rulings import Decided, Edited, Ruling
from handrail.agent.store_port import ApprovalClosed
from handrail.guardrails.vocabulary import Message, ToolCall


class CaseStore(Means):
    """The part of the store that operators work with, and their accounts."""

    async def approval(self, site: str, approval_id: str) -> Approval | None:
        """One request for approval."""
        return await self._workers.read(lambda c: approvals.one(c, site, approval_id))

    async def approvals(self, site: str, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Requests for approval, oldest first."""
        return await self._workers.read(lambda c: approvals.listed(c, site, state))

    async def undone_approvals(self, site: str, before: datetime) -> tuple[Approval, ...]:
        """Requests decided before an instant whose conversation still waits for the decision."""
        return await self._workers.read(lambda c: approvals.undone(c, site, before))

    async def decide_approval(
        self, site: str, approval_id: str, state: ApprovalState, by: str, at: datetime, digest: str | None = None
    ) -> Approval:
        """Move a pending request to approved, denied or expired, with its audit event."""
        ruling = Ruling(state, by, at, digest)
        return await self._decided(site, state, lambda c: rulings.decide(c, site, approval_id, ruling))

    async def edit_approval(
        self, site: str, approval_id: str, call: ToolCall, digest: str, by: str, at: datetime
    ) -> Approval:
        """Approve a pending request with other arguments, with its audit event."""
        ruling, edited = Ruling(ApprovalState.APPROVED, by, at), Edited(call, digest)
        return await self._decided(site, ruling.state, lambda c: rulings.decide(c, site, approval_id, ruling, edited))

    async def _decided(self, site: str, state: ApprovalState, work: Callable[[Connection], Decided]) -> Approval:
        def write(connection: Connection) -> Decided:
            decided = work(connection)
            if decided.event is not None:
                entries = self._scribe.seal(site, decided.customer_id, [decided.event])
                append(connection, site, decided.approval.conversation_id, entries)
            return decided

        decided = await self._workers.write(write)
        if decided.event is None or decided.approval.state is not state:
            raise ApprovalClosed(f"this request for approval is {decided.approval.state} already")
        return decided.approval

    async def handoffs(self, site: str) -> tuple[QueuedHandoff, ...]:
        """Open handoffs, most urgent first, then oldest first."""
        return await self._workers.read(lambda c: handoffs.waiting(c, site))

    async def cases(self, site: str, query: CaseQuery) -> tuple[CaseSummary, ...]:
        """Conversations that people look after, most urgent first, then oldest first."""
        return await self._workers.read(lambda c: cases.listed(c, site, query))

    async def case(self, site: str, conversation_id: str) -> Case:
        """All that a person needs of one conversation."""
        return await self._workers.read(lambda c: cases.whole(c, Place(site, conversation_id)))

    async def move_case(self, site: str, conversation_id: str, move: CaseMove, at: datetime) -> Case:
        """Change who speaks with the customer, when no turn runs and the move is allowed."""
        place = Place(site, conversation_id)
        return await self._leases.take(place, lambda c, claim: moves.move_case(c, self._scribe, claim, place, move, at))

    async def moved_message(self, site: str, conversation_id: str, key: str) -> Message | None:
        """The operator's message that a move stored under its key."""
        return await self._workers.read(lambda c: moves.said_under(c, Place(site, conversation_id), key))

    async def put_operator(self, site: str, record: OperatorRecord) -> None:
        """Store a person's account, new or changed."""
        checked("site", site, LONGEST_NAME)
        await self._workers.write(lambda c: staff.put(c, site, record))

    async def operators(self, site: str) -> tuple[OperatorRecord, ...]:
        """The accounts of a site, by name."""
        return await self._workers.read(lambda c: staff.listed(c, site))

    async def put_session(self, site: str, session: SessionRecord, password: str) -> bool:
        """Store a signed-in session while the account's password is still the one that was compared."""
        now = self._clock.now()
        return await self._workers.write(lambda c: staff.sign_in(c, site, session, password, now))

    async def session(self, site: str, token_digest: str) -> SessionRecord | None:
        """The session of a token; None when there is none, or it is over."""
        now = self._clock.now()
        return await self._workers.read(lambda c: staff.session(c, site, token_digest, now))

    async def drop_sessions(self, site: str, *, token_digest: str | None = None, name: str | None = None) -> int:
        """End one session, or all of one person; returns how many."""
        return await self._workers.write(lambda c: staff.sign_out(c, site, token_digest, name))
