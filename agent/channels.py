"""The state of a turn: plain JSON in LangGraph's channels, typed at the edge of every node."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypedDict, TypeVar, cast

from pydantic import JsonValue, TypeAdapter

from handrail.agent.conversation import (
    Approval,
    AuditEvent,
    JournalEntry,
    Membership,
    PendingCall,
    Reopened,
    Snapshot,
)
from handrail.agent.feed import HandoffQueued
from handrail.agent.memory import Memory, memory
from handrail.agent.turns import Answered, Cause
from handrail.guardrails.flows.place import FlowPlace
from handrail.guardrails.scope import Retrieved
from handrail.guardrails.vocabulary import (
    CollectedFact,
    Decision,
    Detection,
    Draft,
    FactUsed,
    Obligation,
    Report,
    Stage,
    ToolResult,
    Turn,
    TurnResult,
)

ValueT = TypeVar("ValueT")


class TurnState(TypedDict, total=False):
    """LangGraph's channels. Values are plain JSON, so that any checkpointer can hold them."""

    cause: JsonValue
    turn: JsonValue
    snapshot: JsonValue
    journal: JsonValue
    detection: JsonValue
    facts: JsonValue
    members: JsonValue
    gate: JsonValue
    policy: JsonValue
    answered: JsonValue
    retrieved: JsonValue
    found: JsonValue
    draft: JsonValue
    duties: JsonValue
    note: JsonValue
    place: JsonValue
    collected: JsonValue
    tried: JsonValue
    quick_replies: JsonValue
    checklist: JsonValue
    queued: JsonValue
    results: JsonValue
    rounds: JsonValue
    repairs: JsonValue
    guidance: JsonValue
    instructions: JsonValue
    pending: JsonValue
    approval: JsonValue
    used_approval: JsonValue
    reopened: JsonValue
    withdrawn: JsonValue
    verified_until: JsonValue
    release: JsonValue
    solved: JsonValue
    clarified: JsonValue
    escalation: JsonValue
    result: JsonValue
    last: JsonValue
    trail: Annotated[list[JsonValue], operator.add]
    audit: Annotated[list[JsonValue], operator.add]


def advanced(state: TurnState, update: TurnState) -> TurnState:
    """`state` after a step's `update`, as LangGraph's channels combine them: trail and audit grow, others change."""
    return {
        **state,
        **update,
        "trail": [*state.get("trail", ()), *update.get("trail", ())],
        "audit": [*state.get("audit", ()), *update.get("audit", ())],
    }


@dataclass(frozen=True, slots=True)
class Channel(Generic[ValueT]):
    """A typed name in the state. `adapter` turns its plain JSON into values and back."""

    name: str
    adapter: TypeAdapter[ValueT]

    def put(self, value: ValueT) -> Write:
        """A write of `value` to this channel."""
        return Write(self.name, memory().plain(value, self.adapter))


@dataclass(frozen=True, slots=True)
class Write:
    """A new plain value of one channel."""

    name: str
    content: JsonValue


