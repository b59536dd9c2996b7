"""The words every room shares: what passes between detectors, policy and the flow.

Everything here is frozen and plain: it can be written as JSON and read back unchanged, so that the state of a turn
survives any checkpointer and an audit event holds exactly what was decided.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Scalar: TypeAlias = str | int | float | bool
"""One atomic value of a fact or of a tool argument."""

FactContent: TypeAlias = Scalar | tuple[str, ...]
"""What a fact can hold: one atomic value, or a set of words (sorted, without repeats)."""


class Frozen(BaseModel):
    """Base of all exchanged values: immutable, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(StrEnum):
    """The steps of a turn, in order. Facts become available stage by stage."""

    DETECT_INTENT = "detect_intent"
    ASSIGN_SEGMENTS = "assign_segments"
    GATE_RISK = "gate_risk"
    APPLY_POLICY = "apply_policy"
    RETRIEVE = "retrieve"
    GENERATE = "generate"
    AUTHORIZE_TOOLS = "authorize_tools"
    GUARD_OUTPUT = "guard_output"
    REPLY = "reply"
    HAND_OFF = "hand_off"


class _Ordered(StrEnum):
    """A closed scale, written from the most permissive to the strictest member."""

    rank: int
    """Position on the scale; larger is stricter."""

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, _Ordered) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, _Ordered) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, _Ordered) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, _Ordered) else NotImplemented


class Effect(_Ordered):
    """What policy says of a subject. Permissions are binary: everything but `allow` is "not allowed".

    `not_yet` names a next step in the obligations; `refuse` ends the matter; `escalate` brings a person.
    """

    ALLOW = "allow"
    NOT_YET = "not_yet"
    REFUSE = "refuse"
    ESCALATE = "escalate"


class RiskTier(_Ordered):
    """How bad a wrong answer would be. Nothing lowers it: tiers combine by maximum."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Automation(_Ordered):
    """How much the machine may do by itself; the strictest wins."""

    ANSWER = "answer"
    GUIDED = "guided"
    RESTRICTED = "restricted"
    HUMAN_FIRST = "human_first"


class Priority(_Ordered):
    """How soon a person should look; the strictest (most urgent) wins."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class IdentityLevel(_Ordered):
    """How sure we are who writes. Later members are surer."""

    ANONYMOUS = "anonymous"
    IDENTIFIED = "identified"
    VERIFIED = "verified"


class Obligation(StrEnum):
    """What must accompany or precede the thing decided on. Obligations combine by union."""

    VERIFY_IDENTITY = "verify_identity"
    CONFIRM = "confirm"
    APPROVE = "approve"
    REPAIR = "repair"
    CLARIFY = "clarify"
    OFFER_HUMAN = "offer_human"
    VERIFY_OUTCOME = "verify_outcome"
    STATUS_FIRST = "status_first"
    SKIP_BASICS = "skip_basics"
    NO_COMMITMENTS = "no_commitments"
    CITE_SOURCES = "cite_sources"
    PERSON_DECIDES = "person_decides"
    CLOSE = "close"
    COURTESY = "courtesy"


class Tone(StrEnum):
    """The manner of an answer."""

    PLAIN = "plain"
    WARM = "warm"
    CALM = "calm"
    FORMAL = "formal"
    TECHNICAL = "technical"


class Depth(StrEnum):
    """The length and detail of an answer."""

    BRIEF = "brief"
    STANDARD = "standard"
    DETAILED = "detailed"


class NeedState(StrEnum):
    """What the customer tries to get done. The first six carry automation policy (spec S4.2)."""

    ACCESS_RESTORE = "access_restore"
    BILLING_CHARGES = "billing_charges"
    INCIDENT = "incident"
    HOW_TO = "how_to"
    POLICY_COMPLIANCE = "policy_compliance"
    ACCOUNT_CHANGES = "account_changes"
    HUMAN_REQUEST = "human_request"
    ACCOUNT_TAKEOVER = "account_takeover"
    OUT_OF_SCOPE = "out_of_scope"


class ConversationStatus(StrEnum):
    """Who speaks with the customer (spec S9.2)."""

    BOT = "bot"
    QUEUED = "queued"
    ACCEPTED = "accepted"
    HUMAN = "human"
    RETURNED_TO_BOT = "returned_to_bot"
    RESOLVED = "resolved"


class Span(Frozen):
    """Where in a text something stands: character offsets, end exclusive. Never the text itself."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class Signal(Frozen):
    """A detector's report: a catalogue code, who says so, how sure (0 to 1), and where in the text."""

    code: str
    detector: str
    score: Annotated[float, Field(ge=0.0, le=1.0)]
    span: Span | None = None


class Alternative(Frozen):
    """One candidate reading of a message, with its calibrated probability."""

    need_state: NeedState
    intent: str
    confidence: Annotated[float, Field(ge=0.0, le=1.0)]


class Detection(Frozen):
    """All that detectors say of one message. `need_state` None means "unknown", which is an answer.

    `need_states` holds every need state of a message with several intents, the main one first.
    """

    need_state: NeedState | None
    intent: str | None
    confidence: Annotated[float, Field(ge=0.0, le=1.0)]
    need_states: tuple[NeedState, ...]
    alternatives: tuple[Alternative, ...]
    signals: tuple[Signal, ...]
    language: str | None


class FactUsed(Frozen):
    """One fact as a decision saw it; `content` None means unknown, and `why` says how it came to be so.

    `on_unknown` says what an unknown one did to restrictions that asked for it; a replay needs it to come out the same.
    """

    name: str
    content: FactContent | None
    source: str
    age_seconds: float | None = None
    why: str | None = None
    on_unknown: Literal["restrict", "ignore"] = "restrict"


