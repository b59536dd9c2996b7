"""A case: a conversation that people look after, as an operator sees it, and the moves that change it (S9.2)."""

from __future__ import annotations

from datetime import datetime

from handrail.agent.conversation import Approval, AuditEvent
from handrail.agent.feed import Item
from handrail.agent.files import StoredFile
from handrail.agent.standing import WITH_PEOPLE
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Frozen,
    Handoff,
    IdentityLevel,
    Message,
    Priority,
    TurnResult,
)


class CaseQuery(Frozen):
    """Which cases are asked for. Empty sets and None do not narrow."""

    statuses: frozenset[ConversationStatus] = WITH_PEOPLE
    queue: str | None = None
    holder: str | None = None
    limit: int = 200


class CaseSummary(Frozen):
    """One line of the queue. `since` is when the person was asked for, `holder` who has it."""

    conversation_id: str
    status: ConversationStatus
    holder: str | None
    queue: str
    priority: Priority
    due_at: datetime | None
    since: datetime
    wants: str
    awaits_approval: bool


class Case(Frozen):
    """One conversation, whole: the packet, what was said, what waits for approval, and every turn's reasons."""

    conversation_id: str
    channel: str
    customer_id: str | None
    identity: IdentityLevel
    status: ConversationStatus
    holder: str | None
    opened_at: datetime
    packet: Handoff | None
    messages: tuple[Message, ...]
    approvals: tuple[Approval, ...]
    files: tuple[StoredFile, ...]
    turns: tuple[TurnResult, ...]


class CaseMove(Frozen):
    """One change of who speaks, as the store carries it out.

    It succeeds when the status is among `from_statuses` and the holder is `must_hold` (None: anybody or nobody) and,
    with `must_be_free`, nobody else has it. `holder` is who has it afterwards. `message` is stored as the operator's
    message under `key`, at most once; a repeat of the same key changes nothing and raises nothing, whatever the status
    is by then. Its message.completed item comes after `feed`.

    The state between turns becomes `standing.moved(state, to_status)` in the same transaction. `handoff` is stored as
    the conversation's packet: open when the conversation is queued afterwards, closed otherwise. A handoff that is
    reopened keeps its packet and its time, and so its place in line.
    """

    from_statuses: frozenset[ConversationStatus]
    to_status: ConversationStatus
    holder: str | None
    must_hold: str | None = None
    must_be_free: bool = False
    closes_handoff: bool = False
    reopens_handoff: bool = False
    handoff: Handoff | None = None
    message: str | None = None
    message_name: str | None = None
    key: str | None = None
    feed: tuple[Item, ...] = ()
    events: tuple[AuditEvent, ...] = ()
