"""The shapes of the bundle's YAML files. Meaning and references are checked when they are compiled."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, RootModel

from handrail.guardrails.output.evidence import CommitmentKind
from handrail.guardrails.policy.facts import FactKind, OnUnknown
from handrail.guardrails.vocabulary import (
    Automation,
    Depth,
    Effect,
    Frozen,
    NeedState,
    Obligation,
    Priority,
    RiskTier,
    Stage,
    Tone,
)

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=80)]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=60)]
Condition = Annotated[dict[str, JsonValue], Field(min_length=1)]
Texts = Annotated[dict[str, str], Field(min_length=1)]
Waivers: TypeAlias = dict[Code, Annotated[str, Field(min_length=10)]]
"""Findings of lint that are meant to be so: by code, why. One that is not found any more is a finding itself."""


def _iso_date(content: object) -> object:
    return content.isoformat() if isinstance(content, date) else content


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; name one such as Europe/Berlin") from error
    return name


IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Source: TypeAlias = Literal["crm", "billing", "product", "support", "conversation"]
ScopeFamily: TypeAlias = Literal["role", "stack", "region", "plan", "authority", "language", "need_state"]
LONGEST_WINDOW = 90 * 24 * 60
"""Minutes that events are kept for counting."""

OPENED = "conversation_opened"
"""What a window may end at beside an event: the moment at which the conversation was opened."""


class Family(StrEnum):
    """What kind of knowledge an attribute is (spec S3.1)."""

    DEMOGRAPHIC = "demographic"
    FIRMOGRAPHIC = "firmographic"
    GEOGRAPHIC = "geographic"
    TECHNOGRAPHIC = "technographic"
    PSYCHOGRAPHIC = "psychographic"
    VALUE = "value"
    BEHAVIOURAL = "behavioural"
    NEED = "need"
    RISK = "risk"


class Purpose(StrEnum):
    """What an attribute may be used for."""

    LANGUAGE = "language"
    ACCESSIBILITY = "accessibility"
    TIME_ZONE = "time_zone"
    SLA = "sla"
    QUEUE = "queue"
    COMPLIANCE = "compliance"
    INCIDENT_ROUTING = "incident_routing"
    DATA_RESIDENCY = "data_residency"
    LEGAL_COPY = "legal_copy"
    TROUBLESHOOTING = "troubleshooting"
    INTEGRATION_ROUTING = "integration_routing"
    RETRIEVAL = "retrieval"
    STYLE = "style"
    PRIORITY = "priority"
    AUTOMATION = "automation"
    PERMISSION = "permission"
    RISK = "risk"


class Attribute(Frozen):
    """One attribute of a customer or account: where it comes from and what it may be used for (S3.1)."""

    name: Identifier
    meaning: str
    kind: FactKind
    values: tuple[str, ...] | None = None
    family: Family
    source: Source
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    max_age_days: Annotated[int, Field(gt=0)]
    inferred: bool
    on_unknown: OnUnknown = OnUnknown.RESTRICT
    scope_family: Literal["role", "stack", "region", "plan"] | None = None
    waive: Waivers = {}


class EventKind(Frozen):
    """A kind of event that windows may count, and the system that reports it."""

    kind: Identifier
    meaning: str
    source: Source


class Ending(Frozen):
    """Within how many minutes of what a run of events must have ended: an event, or `conversation_opened`."""

    within_minutes: Annotated[int, Field(gt=0, le=LONGEST_WINDOW)]
    of: Identifier


class Window(Frozen):
    """A count of past events as a fact, such as "same intent in 7 days".

    With `ending` the run of events is counted that ended at most so long before the latest `of`, looking back
    `within_minutes` from its last event; without it the window ends now.
    """

    fact: Identifier
    meaning: str
    count: Identifier
    same_intent: bool = False
    within_minutes: Annotated[int, Field(gt=0, le=LONGEST_WINDOW)]
    ending: Ending | None = None


class AmountWindow(Frozen):
    """What a customer was granted by earlier calls of `tools`, as a fact of the next one, which counts too.

    `of` is the money fact that each of the tools states of its call; the sum is in minor units of the currency of the
    call that is decided.
    """

    fact: Annotated[Identifier, Field(pattern=r"^call_[a-z0-9_]+$")]
    meaning: str
    of: Identifier
    tools: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    within_minutes: Annotated[int, Field(gt=0, le=LONGEST_WINDOW)]


class PrecedenceOf(Frozen):
    """A value that competes with others for one place; the larger precedence wins."""

    value: str
    precedence: int


class ToneOf(Frozen):
    """A tone with its precedence."""

    value: Tone
    precedence: int


class DepthOf(Frozen):
    """A depth with its precedence."""

    value: Depth
    precedence: int


class Outcome(Frozen):
    """What a rule or segment may say of each decision dimension (S2.4)."""

    queue: PrecedenceOf | None = None
    skills: tuple[Identifier, ...] = ()
    tags: tuple[Identifier, ...] = ()
    commitments: tuple[Identifier, ...] = ()
    priority: Priority | None = None
    first_response_minutes: Annotated[int, Field(gt=0)] | None = None
    automation: Automation | None = None
    risk: RiskTier | None = None
    obligations: tuple[Obligation, ...] = ()
    scope: dict[ScopeFamily, tuple[str, ...]] = {}
    tone: ToneOf | None = None
    depth: DepthOf | None = None
    flow: PrecedenceOf | None = None


class RuleEntry(Outcome):
    """One rule of a rules file.

    A rule in `shadow` is evaluated and recorded, not enforced. A rule of the safety `floor` cannot be switched off by a
    holdout.
    """

    id: Identifier
    stage: Stage
    reason: Code
    why: str
    status: Literal["active", "shadow"] = "active"
    floor: bool = False
    when: Condition | None = None
    tools: tuple[Identifier, ...] | None = None
    effect: Effect | None = None
    waive: Waivers = {}


class Trigger(Frozen):
    """A condition that brings a person (hard) or offers one (soft), while the segment holds."""

    when: Condition | None = None
    reason: Code


class Escalation(Frozen):
    """Escalation triggers of a segment."""

    hard: tuple[Trigger, ...]
    soft: tuple[Trigger, ...]


class Actions(Frozen):
    """Tools that a segment grants and tools that it takes away."""

    allow: tuple[Identifier, ...]
    deny: tuple[Identifier, ...]


class Tier(StrEnum):
    """Slow segments come from attributes; run-time ones from the conversation."""

    STABLE = "stable"
    RUNTIME = "runtime"


class SegmentEntry(Frozen):
    """One segment with every field that makes it operational (S4.3).

    Hysteresis: an exit of its own, and `hold_minutes` for which a member stays whatever the exit says. A segment of the
    safety `floor` cannot be switched off by a holdout.
    """

    id: Identifier
    title: str
    purpose: str
    tier: Tier
    status: Literal["active", "ready"]
    reason: Code
    entry: Condition
    exit: Condition
    hold_minutes: Annotated[int, Field(ge=0, le=LONGEST_WINDOW)] = 0
    floor: bool = False
    decisions: Outcome
    actions: Actions
    escalation: Escalation
    metrics: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    owner: str
    review_by: IsoDate
    waive: Waivers = {}


class Hours(Frozen):
    """Opening hours of a queue in its own time zone; `days` are ISO weekdays (1 is Monday)."""

    time_zone: Annotated[str, AfterValidator(_zone)]
    days: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1)]
    opens: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    closes: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class Queue(Frozen):
    """Where people take handoffs from. `handling_minutes` is what one costs them on average: replay reckons with it."""

    id: Identifier
    title: Texts
    skills: tuple[Identifier, ...]
    hours: Hours
    first_response_minutes: Annotated[int, Field(gt=0)]
    handling_minutes: Annotated[int, Field(gt=0)]


class ReasonEntry(Frozen):
    """One reason code of the catalogue (S10.1)."""

    code: Code
    title: str
    operator: str
    customer: Texts
    stage: Stage
    severity: Literal["info", "notice", "warning", "critical"]


Passages = Annotated[int, Field(ge=1, le=20)]


class PassagesOf(Frozen):
    """How many passages a turn may retrieve, by the depth of the answer that policy wants."""

    brief: Passages
    standard: Passages
    detailed: Passages

    def of(self, depth: Depth) -> int:
        """The number for an answer of this depth."""
        match depth:
            case Depth.BRIEF:
                return self.brief
            case Depth.STANDARD:
                return self.standard
            case Depth.DETAILED:
                return self.detailed


class Limits(Frozen):
    """Numbers that bound a turn and what waits between turns."""

    turn_seconds: Annotated[float, Field(gt=0, le=120)]
    tool_rounds: Annotated[int, Field(ge=1, le=8)]
    message_characters: Annotated[int, Field(gt=0)]
    verification_minutes: Annotated[int, Field(gt=0)]
    confirmation_minutes: Annotated[int, Field(gt=0)]
    approval_hours: Annotated[int, Field(gt=0)]
    passages: PassagesOf
    runtime_segments: Annotated[int, Field(ge=1, le=40)]


class Manifest(Frozen):
    """`bundle.yaml`: the version of the bundle and what it declares about itself."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    company: str
    languages: Annotated[tuple[str, ...], Field(min_length=1)]
    default_queue: Identifier
    prompt: Identifier
    need_states: tuple[NeedState, ...]
    limits: Limits


