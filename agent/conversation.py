"""The conversation as the flow sees it: its state between turns, and what a turn leaves behind."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from handrail.agent.feed import Item
from handrail.agent.ports import CustomerEvent
from handrail.guardrails.flows.place import FlowPlace
from handrail.guardrails.gate.amounts import Amount, Grant
from handrail.guardrails.vocabulary import (
    CollectedFact,
    ConversationStatus,
    Frozen,
    Handoff,
    IdentityLevel,
    Message,
    NeedState,
    Obligation,
    Promise,
    RiskTier,
    ToolCall,
    Turn,
    TurnResult,
)

HISTORY_LIMIT = 12
"""Messages of the past that a turn loads; what is older lives on in counters of the state, so cost stays flat."""

ASSISTANCE = "ai_assistance"
"""The purpose of being answered by a machine; a customer may refuse it."""


class PendingCall(Frozen):
    """A call that waits for its next step. `digest` binds what is agreed to, to the exact tool and arguments.

    `awaiting` is the next step: verify_identity, confirm or approve. A confirmation counts only in the turn numbered
    `asked_turn + 1`. `identity` is the level at which the customer asked, `tries` the wrong codes so far. `before` are
    the calls that the customer knows of from before an operator's edit to which nobody has to agree: first the one they
    asked for. `proposers` are the operators whose messages the call came of.
    """

    call: ToolCall
    digest: str
    awaiting: Obligation
    asked_turn: int
    expires_at: datetime
    confirmed: bool = False
    approval_id: str | None = None
    identity: IdentityLevel = IdentityLevel.ANONYMOUS
    tries: int = 0
    before: tuple[ToolCall, ...] = ()
    proposers: tuple[str, ...] = ()

    @property
    def edited(self) -> bool:
        """Whether an operator changed the call while approving it, and the customer has to agree to that."""
        return self.awaiting is Obligation.CONFIRM and self.approval_id is not None

    def waits_for(self, approval_id: str | None) -> bool:
        """Whether a person's decision on this very request is what comes next."""
        return self.awaiting is Obligation.APPROVE and self.approval_id == approval_id


class Membership(Frozen):
    """A segment that holds for this conversation, since when, and the one-line explanation that names the signal."""

    segment: str
    since: datetime
    because: str


class ConversationState(Frozen):
    """All that one turn hands to the next. Bounded: nothing in it grows with the number of messages.

    `records` are the parts of recent tool results that the company's own systems vouch for: origins of arguments.
    `distrusted` are ids of recent customer messages that address the model: no reply may rest on them.
    """

    status: ConversationStatus = ConversationStatus.BOT
    turns: int = 0
    verified_until: datetime | None = None
    segments: tuple[Membership, ...] = ()
    flow: FlowPlace | None = None
    pending: PendingCall | None = None
    clarifications: int = 0
    person_offered: bool = False
    unresolved_turns: int = 0
    failed_attempts: int = 0
    shown_passages: tuple[str, ...] = ()
    collected: tuple[CollectedFact, ...] = ()
    tried: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    records: tuple[JsonValue, ...] = ()
    distrusted: tuple[str, ...] = ()
    risk: RiskTier = RiskTier.LOW
    need_state: NeedState | None = None
    intent: str | None = None
    wants: str | None = None


class Snapshot(Frozen):
    """A conversation as read at the start of a turn: its state and the latest messages, oldest first.

    `ran` are the digests of the write calls that have run, or may have, in this conversation, `refused` the purposes
    for which the customer's latest word is no (see `Store.put_consent`), `wrote` the operators of whom a message stands
    in the history.
    """

    site: str
    conversation_id: str
    customer_id: str | None
    identity: IdentityLevel
    channel: str
    opened_at: datetime
    state: ConversationState
    history: tuple[Message, ...]
    ran: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()


class JournalState(StrEnum):
    """The life of a write call: `intended` before it runs, then exactly one of the others.

    `handed_over` is a call that the caller runs: it counts as one that may have happened, and is not given out twice.
    """

    INTENDED = "intended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HANDED_OVER = "handed_over"


class JournalEntry(Frozen):
    """A write call as journalled. `key` is the idempotency key the company's system gets.

    `amounts` are those of its money facts that were known when it was decided: windows sum them for later calls.
    """

    turn_id: str
    call: ToolCall
    digest: str
    key: str
    state: JournalState
    content: JsonValue = None
    amounts: tuple[Amount, ...] = ()
    at: datetime


