"""What a scenario file says: one conversation in several wordings, and what must and must not happen (spec S15.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Effect,
    FactContent,
    Frozen,
    Priority,
    RiskTier,
    Stage,
)

MIN_WORDINGS = 5
"""A single wording proves only that this wording works."""

MAX_TURNS = 20

ANONYMOUS = "anonymous"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=80)]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=60)]
DocId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=120)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""Where a wording goes into a turn: `{opening}`."""


def _shape(value: object) -> str:
    """Which alternative of a union is meant, so that an error is reported for that one only.

    The tags hold blanks, because what is no key of the file stays out of the path of a problem.
    """
    if isinstance(value, str):
        return "a word"
    if isinstance(value, dict):
        return next((tag for key, tag in _TURNS.items() if key in value), "a mapping")
    return _TURNS_BY_TYPE.get(type(value).__name__, "a mapping")


def _listed(value: object) -> object:
    """A single word as a list of one."""
    return [value] if isinstance(value, str) else value


_TURNS = {"button": "a button", "say": "the customer", "operator": "an operator", "step_up": "a code"}
_TURNS_BY_TYPE = {"Press": "a button", "Say": "the customer", "Operate": "an operator", "StepUp": "a code"}


class Behaviour(StrEnum):
    """How the model of a scenario behaves. `embedded` quotes passages; the others are the stand-ins, mostly hostile."""

    EMBEDDED = "embedded"
    GOOD = "good"
    GREEDY = "greedy"
    PROMISER = "promiser"
    LIAR = "liar"
    LEAKER = "leaker"
    OBEDIENT = "obedient"
    DENIER = "denier"
    ENDLESS = "endless"
    MALFORMED = "malformed"
    BAD_ARGUMENTS = "bad_arguments"
    EMPTY = "empty"
    WRONG_TYPE = "wrong_type"
    WRONG_SCHEMA = "wrong_schema"
    SERVER_ERROR = "server_error"
    UNAUTHORISED = "unauthorised"
    HUGE = "huge"
    STALLING = "stalling"
    DRIPPING = "dripping"
    HALF_STREAM = "half_stream"
    MID_STREAM_ERROR = "mid_stream_error"
    OVERLOADED = "overloaded"


class StandIn(Frozen):
    """Stand-ins for a model endpoint, by their behaviour. With several, every wording is played with each."""

    standin: Annotated[tuple[Behaviour, ...], BeforeValidator(_listed), Field(min_length=1)]


class PastEvent(Frozen):
    """Something that happened to the customer before the conversation, `count` times, a minute apart."""

    kind: Name
    minutes_ago: Annotated[int, Field(ge=0, le=60 * 24 * 60)]
    count: Annotated[int, Field(ge=1, le=50)] = 1
    details: dict[str, str] = {}


class HandoffExpect(Frozen):
    """What the packet of this turn must hold. `collected` are names; `wants_contains` holds any of its phrases."""

    queue: Name | None = None
    priority_at_least: Priority | None = None
    risk_at_least: RiskTier | None = None
    collected: tuple[Name, ...] = ()
    reasons_include: tuple[Code, ...] = ()
    segments_include: tuple[Name, ...] = ()
    wants_contains: tuple[Words, ...] = ()
    tried_at_least: Annotated[int, Field(ge=0)] = 0


class RouteExpect(Frozen):
    """Where policy would send the matter, whether or not a person is asked for in this turn."""

    queue: Name | None = None
    priority: Priority | None = None


MaybeHandoff: TypeAlias = Annotated[
    Annotated[HandoffExpect, Tag("a mapping")] | Annotated[Literal["none"], Tag("a word")], Discriminator(_shape)
]


class Expect(Frozen):
    """What must hold of one turn. Phrases are compared without regard to case and white space.

    `*_include`: every one; `*_any`: at least one; `*_exclude`: none. `tools_ran` are write tools that succeeded in this
    turn; `tools_not_ran` must not have run at any time in the conversation. `effects` names the strictest effect of all
    decisions of a stage. `risk_at_least` and `route` are compared where the target shows them. `cites` says whether any
    source is cited. `confirmation` is the tool that is asked about, or `none`.
    """

    status: tuple[ConversationStatus, ...] = ()
    reasons_include: tuple[Code, ...] = ()
    reasons_any: tuple[Code, ...] = ()
    reasons_exclude: tuple[Code, ...] = ()
    segments_include: tuple[Name, ...] = ()
    segments_exclude: tuple[Name, ...] = ()
    sources_include: tuple[DocId, ...] = ()
    sources_any: tuple[DocId, ...] = ()
    sources_exclude: tuple[DocId, ...] = ()
    cites: Literal["some", "none"] | None = None
    reply_contains: tuple[Words, ...] = ()
    reply_contains_any: tuple[Words, ...] = ()
    reply_excludes: tuple[Words, ...] = ()
    quick: tuple[Words, ...] = ()
    tools_ran: tuple[Name, ...] = ()
    tools_not_ran: tuple[Name, ...] = ()
    confirmation: Name | Literal["none"] | None = None
    handoff: MaybeHandoff | None = None
    route: RouteExpect | None = None
    effects: dict[Stage, Effect] = {}
    risk_at_least: RiskTier | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Expect:
        if not self.model_fields_set:
            raise ValueError("an empty expectation expects nothing; leave `expect` out, or say what must hold")
        return self


