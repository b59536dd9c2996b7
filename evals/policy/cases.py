"""Policy tests as YAML beside the policies: facts or a message in; effect, reasons, obligations, segments out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import Code, Identifier, ScopeFamily
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.policy.condition import nearest
from handrail.guardrails.policy.facts import FactKind, FactSpec
from handrail.guardrails.vocabulary import (
    Automation,
    Depth,
    Effect,
    FactContent,
    Frozen,
    Obligation,
    Priority,
    RiskTier,
    Scalar,
    Stage,
    Tone,
)
from handrail.guardrails.yamlsource import Document, PathKey, Problem, read

FOLDER = "tests"
Stated = Scalar | tuple[str, ...] | None
"""A fact as a case gives it; null is unknown."""


class Expected(Frozen):
    """What a decision must say. What is left out is not looked at.

    `reasons`, `obligations`, `skills`, `tags` and `scope` have to be among those of the decision, `*_not` must not.
    `rules` have to be among the determining ones. `queue` and `flow` may be `none`.
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
    scope: dict[ScopeFamily, tuple[str, ...]] = {}
    scope_not: dict[ScopeFamily, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _says_something(self) -> Expected:
        if not self.model_fields_set:
            raise ValueError("an expectation that expects nothing proves nothing; say what must hold")
        return self


class Members(Frozen):
    """Segments that must hold, and some that must not."""

    inside: tuple[Identifier, ...] = ()
    outside: tuple[Identifier, ...] = ()


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
        if not self.model_fields_set:
            raise ValueError("a case that expects nothing proves nothing; say what must hold")
        return self


class PastEvent(Frozen):
    """Something that happened before: `count` times, the last one `minutes_ago`, `apart` minutes between them."""

    kind: Identifier
    minutes_ago: Annotated[float, Field(ge=0)]
    count: Annotated[int, Field(ge=1, le=50)] = 1
    apart: Annotated[float, Field(gt=0)] = 1
    intent: str | None = None


class Case(Frozen):
    """One policy test. `earlier` are segments of the turn before, with the minutes since they began.

    `facts` stand over the base of the file, which stands over an ordinary turn (see `case_facts`). With `message`, what
    detection finds in it takes the place of the facts about the message. `tool` is the one that a call is about.
    `events` are what windows count, in a conversation opened `opened_minutes_ago`; `ages` says how many days ago
    attributes were observed.
    """

    name: Annotated[str, Field(min_length=1, max_length=160)]
    facts: dict[str, Stated] = {}
    message: str | None = None
    earlier: dict[Identifier, Annotated[float, Field(ge=0)]] = {}
    events: tuple[PastEvent, ...] = ()
    opened_minutes_ago: Annotated[float, Field(ge=0)] = 0
    ages: dict[Identifier, Annotated[float, Field(ge=0)]] = {}
    tool: Identifier | None = None
    expect: Expectations

    @model_validator(mode="after")
    def _about_a_tool(self) -> Case:
        if self.expect.authorize_tools is not None and self.tool is None:
            raise ValueError("name the tool that authorize_tools is asked about")
        return self


class CasesFile(Frozen):
    """Cases that share a base of facts."""

    base: dict[str, Stated] = {}
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class PlacedCase:
    """A case with the facts of its file beneath, and where it stands."""

    case: Case
    base: Mapping[str, Stated]
    where: str

    def stated(self) -> dict[str, FactContent | None]:
        """All facts that the file and the case give."""
        return {**self.base, **self.case.facts}


def load_cases(folder: Path, bundle: Bundle) -> tuple[PlacedCase, ...]:
    """The cases in `folder`/tests, checked against the bundle. ConfigError lists everything that is wrong."""
    problems: list[Problem] = []
    found: list[PlacedCase] = []
    for path in sorted((folder / FOLDER).rglob("*.yaml")):
        document = read(path, path.relative_to(folder).as_posix(), problems)
        content = None if document is None else document.parse(CasesFile, problems)
        if document is None or content is None:
            continue
        problems.extend(_wrong(document, content, bundle))
        for index, case in enumerate(content.cases):
            where = f"{document.file}:{document.line(('cases', index))}"
            found.append(PlacedCase(case, content.base, where))
    names: dict[str, str] = {}
    for one in found:
        if one.case.name in names:
            file, _, line = one.where.rpartition(":")
            message = f"the name {one.case.name!r} is taken by {names[one.case.name]}; choose another one"
            problems.append(Problem(file, int(line), message))
        names.setdefault(one.case.name, one.where)
    if problems:
        raise ConfigError([str(problem) for problem in sorted(set(problems))])
    return tuple(found)


def _wrong(document: Document, content: CasesFile, bundle: Bundle) -> Iterator[Problem]:
    yield from _facts(document, ("base",), content.base, bundle)
    for index, case in enumerate(content.cases):
        path: PathKey = ("cases", index)
        yield from _facts(document, (*path, "facts"), case.facts, bundle)
        segments = [segment.id for segment in bundle.segments]
        yield from _names(document, (*path, "earlier"), case.earlier, segments, "active segment")
        yield from _names(
            document, (*path, "ages"), case.ages, case.facts.keys() & bundle.attributes, "attribute given"
        )
        kinds = (event.kind for event in case.events)
        yield from _names(document, (*path, "events"), kinds, bundle.events, "kind of event")
        yield from _names(document, (*path, "tool"), (case.tool,) if case.tool else (), bundle.tools, "tool")
        expect = case.expect
        if expect.segments is not None:
            named = (*expect.segments.inside, *expect.segments.outside)
            yield from _names(document, (*path, "expect", "segments"), named, segments, "active segment")
        rules = [rule.id for rule in bundle.policy.rules]
        for stage in Stage:
            wanted = expect.at(stage)
            if wanted is None:
                continue
            at = (*path, "expect", stage.value)
            yield from _names(document, (*at, "reasons"), wanted.reasons, bundle.reasons, "reason code")
            yield from _names(document, (*at, "reasons_not"), wanted.reasons_not, bundle.reasons, "reason code")
            yield from _names(document, (*at, "rules"), wanted.rules, rules, "active rule")
            queue, flow = ((one,) if one not in (None, "none") else () for one in (wanted.queue, wanted.flow))
            yield from _names(document, (*at, "queue"), (str(one) for one in queue), bundle.queues, "queue")
            yield from _names(document, (*at, "flow"), (str(one) for one in flow), bundle.flows, "flow")


def _names(
    document: Document, path: PathKey, names: Iterable[str], known: Iterable[str], kind: str
) -> Iterator[Problem]:
    held = list(known)
    for name in names:
        if name not in held:
            yield document.problem(path, f"there is no {kind} {name!r}{nearest(name, held)}")


def _facts(document: Document, path: PathKey, stated: Mapping[str, Stated], bundle: Bundle) -> Iterator[Problem]:
    known = {**bundle.facts, **{f"holdout:{one.id}": _HOLDOUT for one in bundle.holdouts}}
    for name, content in stated.items():
        spec = known.get(name)
        if spec is None:
            yield document.problem((*path, name), f"there is no fact {name!r}{nearest(name, known)}")
        elif content is not None and not _possible(spec, content):
            allowed = f"; it is one of {', '.join(sorted(spec.values))}" if spec.values else ""
            yield document.problem((*path, name), f"{name} is a {spec.kind.value} and never {content!r}{allowed}")


_HOLDOUT = FactSpec("holdout", FactKind.BOOLEAN, "whether the conversation is in the holdout")


def _possible(spec: FactSpec, content: FactContent) -> bool:
    words = content if isinstance(content, tuple) else (content,)
    kinds: Mapping[FactKind, type | tuple[type, ...]] = {
        FactKind.SET: tuple,
        FactKind.WORD: str,
        FactKind.BOOLEAN: bool,
        FactKind.NUMBER: (int, float),
    }
    if not isinstance(content, kinds[spec.kind]) or (spec.kind is FactKind.NUMBER and isinstance(content, bool)):
        return False
    return spec.values is None or set(words) <= spec.values