class ApprovalState(StrEnum):
    """The life of a request for a person's approval. `used` means that the approved call has run.

    An approved request is pending again when policy wants another person's approval as well.
    """

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    USED = "used"


class Granted(Frozen):
    """What a customer had been granted by `tools` since an instant, but for the call with the key `but`, oldest first.

    What failed is left out; what runs now, or is in doubt, counts: it may have been granted.
    """

    customer_id: str
    tools: tuple[str, ...]
    since: datetime
    but: str
    grants: tuple[Grant, ...] = ()


class Assent(Frozen):
    """One person's approval of the call with `digest`; `edited` when they changed the call as they approved it."""

    by: str
    digest: str
    at: datetime
    edited: bool = False


class Approval(Frozen):
    """A request for people's approval of one exact call.

    `assents` are all approvals so far, also those of the call as it was before an edit, which do not count for it any
    more. `proposers` are the operators whose messages the call came of: they cannot approve it.
    """

    approval_id: str
    conversation_id: str
    call: ToolCall
    digest: str
    state: ApprovalState
    queue: str
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    assents: tuple[Assent, ...] = ()
    proposers: tuple[str, ...] = ()

    @property
    def approvers(self) -> tuple[str, ...]:
        """The different people who approved the call as it is now, in order."""
        return tuple(dict.fromkeys(one.by for one in self.assents if one.digest == self.digest))

    @property
    def edited(self) -> bool:
        """Whether the call is no longer the one that was first asked for."""
        return any(one.edited for one in self.assents)

    def usable(self, digest: str, now: datetime) -> bool:
        """Whether this approves exactly the call with `digest`, now, and has not been used."""
        return self.state is ApprovalState.APPROVED and self.digest == digest and now < self.expires_at


class EventKind(StrEnum):
    """What an audit event is about."""

    TURN_RECEIVED = "turn_received"
    DECISION = "decision"
    REPORT = "report"
    RETRIEVAL = "retrieval"
    MODEL_CALL = "model_call"
    TOOL_INTENT = "tool_intent"
    TOOL_OUTCOME = "tool_outcome"
    OPERATOR_DECISION = "operator_decision"
    OPERATOR_ACTION = "operator_action"
    CUSTOMER_ACTION = "customer_action"
    HANDOFF = "handoff"
    RELEASE = "release"
    TURN_FINISHED = "turn_finished"
    ERASURE = "erasure"


class AuditEvent(Frozen):
    """One fact for the audit chain. `payload` is masked by its writer and holds no personal data.

    `turn_id` is empty for an event outside a turn. Revisions of bundle, model, prompt and knowledge base stand in the
    payload of `turn_finished`.
    """

    kind: EventKind
    turn_id: str
    at: datetime
    payload: dict[str, JsonValue]


class Received(Frozen):
    """A message that is stored and leased for work. `finished` is set when the same key was answered before.

    `journal` holds the write calls that an interrupted run of the same turn had begun, `released` the beginning of the
    reply that had left by then, `later_messages` counts what was written in the conversation since. `unseen` says that
    whoever wrote had not seen what was said last.
    """

    turn: Turn
    snapshot: Snapshot
    journal: tuple[JournalEntry, ...] = ()
    released: str = ""
    finished: TurnResult | None = None
    later_messages: int = 0
    unseen: bool = False


class LatestTurn(Frozen):
    """A customer's message with the idempotency key it came under."""

    turn_id: str
    key: str
    text: str
    at: datetime


class Reopened(Frozen):
    """A request that goes back into the queue: a decision saw `approvals` of it, and policy wants one more."""

    approval_id: str
    approvals: int


class FinishedTurn(Frozen):
    """Everything one turn leaves behind, written in one transaction before the reply leaves.

    `feed` are the items that clients are told, in order; the reply itself, `reply_id`, is among them.
    """

    turn: Turn
    state: ConversationState
    result: TurnResult
    events: tuple[AuditEvent, ...]
    feed: tuple[Item, ...] = ()
    reply_id: str | None = None
    handoff: Handoff | None = None
    approval: Approval | None = None
    used_approval: str | None = None
    withdrawn_approval: str | None = None
    reopened_approval: Reopened | None = None
    customer_events: tuple[CustomerEvent, ...] = ()


class QueuedHandoff(Frozen):
    """A handoff that waits for a person."""

    conversation_id: str
    handoff: Handoff
    at: datetime