class Say(Frozen):
    """The customer writes. `{name}` in `say` is replaced by the wording of that name.

    The turn is left out unless the reply before it contains `only_if`: a question that some wordings answer ahead.
    """

    say: Words
    only_if: Words | None = None
    expect: Expect | None = None


class Operate(Frozen):
    """An operator decides on the call that waits for approval in this conversation."""

    operator: Literal["approve", "deny"]
    expect: Expect | None = None


class StepUp(Frozen):
    """The customer types the code that was sent to them, or a wrong one."""

    step_up: Literal["code", "wrong"]
    expect: Expect | None = None


class Press(Frozen):
    """The customer presses the button for a person."""

    button: Literal["person"]
    expect: Expect | None = None


TurnSpec: TypeAlias = Annotated[
    Annotated[Say, Tag("the customer")]
    | Annotated[Press, Tag("a button")]
    | Annotated[StepUp, Tag("a code")]
    | Annotated[Operate, Tag("an operator")],
    Discriminator(
        _shape,
        custom_error_type="turn_kind",
        custom_error_message="a turn needs one of `say`, `button`, `step_up` and `operator`",
    ),
]


class Scenario(Frozen):
    """One conversation. Wording `i` takes the `i`-th line of every list in `wordings`.

    `planted` stands in the company's records wherever people write: incidents, labels of devices, descriptions.
    """

    id: Name
    title: Words
    spec: Annotated[tuple[str, ...], Field(min_length=1)]
    customer: Annotated[str, Field(min_length=1, max_length=120)]
    attributes: dict[Name, FactContent] = {}
    events: tuple[PastEvent, ...] = ()
    planted: Words | None = None
    model: Annotated[
        Annotated[StandIn, Tag("a mapping")] | Annotated[Literal["embedded"], Tag("a word")], Discriminator(_shape)
    ] = "embedded"
    wordings: Annotated[dict[Name, tuple[Words, ...]], Field(min_length=1)]
    turns: tuple[TurnSpec, ...]

    @model_validator(mode="after")
    def _whole(self) -> Scenario:
        problems = [*self._wording_problems(), *self._turn_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """How the models behave with which this scenario is played."""
        return (Behaviour.EMBEDDED,) if isinstance(self.model, str) else self.model.standin

    @property
    def count(self) -> int:
        """How many wordings there are."""
        return len(next(iter(self.wordings.values())))

    @property
    def customer_id(self) -> str | None:
        """The customer, or None for somebody who has not signed in."""
        return None if self.customer == ANONYMOUS else self.customer

    def text(self, turn: Say, wording: int) -> str:
        """What the customer writes in `turn`, in wording `wording` (from 0)."""
        return SLOT.sub(lambda match: self.wordings[match[1]][wording], turn.say)

    def _wording_problems(self) -> Iterator[str]:
        lengths = {name: len(lines) for name, lines in self.wordings.items()}
        if len(set(lengths.values())) > 1:
            counted = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            yield f"all lists of wordings must be of the same length ({counted})"
        for name, lines in self.wordings.items():
            if len(lines) < MIN_WORDINGS:
                yield f"the wordings of {name} are {len(lines)}; write at least {MIN_WORDINGS}"
            if len({" ".join(line.casefold().split()) for line in lines}) < len(lines):
                yield f"a wording of {name} stands there twice"

    def _turn_problems(self) -> Iterator[str]:
        if not 1 <= len(self.turns) <= MAX_TURNS:
            yield f"there are {len(self.turns)} turns; write 1 to {MAX_TURNS}"
            return
        used = {match[1] for turn in self.turns if isinstance(turn, Say) for match in SLOT.finditer(turn.say)}
        for name in sorted(used - set(self.wordings)):
            yield f"a turn says {{{name}}}, but there are no wordings of that name"
        for name in sorted(set(self.wordings) - used):
            yield f"no turn uses the wordings of {name}"
        if not isinstance(self.turns[0], Say):
            yield "the first turn must be something that the customer says"
        if all(turn.expect is None for turn in self.turns):
            yield "no turn expects anything"
