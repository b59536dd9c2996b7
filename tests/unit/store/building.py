"""What tests of the store are built from."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import create_engine, select

from handrail.agent.audit.pseudonyms import Pseudonyms
from handrail.agent.conversation import (
    Approval,
    ApprovalState,
    AuditEvent,
    EventKind,
    FinishedTurn,
    JournalEntry,
    JournalState,
    Received,
)
from handrail.agent.feed import Item, MessageCompleted
from handrail.agent.store.audit_log import AuditLog
from handrail.agent.store.audit_tables import audit_events, audit_payloads
from handrail.agent.store.leases import Patience
from handrail.agent.store.schema import SCHEMA
from handrail.agent.store.sqlstore import SqlStore, StoreOptions
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Effect,
    Handoff,
    IdentityLevel,
    Priority,
    Role,
    Stage,
    ToolCall,
    Turn,
    TurnResult,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SITE = "fernwell"
ANNA = "cus_anna_4711"
CALL = ToolCall(call_id="call_1", tool="refund_invoice", arguments={"invoice": "INV-1001", "amount": 40.5})
OPTIONS = StoreOptions(patience=Patience(lease_seconds=60, busy_seconds=0.2))
"""A store that does not wait long."""
PSEUDONYMS = Pseudonyms(b"0123456789abcdef0123456789abcdef")


@dataclass
class SteppingClock:
    """A clock that moves when it is told to."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def whole(url: str) -> bool:
    """Whether verification of the audit log finds nothing."""
    log = AuditLog(url)
    try:
        return log.verify().breaks == ()
    finally:
        log.close()


def logged(url: str, kind: EventKind) -> list[dict[str, JsonValue]]:
    """The payloads that the audit log still has of one kind of event, in order."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            select(audit_payloads.c.payload)
            .join(
                audit_events,
                (audit_events.c.site == audit_payloads.c.site)
                & (audit_events.c.conversation_id == audit_payloads.c.conversation_id)
                & (audit_events.c.seq == audit_payloads.c.seq),
            )
            .where(audit_events.c.kind == kind.value)
            .order_by(audit_events.c.conversation_id, audit_events.c.seq)
        )
        payloads = [json.loads(payload) for (payload,) in rows]
    engine.dispose()
    return payloads


def database_text(url: str) -> str:
    """Everything that stands in the database, as one text: for proving that something does not."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [row for table in SCHEMA.sorted_tables for row in connection.execute(select(table))]
    engine.dispose()
    return "\n".join(repr(tuple(row)) for row in rows)


@asynccontextmanager
async def opened(
    url: str, clock: SteppingClock | None = None, options: StoreOptions | None = None
) -> AsyncIterator[SqlStore]:
    """A store that is closed at the end."""
    store = await SqlStore.open(
        url, clock or SteppingClock(), mask=lambda payload: payload, pseudonyms=PSEUDONYMS, options=options
    )
    try:
        yield store
    finally:
        await store.close()


async def conversation(store: SqlStore, customer_id: str | None = ANNA, site: str = SITE) -> str:
    """The id of a new conversation."""
    identity = IdentityLevel.VERIFIED if customer_id else IdentityLevel.ANONYMOUS
    return await store.open_conversation(site, "web", customer_id, identity, START)


def decided(turn: Turn, subject: str = "reply") -> Decision:
    """A decision as policy makes one."""
    return Decision(
        stage=Stage.APPLY_POLICY, subject=subject, effect=Effect.ALLOW, reasons=("POLICY_DEFAULT",), revision="rev-1"
    )


def event(turn_id: str, kind: EventKind = EventKind.DECISION, **payload: str) -> AuditEvent:
    """An audit event."""
    return AuditEvent(kind=kind, turn_id=turn_id, at=START, payload=dict(payload))


def finished(
    received: Received,
    reply: str = "Done.",
    status: ConversationStatus = ConversationStatus.BOT,
    handoff: Handoff | None = None,
    approval: Approval | None = None,
    used_approval: str | None = None,
    feed: tuple[Item, ...] = (),
) -> FinishedTurn:
    """What the flow leaves behind after a turn; `feed` are the items beside its reply."""
    turn, state = received.turn, received.snapshot.state
    reply_id = f"m_of_{turn.turn_id}"
    decision = decided(turn)
    return FinishedTurn(
        turn=turn,
        state=state.model_copy(update={"turns": state.turns + 1, "status": status}),
        result=TurnResult(
            turn_id=turn.turn_id, reply=reply, status=status, decisions=(decision,), reasons=decision.reasons
        ),
        events=(
            AuditEvent(
                kind=EventKind.DECISION, turn_id=turn.turn_id, at=START, payload=decision.model_dump(mode="json")
            ),
            event(turn.turn_id, EventKind.TURN_FINISHED, status=status.value),
        ),
        handoff=handoff,
        feed=feed if not reply else (said(reply_id, turn, reply), *feed),
        reply_id=reply_id if reply else None,
        approval=approval,
        used_approval=used_approval,
    )


def said(message_id: str, turn: Turn, reply: str) -> MessageCompleted:
    """The feed item of a turn's reply."""
    return MessageCompleted(message_id=message_id, role=Role.BOT, text=reply, at=START, turn_id=turn.turn_id)


async def exchange(
    store: SqlStore, conversation_id: str, key: str, text: str = "Hello", reply: str = "Done."
) -> Received:
    """One whole turn."""
    received = await store.receive(SITE, conversation_id, ANNA, key, text, START)
    await store.finish(finished(received, reply))
    return received


def journalled(turn: Turn, state: JournalState = JournalState.INTENDED, key: str = "write-1") -> JournalEntry:
    """A journal entry of the one write call."""
    return JournalEntry(turn_id=turn.turn_id, call=CALL, digest="d" * 64, key=key, state=state, at=START)


def handed_off(handoff_id: str, priority: Priority = Priority.NORMAL) -> Handoff:
    """A packet for a person."""
    return Handoff(
        handoff_id=handoff_id,
        wants="a refund",
        reasons=("RISK_FRAUD",),
        next_step="call back",
        queue="billing",
        priority=priority,
        identity=IdentityLevel.VERIFIED,
    )


def asked(conversation_id: str, approval_id: str = "appr_1") -> Approval:
    """A pending request for approval."""
    return Approval(
        approval_id=approval_id,
        conversation_id=conversation_id,
        call=CALL,
        digest="d" * 64,
        state=ApprovalState.PENDING,
        queue="billing",
        requested_at=START,
        expires_at=START + timedelta(hours=1),
    )
