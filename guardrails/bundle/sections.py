"""The shapes of the bundle's YAML files. Meaning and references are checked when they are compiled."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, RootModel

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


def _iso_date(content: object) -> object:
    return content.isoformat() if isinstance(content, date) else content


IsoDate = Annotated[date, BeforeValidator(_iso_date)]


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
    source: Literal["crm", "billing", "product", "support", "conversation"]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    max_age_days: Annotated[int, Field(gt=0)]
    inferred: bool
    on_unknown: OnUnknown = OnUnknown.RESTRICT
    scope_family: Literal["role", "stack", "region", "plan"] | None = None


class Window(Frozen):
    """A count of past events as a fact, such as "same intent in 7 days".

    `ending_within_minutes` counts the run that ended at most so long before the conversation was opened, looking back
    `within_minutes` from its last event; without it the window ends now.
    """

    fact: Identifier
    meaning: str
    count: str
    same_intent: bool = False
    within_minutes: Annotated[int, Field(gt=0, le=90 * 24 * 60)]
    ending_within_minutes: Annotated[int, Field(gt=0)] | None = None


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
    priority: Priority | None = None
    first_response_minutes: Annotated[int, Field(gt=0)] | None = None
    automation: Automation | None = None
    risk: RiskTier | None = None
    obligations: tuple[Obligation, ...] = ()
    scope: dict[Literal["role", "stack", "region", "plan", "authority", "language", "need_state"], tuple[str, ...]] = {}
    tone: ToneOf | None = None
    depth: DepthOf | None = None
    flow: PrecedenceOf | None = None


class RuleEntry(Outcome):
    """One rule of a rules file."""

    id: Identifier
    stage: Stage
    reason: Code
    why: str
    when: Condition | None = None
    tools: tuple[Identifier, ...] | None = None
    effect: Effect | None = None


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
    """One segment with every field that makes it operational (S4.3)."""

    id: Identifier
    title: str
    purpose: str
    tier: Tier
    status: Literal["active", "ready"]
    reason: Code
    entry: Condition
    exit: Condition
    decisions: Outcome
    actions: Actions
    escalation: Escalation
    metrics: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    owner: str
    review_by: IsoDate


class Hours(Frozen):
    """Opening hours of a queue in its own time zone; `days` are ISO weekdays (1 is Monday)."""

    time_zone: str
    days: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1)]
    opens: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    closes: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class Queue(Frozen):
    """Where people take handoffs from."""

    id: Identifier
    title: Texts
    skills: tuple[Identifier, ...]
    hours: Hours
    first_response_minutes: Annotated[int, Field(gt=0)]


class ReasonEntry(Frozen):
    """One reason code of the catalogue (S10.1)."""

    code: Code
    title: str
    operator: str
    customer: Texts
    stage: Stage
    severity: Literal["info", "notice", "warning", "critical"]


class Limits(Frozen):
    """Numbers that bound a turn and what waits between turns."""

    turn_seconds: Annotated[float, Field(gt=0, le=120)]
    tool_rounds: Annotated[int, Field(ge=1, le=8)]
    message_characters: Annotated[int, Field(gt=0)]
    verification_minutes: Annotated[int, Field(gt=0)]
    confirmation_minutes: Annotated[int, Field(gt=0)]
    approval_hours: Annotated[int, Field(gt=0)]
    passages: Annotated[int, Field(ge=1, le=20)]
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
    """The declared attributes and windows."""

    attributes: tuple[Attribute, ...]
    windows: tuple[Window, ...]


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


class HandoffFile(Frozen):
    """What a person would do first, by reason code or need state; `default` must be there."""

    next_steps: dict[str, str]
