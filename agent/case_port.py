"""The part of the conversation store that people work with: cases, approvals, who speaks, and their own accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from handrail.agent.case import Case, CaseMove, CaseQuery, CaseSummary
from handrail.agent.conversation import Approval, ApprovalState, QueuedHandoff
from handrail.agent.feed import HandoffQueued
from handrail.agent.operators import OperatorRecord, SessionRecord
from handrail.guardrails.vocabulary import Message, ToolCall


class CaseRecords(Protocol):
    """Cases, approvals and accounts; the errors are those of the store, `agent/store_port.py`."""

    async def approval(self, site: str, approval_id: str) -> Approval | None:
        """One request for approval."""
        ...

    async def approvals(self, site: str, state: ApprovalState | None = None) -> tuple[Approval, ...]:
        """Requests for approval, oldest first."""
        ...

    async def undone_approvals(self, site: str, before: datetime) -> tuple[Approval, ...]:
        """Requests decided before an instant whose conversation still waits for the decision, oldest first.

        Whoever stored the decision died before carrying it out. Looks a week back.
        """
        ...

    async def decide_approval(
        self, site: str, approval_id: str, state: ApprovalState, by: str, at: datetime, digest: str | None = None
    ) -> Approval:
        """Move a pending request to approved, denied or expired; exactly one of two racing callers succeeds.

        An approval of another person succeeds too while nobody has carried out the one before. `digest` is of the call
        that the approver has seen; an edited call is approved by its digest only. Writes the audit event of the
        decision in the same transaction. Approving after `expires_at` stores `expired` and raises ApprovalClosed.
        Raises UnknownApproval, ApprovalClosed, ApproverBarred (approved by them already, or proposed by them),
        ApprovalChanged (it is not that call any more), ValueError for any other target state.
        """
        ...

    async def edit_approval(
        self, site: str, approval_id: str, call: ToolCall, digest: str, by: str, at: datetime
    ) -> Approval:
        """Approve a pending request with other arguments: from now on it approves `call` and nothing else.

        Who approved it as it was before has approved another call: the count starts over. The audit event holds both
        digests. Raises UnknownApproval, ApprovalClosed, ApproverBarred (they proposed it), as `decide_approval`.
        """
        ...

    async def handoffs(self, site: str) -> tuple[QueuedHandoff, ...]:
        """Open handoffs, most urgent first, then oldest first."""
        ...

    async def standings(self, site: str, conversation_ids: Sequence[str]) -> Mapping[str, HandoffQueued]:
        """Where those of the conversations that wait for a person stand in line now, the others left out.

        Each is the newest `handoff.queued` of the conversation's feed with the position of now.
        """
        ...

    async def cases(self, site: str, query: CaseQuery) -> tuple[CaseSummary, ...]:
        """Conversations that people look after, most urgent first, then oldest first."""
        ...

    async def case(self, site: str, conversation_id: str) -> Case:
        """All that a person needs of one conversation. Raises UnknownConversation."""
        ...

    async def move_case(self, site: str, conversation_id: str, move: CaseMove, at: datetime) -> Case:
        """Change who speaks with the customer, with the feed items and audit events of the move, in one transaction.

        The move says in which statuses and for which holder it holds; exactly one of two racing moves succeeds. It
        waits while a turn of the conversation runs, as `receive` does. The operator's message stands in the feed
        behind the move's own items. Raises UnknownConversation, ConversationBusy, KeyReused (the key with another
        message), CaseTaken, WrongStatus, NotHolder; then nothing was written.
        """
        ...

    async def moved_message(self, site: str, conversation_id: str, key: str) -> Message | None:
        """The operator's message that a move stored under its key; None when there is none."""
        ...

    async def put_operator(self, site: str, record: OperatorRecord) -> None:
        """Store a person's account, new or changed."""
        ...

    async def operators(self, site: str) -> tuple[OperatorRecord, ...]:
        """The accounts of a site, by name."""
        ...

    async def put_session(self, site: str, session: SessionRecord, password: str) -> bool:
        """Store a signed-in session; expired ones of the site are dropped.

        False, and nothing stored, unless `password` is still the account's stored hash and the account is open.
        """
        ...

    async def session(self, site: str, token_digest: str) -> SessionRecord | None:
        """The session of a token, by the SHA-256 of it; None when there is none, or it is over."""
        ...

    async def drop_sessions(self, site: str, *, token_digest: str | None = None, name: str | None = None) -> int:
        """End one session, or all of one person; returns how many. Raises ValueError when neither is named."""
        ...