class RulesFile(Frozen):
    """A file of rules."""

    rules: tuple[RuleEntry, ...]


class AttributesFile(Frozen):
    """The declared attributes, kinds of events, and windows over them and over the amounts of calls."""

    attributes: tuple[Attribute, ...]
    events: tuple[EventKind, ...]
    windows: tuple[Window, ...]
    amounts: tuple[AmountWindow, ...] = ()


class QueuesFile(Frozen):
    """All queues."""

    queues: Annotated[tuple[Queue, ...], Field(min_length=1)]


class ReasonsFile(RootModel[tuple[ReasonEntry, ...]]):
    """A part of the catalogue: a plain list of codes."""

    model_config = ConfigDict(frozen=True)


class TextsFile(Frozen):
    """Fixed customer texts of one language, by key; `{placeholders}` are filled by the flow."""

    language: str
    texts: dict[str, str]


class CommitmentEntry(Frozen):
    """A commitment that a segment or rule may allow, in the words that make it up, by language."""

    id: Identifier
    meaning: str
    kind: CommitmentKind
    texts: Annotated[dict[str, Annotated[str, Field(min_length=3, max_length=300)]], Field(min_length=1)]


class AllowedCommitmentsFile(Frozen):
    """`allowed_commitments.yaml`: everything that replies may ever promise; a bundle may do without."""

    commitments: Annotated[tuple[CommitmentEntry, ...], Field(min_length=1)]


class HandoffFile(Frozen):
    """What a person would do first, by reason code or need state; `default` must be there."""

    next_steps: dict[str, str]


class HoldoutEntry(Frozen):
    """A share of conversations that is served without some segments or rules, to see what these bring (S11.2).

    `share` is a fraction of 1, `without` names rules (`turn.close`) and segments (`segment.how_to`). Assignment is by
    conversation and sticky. One that stands `ready` is checked and proved, and holds nobody out.
    """

    id: Identifier
    meaning: str
    status: Literal["active", "ready"]
    share: Annotated[float, Field(ge=0, le=0.5)]
    without: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    owner: str
    review_by: IsoDate


class ExperimentsFile(Frozen):
    """All holdouts. Shadow rules stand among the rules, with `status: shadow`."""

    holdouts: tuple[HoldoutEntry, ...]
