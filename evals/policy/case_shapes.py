"""The shape of policy tests as YAML: facts or a message in; effect, reasons, obligations, segments out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from handrail.guardrails.bundle.sections import Code, Identifier, ScopeFamily
from handrail.guardrails.vocabulary import (
    Automation,
    Depth,
    Effect,
    Frozen,
    Obligation,
    Priority,
    RiskTier,
    Scalar,
    Stage,
    Tone,
)

Stated = Scalar | tuple[str, ...] | None
"""A fact as a case gives it; null is unknown."""


class Expected(Frozen):
    """What a decision must say. What is left out is not looked at.

    `reasons`, `obligations`, `skills`, `tags`, `commitments` and `scope` have to be among those of the decision,
    `*_not` must not. `rules` have to be among the determining ones. `queue` and `flow` may be `none`.
    """

    effect: Effect | None = None
    reasons: tuple[Code, ...] = ()
    reasons_not: tuple[Code, ...] = ()
    rules: tuple[Identifier, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    obligations_not: tuple[Obligation, ...] = ()
    risk: RiskTier | None = None
    automation: Automation | None = None
    priority: Priority | None = None
    first_response_minutes: int | None = None
    queue: str | None = None
    flow: str | None = None
    tone: Tone | None = None
    depth: Depth | None = None
    skills: tuple[str, ...] = ()
    skills_not: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tags_not: tuple[str, ...] = ()
    commitments: tuple[str, ...] = ()
    commitments_not: tuple[str, ...] = ()
    scope: dict[ScopeFamily, tuple[str, ...]] = {}
    scope_not: dict[ScopeFamily, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _says_something(self) -> Expected:
        if not any(getattr(self, name) for name in self.model_fields_set):
            raise ValueError("an expectation that expects nothing proves nothing; say what must hold")
        return self


class Members(Frozen):
    """Segments that must hold, and some that must not."""

    inside: tuple[Identifier, ...] = ()
    outside: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Members:
        if not self.inside and not self.outside:
            raise ValueError("name a segment that must hold, or one that must not")
        return self


class Expectations(Frozen):
    """What must come of the stages of one turn; at least one of them."""

    segments: Members | None = None
    gate_risk: Expected | None = None
    apply_policy: Expected | None = None
    retrieve: Expected | None = None
    authorize_tools: Expected | None = None
    guard_output: Expected | None = None

    def at(self, stage: Stage) -> Expected | None:
        """What is expected of the decision at `stage`."""
        found = getattr(self, stage.value, None)
        return found if isinstance(found, Expected) else None

    @model_validator(mode="after")
    def _says_something(self) -> Expectations:
        if not any(getattr(self, name) for name in self.model_fields_set):
            raise ValueError("a case that expects nothing proves nothing; say what must hold")
        return self


class PastEvent(Frozen):
    """Something that happened before: `count` times, the last one `minutes_ago`, `apart` minutes between them."""

    kind: Identifier
    minutes_ago: Annotated[float, Field(ge=0)]
    count: Annotated[int, Field(ge=1, le=50)] = 1
    apart: Annotated[float, Field(gt=0)] = 1
    intent: str | None = None


class PastCall(Frozen):
    """A call that granted the customer something: of `minor` units of `currency`; without `minor`, nobody knows."""

    tool: Identifier
    minutes_ago: Annotated[float, Field(ge=0)]
    minor: Annotated[int, Field(ge=0)] | None = None
    currency: str = "EUR"


class Case(Frozen):
    """One policy test. `earlier` are segments of the turn before, with the minutes since they began.

    `facts` stand over the base of the file, which stands over an ordinary turn (see `case_facts`). With `message`, what
    detection finds in it takes the place of the facts about the message. `tool` is the one that a call is about.
    `events` are what windows count, in a conversation opened `opened_minutes_ago`, `granted` the earlier calls whose
    amounts are summed; `ages` says how many days ago attributes were observed.
    """

    name: Annotated[str, Field(min_length=1, max_length=160)]
    facts: dict[str, Stated] = {}
    message: str | None = None
    earlier: dict[Identifier, Annotated[float, Field(ge=0)]] = {}
    events: tuple[PastEvent, ...] = ()
    granted: tuple[PastCall, ...] = ()
    opened_minutes_ago: Annotated[float, Field(ge=0)] = 0
    ages: dict[Identifier, Annotated[float, Field(ge=0)]] = {}
    tool: Identifier | None = None
    expect: Expectations

    @model_validator(mode="after")
    def _about_a_tool(self) -> Case:
        if self.expect.authorize_tools is not None and self.tool is None:
            raise ValueError("name the tool that authorize_tools is asked about")
        if self.granted and self.tool is None:
            raise ValueError("name the tool of the call that earlier ones are summed for")
        return self


class CasesFile(Frozen):
    """Cases that share a base of facts."""

    base: dict[str, Stated] = {}
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
