"""What tests of the store are built from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
from handrail.agent.store.sqlstore import SqlStore, StoreOptions
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Effect,
    Handoff,
    IdentityLevel,
    Priority,
    Stage,
    ToolCall,
    Turn,
    TurnResult,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SITE = "fernwell"
ANNA = "cus_anna_4711"
CALL = ToolCall(call_id="call_1", tool="refund_invoice", arguments={"invoice": "INV-1001", "amount": 40.5})
PSEUDONYMS = Pseudonyms(b"0123456789abcdef0123456789abcdef")


@dataclass
class SteppingClock:
    """A clock that moves when it is told to."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


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
) -> FinishedTurn:
    """What the flow leaves behind after a turn."""
    turn, state = received.turn, received.snapshot.state
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
        approval=approval,
        used_approval=used_approval,
    )


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