class Selected(Frozen):
    """The value a dimension took and the rules that determined it."""

    value: str
    rules: tuple[str, ...]


class Dimensions(Frozen):
    """The closed set of things segmentation may change (spec S2.4), after combination.

    `scope` maps a document family (role, stack, region, plan, authority, language, need_state) to the classes that
    were granted; a family that nothing granted admits only documents marked `all`. `commitments` are ids of what
    a reply may promise.
    """

    queue: str | None = None
    skills: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    commitments: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL
    first_response_minutes: int | None = None
    automation: Automation = Automation.ANSWER
    risk: RiskTier = RiskTier.LOW
    scope: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    tone: Tone = Tone.PLAIN
    depth: Depth = Depth.STANDARD
    flow: str | None = None
    determined_by: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Shadow(Frozen):
    """What would have been decided if the shadow rules that applied, `rules`, had been enforced. Recorded only."""

    rules: Annotated[tuple[str, ...], Field(min_length=1)]
    effect: Effect
    reasons: tuple[str, ...]
    obligations: tuple[Obligation, ...] = ()
    dimensions: Dimensions = Dimensions()


class Decision(Frozen):
    """Policy's answer about one subject at one stage. Never without a reason, never without a revision.

    `rules` are the determining ones; `facts` are all fact values that the rules asked read, so that the decision can
    be replayed from this record alone.
    """

    stage: Stage
    subject: str
    effect: Effect
    reasons: Annotated[tuple[str, ...], Field(min_length=1)]
    rules: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    dimensions: Dimensions = Dimensions()
    facts: tuple[FactUsed, ...] = ()
    revision: str
    shadow: Shadow | None = None

    @property
    def allowed(self) -> bool:
        """Whether the subject may go ahead now."""
        return self.effect is Effect.ALLOW


class Report(Frozen):
    """What a step that decides nothing did or found: its reasons, and details without personal data."""

    stage: Stage
    subject: str = "turn"
    reasons: Annotated[tuple[str, ...], Field(min_length=1)]
    details: dict[str, JsonValue] = Field(default_factory=dict)


class Passage(Frozen):
    """A piece of a document, as it was found. `score` is the calibrated goodness of the match (0 to 1).

    `flagged` passages contain text that addresses the model; they may be shown to no model. `screened_by` is the
    revision of the screen that the passage has passed; empty when nobody has screened it.
    """

    passage_id: str
    doc_id: str
    title: str
    heading: str
    text: str
    score: float
    authority: str
    product_area: str
    flagged: bool = False
    screened_by: str = ""


class ToolCall(Frozen):
    """A proposed call: name and arguments as the model (or a flow) gave them. Nothing has run yet."""

    call_id: str
    tool: str
    arguments: dict[str, JsonValue]


class ToolOutcome(StrEnum):
    """How a call ended. `unknown` means that it may or may not have happened; a person must look.

    `handed_over` means that it was allowed and given to the caller, who runs it: what becomes of it is not seen here.
    """

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_YET = "not_yet"
    UNKNOWN = "unknown"
    HANDED_OVER = "handed_over"


class ToolResult(Frozen):
    """What came of a call. `content` is untrusted text or structure and is never an instruction."""

    call: ToolCall
    outcome: ToolOutcome
    content: JsonValue = None
    reasons: tuple[str, ...] = ()


class Draft(Frozen):
    """What a model (or a flow, or a fixed text) proposes to say or to do. Not yet checked.

    `author` is `model:<name>`, `flow:<id>` or `text:<key>`; `cites` are the passages it rests on.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    cites: tuple[str, ...] = ()
    author: str


class Role(StrEnum):
    """Who wrote a message of the conversation."""

    CUSTOMER = "customer"
    BOT = "bot"
    OPERATOR = "operator"


class Message(Frozen):
    """One message of the conversation as it is stored; history lives on the server only."""

    message_id: str
    role: Role
    text: str
    at: datetime


class CollectedFact(Frozen):
    """Something the customer told us, with the message or record it came from."""

    name: str
    value: str
    source: str


class Promise(Frozen):
    """A sentence that bound the company when it was released, and the turn in which it was said."""

    text: str
    turn_id: str
    at: datetime


class Handoff(Frozen):
    """The packet a person gets (spec S9.1): enough to go on without asking the customer again."""

    handoff_id: str
    wants: str
    collected: tuple[CollectedFact, ...] = ()
    tried: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    at_stake: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    segments: tuple[str, ...] = ()
    risk: RiskTier = RiskTier.LOW
    reasons: tuple[str, ...]
    next_step: str
    queue: str
    skills: tuple[str, ...] = ()
    priority: Priority
    due_at: datetime | None = None
    identity: IdentityLevel


class Turn(Frozen):
    """One unit of work: an event of one conversation of one site. `sender` says whose words `text` are."""

    turn_id: str
    site: str
    conversation_id: str
    customer_id: str | None
    identity: IdentityLevel
    channel: str
    text: str
    at: datetime
    sender: Role = Role.CUSTOMER


class TurnResult(Frozen):
    """What a turn came to: the text that was released, who speaks now, and every decision on the way.

    `checklist` are the steps that the text lists, in order. `calls` are allowed calls that the caller runs itself;
    there are none unless it does.
    """

    turn_id: str
    reply: str
    status: ConversationStatus
    decisions: tuple[Decision, ...]
    reasons: tuple[str, ...]
    citations: tuple[str, ...] = ()
    quick_replies: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    confirmation: ToolCall | None = None
    calls: tuple[ToolCall, ...] = ()
    handoff: Handoff | None = None