CAUSE: Channel[Cause] = Channel("cause", TypeAdapter(Cause))
TURN: Channel[Turn] = Channel("turn", TypeAdapter(Turn))
SNAPSHOT: Channel[Snapshot] = Channel("snapshot", TypeAdapter(Snapshot))
JOURNAL: Channel[tuple[JournalEntry, ...]] = Channel("journal", TypeAdapter(tuple[JournalEntry, ...]))
DETECTION: Channel[Detection] = Channel("detection", TypeAdapter(Detection))
FACTS: Channel[tuple[FactUsed, ...]] = Channel("facts", TypeAdapter(tuple[FactUsed, ...]))
MEMBERS: Channel[tuple[Membership, ...]] = Channel("members", TypeAdapter(tuple[Membership, ...]))
GATE: Channel[Decision] = Channel("gate", TypeAdapter(Decision))
POLICY: Channel[Decision] = Channel("policy", TypeAdapter(Decision))
ANSWERED: Channel[Answered] = Channel("answered", TypeAdapter(Answered))
RETRIEVED: Channel[Retrieved] = Channel("retrieved", TypeAdapter(Retrieved))
FOUND: Channel[Decision] = Channel("found", TypeAdapter(Decision))
DRAFT: Channel[Draft] = Channel("draft", TypeAdapter(Draft))
NOTE: Channel[str] = Channel("note", TypeAdapter(str))
DUTIES: Channel[tuple[Obligation, ...]] = Channel("duties", TypeAdapter(tuple[Obligation, ...]))
PLACE: Channel[FlowPlace | None] = Channel("place", TypeAdapter(FlowPlace | None))
COLLECTED: Channel[tuple[CollectedFact, ...]] = Channel("collected", TypeAdapter(tuple[CollectedFact, ...]))
TRIED: Channel[tuple[str, ...]] = Channel("tried", TypeAdapter(tuple[str, ...]))
QUICK_REPLIES: Channel[tuple[str, ...]] = Channel("quick_replies", TypeAdapter(tuple[str, ...]))
CHECKLIST: Channel[tuple[str, ...]] = Channel("checklist", TypeAdapter(tuple[str, ...]))
QUEUED: Channel[HandoffQueued | None] = Channel("queued", TypeAdapter(HandoffQueued | None))
RESULTS: Channel[tuple[ToolResult, ...]] = Channel("results", TypeAdapter(tuple[ToolResult, ...]))
ROUNDS: Channel[int] = Channel("rounds", TypeAdapter(int))
REPAIRS: Channel[int] = Channel("repairs", TypeAdapter(int))
GUIDANCE: Channel[tuple[str, ...]] = Channel("guidance", TypeAdapter(tuple[str, ...]))
INSTRUCTIONS: Channel[str] = Channel("instructions", TypeAdapter(str))
PENDING: Channel[PendingCall | None] = Channel("pending", TypeAdapter(PendingCall | None))
APPROVAL: Channel[Approval] = Channel("approval", TypeAdapter(Approval))
WITHDRAWN: Channel[str] = Channel("withdrawn", TypeAdapter(str))
REOPENED: Channel[Reopened] = Channel("reopened", TypeAdapter(Reopened))
USED_APPROVAL: Channel[str] = Channel("used_approval", TypeAdapter(str))
VERIFIED_UNTIL: Channel[str] = Channel("verified_until", TypeAdapter(str))
RELEASE: Channel[str] = Channel("release", TypeAdapter(str))
SOLVED: Channel[bool] = Channel("solved", TypeAdapter(bool))
CLARIFIED: Channel[bool] = Channel("clarified", TypeAdapter(bool))
ESCALATION: Channel[tuple[str, ...]] = Channel("escalation", TypeAdapter(tuple[str, ...]))
RESULT: Channel[TurnResult] = Channel("result", TypeAdapter(TurnResult))
LAST: Channel[Decision | Report] = Channel("last", TypeAdapter(Decision | Report))


_EVENT = TypeAdapter(AuditEvent)


@dataclass(frozen=True, slots=True)
class View:
    """Typed reading of the state."""

    state: TurnState
    _memory: Memory = field(default_factory=memory)

    def __getitem__(self, channel: Channel[ValueT]) -> ValueT:
        """The value of `channel`; KeyError when no node has written it."""
        return self._memory.value(cast("dict[str, JsonValue]", self.state)[channel.name], channel.adapter)

    def get(self, channel: Channel[ValueT], otherwise: ValueT) -> ValueT:
        """The value of `channel`, or `otherwise` when no node has written it."""
        return self[channel] if channel.name in self.state else otherwise

    def has(self, channel: Channel[ValueT]) -> bool:
        """Whether a node has written `channel`."""
        return channel.name in self.state

    def trail(self) -> tuple[Decision | Report, ...]:
        """Everything the nodes said, in order."""
        return tuple(self._memory.value(plain, LAST.adapter) for plain in self.state.get("trail", ()))

    def audit(self) -> tuple[AuditEvent, ...]:
        """Every audit event of the nodes, in order."""
        return tuple(self._memory.value(plain, _EVENT) for plain in self.state.get("audit", ()))


@dataclass(frozen=True, slots=True)
class Step:
    """What a node returns: at least one decision or report (the last one routes), and writes to channels."""

    said: tuple[Decision | Report, ...]
    writes: tuple[Write, ...] = ()
    audit: tuple[AuditEvent, ...] = ()

    def to_state(self, stage: Stage) -> TurnState:
        """The plain update for LangGraph; ValueError when the node gave no reason code."""
        if not self.said or not all(said.reasons for said in self.said):
            raise MissingReason(f"the node {stage.value} returned no reason code")
        known = memory()
        trail = [known.plain(said, LAST.adapter) for said in self.said]
        update: dict[str, JsonValue] = {write.name: write.content for write in self.writes}
        update["last"] = trail[-1]
        update["trail"] = trail
        update["audit"] = [known.plain(event, _EVENT) for event in self.audit]
        return cast(TurnState, update)


class MissingReason(ValueError):
    """A node returned neither signals nor a decision with a reason: a programming error."""
