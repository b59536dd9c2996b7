"""A rule: when it applies, and what it then says about each decision dimension."""

from __future__ import annotations

from dataclasses import dataclass, field

from handrail.guardrails.policy.matcher import Matcher
from handrail.guardrails.vocabulary import (
    Automation,
    Effect,
    Obligation,
    Priority,
    RiskTier,
    Stage,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A value for a dimension where only one can win; the larger precedence does. A tie is a load error."""

    value: str
    precedence: int


@dataclass(frozen=True, slots=True)
class Selections:
    """What a rule selects. These need the condition to be true; each field combines in its own way (S2.3).

    `queue`, `tone`, `depth` and `flow` by precedence; `skills`, `tags` and `commitments` by union; `priority` by the
    strictest; `first_response_minutes` by the smallest; `scope` by union within a family, intersected across families.
    """

    queue: Choice | None = None
    skills: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    commitments: frozenset[str] = frozenset()
    priority: Priority | None = None
    first_response_minutes: int | None = None
    scope: tuple[tuple[str, frozenset[str]], ...] = ()
    tone: Choice | None = None
    depth: Choice | None = None
    flow: Choice | None = None
    choices: tuple[tuple[str, Choice], ...] = field(init=False, repr=False, compare=False)
    """The dimensions decided by precedence, with this rule's value."""

    def __post_init__(self) -> None:
        named = (("queue", self.queue), ("tone", self.tone), ("depth", self.depth), ("flow", self.flow))
        object.__setattr__(self, "choices", tuple((name, choice) for name, choice in named if choice is not None))


NOTHING_SELECTED = Selections()
"""What a rule selects that only permits or restricts."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a rule restricts. These apply unless the condition is false: unknown is not a way out."""

    effect: Effect | None = None
    automation: Automation | None = None
    risk: RiskTier | None = None
    obligations: frozenset[Obligation] = frozenset()


NOTHING_RESTRICTED = Restrictions()
"""What a rule restricts that only permits or selects."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of policy. `permits` grants `allow` when true; it never overrides a restriction.

    `subjects` are the tools (stage authorize_tools) it is asked about; None means every subject of the stage. `where`
    is the place in the bundle, `source` the segment it was compiled from. No holdout may switch off what is `floor`.
    """

    id: str
    stage: Stage
    reason: str
    when: Matcher
    where: str
    subjects: frozenset[str] | None = None
    source: str | None = None
    floor: bool = False
    permits: Effect | None = None
    restrictions: Restrictions = NOTHING_RESTRICTED
    selections: Selections = NOTHING_SELECTED
    restricts: bool = field(init=False, repr=False, compare=False)
    selects: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "restricts", self.restrictions != NOTHING_RESTRICTED)
        object.__setattr__(self, "selects", self.selections != NOTHING_SELECTED)

    def names(self) -> frozenset[str]:
        """The facts this rule reads."""
        return self.when.names()

    def asked_about(self, subject: str) -> bool:
        """Whether this rule is asked about `subject`."""
        return self.subjects is None or subject in self.subjects
