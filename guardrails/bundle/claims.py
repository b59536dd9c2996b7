"""The shapes of `invariants.yaml`: what a bundle claims of all its decisions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from handrail.guardrails.bundle.sections import Code, Condition, Family, Identifier, ScopeFamily
from handrail.guardrails.vocabulary import Automation, Effect, Frozen, Obligation, Priority, RiskTier, Stage


class Claim(Frozen):
    """What a decision looks like; every field that is given has to fit.

    `effect`, `queue` and `flow` list the values of which it has one (`none` where nothing is chosen); `obligations` and
    `reasons` must all be there; `scope` lists classes of which at least one is granted in every family named.
    """

    effect: Annotated[tuple[Effect, ...], Field(min_length=1)] | None = None
    obligations: tuple[Obligation, ...] = ()
    reasons: tuple[Code, ...] = ()
    risk_at_least: RiskTier | None = None
    automation_at_least: Automation | None = None
    priority_at_least: Priority | None = None
    queue: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    flow: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    scope: dict[ScopeFamily, Annotated[tuple[str, ...], Field(min_length=1)]] = {}

    @model_validator(mode="after")
    def _says_something(self) -> Claim:
        if not any(getattr(self, name) for name in self.model_fields_set):
            raise ValueError("name at least one thing that the decision has")
        return self


Aspect: TypeAlias = Literal["effect", "obligations", "risk", "automation", "priority", "queue", "flow", "scope"]


class Blindness(Frozen):
    """Facts that may change nothing: attributes of whole families, and single facts by name."""

    families: tuple[Family, ...] = ()
    facts: tuple[Identifier, ...] = ()
    aspects: Annotated[tuple[Aspect, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _about_something(self) -> Blindness:
        if not self.families and not self.facts:
            raise ValueError("name families or facts")
        return self


class Growth(Frozen):
    """Members of a set fact that may only make a decision stricter when they are added."""

    fact: Identifier
    members: Annotated[tuple[str, ...], Field(min_length=1)]


class InvariantEntry(Frozen):
    """What must hold of every decision of a stage, whatever the facts: proved, not sampled (S11.1).

    Exactly one of: `always` (unless `when` is false, the decision is so), `never` (it is not so), `unaffected_by` (two
    inputs that differ in these facts alone are decided alike), `never_relaxed_by` (adding these members never lowers
    effect, risk, automation or obligations). What is proved holds in every arm of every holdout; an invariant of the
    `floor` may not hang on a customer attribute that may be ignored when unknown.
    """

    id: Identifier
    says: str
    stage: Stage
    tools: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    floor: bool = False
    when: Condition | None = None
    always: Claim | None = None
    never: Claim | None = None
    unaffected_by: Blindness | None = None
    never_relaxed_by: Growth | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> InvariantEntry:
        kinds = (self.always, self.never, self.unaffected_by, self.never_relaxed_by)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("give exactly one of always, never, unaffected_by, never_relaxed_by")
        return self


class InvariantsFile(Frozen):
    """Invariants of the bundle."""

    invariants: Annotated[tuple[InvariantEntry, ...], Field(min_length=1)]
