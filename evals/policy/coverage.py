"""What policy tests exercise: rules, in which segments and need states, and the decision dimensions of each segment.

A rule counts as exercised where a test looks at a decision that the rule determines. A dimension of a segment counts
where a test looks at that dimension, in a conversation of the segment, and the segment's own rule determines it.
Combinations that no input can produce are not asked for: the solver finds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import z3

from handrail.evals.policy.case_run import CaseResult, Decided
from handrail.evals.policy.case_shapes import Expected
from handrail.evals.policy.domains import NEED
from handrail.evals.policy.play import subjects
from handrail.evals.policy.space import FALSE, Reading, Space
from handrail.evals.policy.symbolic import Decisions, Said, SymbolicDecision
from handrail.evals.policy.witness import Finder, Witness
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.combining import ADDING
from handrail.guardrails.policy.rule import Rule
from handrail.guardrails.vocabulary import Stage

NO_SEGMENT = "none"


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A rule that determines something, for a need state, in a segment (or in none)."""

    rule: str
    need: str
    segment: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A combination that can occur and that no test looks at, with an input that produces it."""

    rule: str
    about: str
    stage: Stage
    subject: str
    witness: Witness


@dataclass(frozen=True, slots=True)
class Coverage:
    """What can occur and what tests look at. `dimensions` holds "segment: dimension" pairs by segment."""

    possible: frozenset[Cell]
    hit: frozenset[Cell]
    dimensions: dict[str, dict[str, int]]

    def rules_missed(self) -> tuple[str, ...]:
        """The rules that no test looks at."""
        return tuple(sorted({cell.rule for cell in self.possible} - {cell.rule for cell in self.hit}))


def exercised(results: Iterable[CaseResult]) -> frozenset[Cell]:
    """The cells that tests look at."""
    return frozenset(cell for result in results for one in result.decided for cell in _cells(result, one))


def _cells(result: CaseResult, one: Decided) -> Iterator[Cell]:
    if one.expected is None:
        return
    need = one.facts.content(NEED)
    for rule in one.resolution.rules:
        for segment in (*result.opening.assignment.members, NO_SEGMENT):
            yield Cell(rule, str(need), segment)


def dimensions_of(bundle: Bundle, results: Sequence[CaseResult]) -> dict[str, dict[str, int]]:
    """For every active segment, each thing that it decides, and how many tests look at it."""
    found: dict[str, dict[str, int]] = {segment.id: {} for segment in bundle.segments}
    for rule in bundle.policy.rules:
        if rule.source is not None:
            for name in decides(rule):
                found[rule.source][name] = sum(_looks_at(result, rule, name) for result in results)
    return found


def decides(rule: Rule) -> tuple[str, ...]:
    """What a rule says, by the names of what tests can expect; a rule of its own effect goes by its id's last part."""
    asked, wanted = rule.restrictions, rule.selections
    if rule.permits is not None or asked.effect is not None:
        return (rule.id.rpartition(".")[2],)
    named = {
        "risk": asked.risk,
        "automation": asked.automation,
        "obligations": asked.obligations,
        "priority": wanted.priority,
        "first_response_minutes": wanted.first_response_minutes,
        "skills": wanted.skills,
        "tags": wanted.tags,
        "commitments": wanted.commitments,
        **{f"scope.{family}": classes for family, classes in wanted.scope},
        **dict(wanted.choices),
    }
    own = rule.id.rpartition(".")[2]
    prefix = "" if rule.id == f"segment.{rule.source}" else f"{own}."
    return tuple(f"{prefix}{name}" for name, content in named.items() if content)


def _looks_at(result: CaseResult, rule: Rule, name: str) -> bool:
    for one in result.decided:
        if one.expected is None or rule.id not in one.resolution.rules:
            continue
        dimension = _dimension(name)
        if _expects(one.expected, rule, dimension) and _determines(one, rule, dimension):
            return True
    return False


def _dimension(name: str) -> str:
    """The dimension of a name as `decides` gives it: `soft0.obligations` is about obligations."""
    return f"scope.{name.rpartition('scope.')[2]}" if "scope." in name else name.rpartition(".")[2]


def _expects(expected: Expected, rule: Rule, dimension: str) -> bool:
    """Whether a test would notice if the rule said something else here: of words, it has to name one of the rule's."""
    said: Iterable[str]
    if dimension.startswith("scope."):
        family = dimension.removeprefix("scope.")
        said = dict(rule.selections.scope)[family]
        wanted = [word for name, words in expected.scope.items() if name == family for word in words]
    elif dimension == "obligations":
        said, wanted = rule.restrictions.obligations, [*expected.obligations]
    elif dimension in ADDING:
        said, wanted = getattr(rule.selections, dimension), [*getattr(expected, dimension)]
    elif dimension in Expected.model_fields:
        return getattr(expected, dimension) is not None
    else:
        return expected.effect is not None or bool(expected.reasons or expected.rules)
    return not set(wanted).isdisjoint(said)


def _determines(one: Decided, rule: Rule, dimension: str) -> bool:
    determined = one.resolution.dimensions().determined_by
    return rule.id in determined[dimension] if dimension in determined else True


@dataclass(frozen=True, slots=True)
class Way:
    """A rule in one of the decisions that it is asked for."""

    stage: Stage
    subject: str
    decision: SymbolicDecision
    said: Said


class Atlas:
    """What can occur: which rules can determine something, for which need states, in which segments."""

    def __init__(self, bundle: Bundle) -> None:
        """Encode the bundle."""
        self.bundle = bundle
        space = Space([bundle])
        self._reading = Reading(bundle, space)
        self._decisions = Decisions(self._reading)
        # The gate always finds a tier, so a test cannot leave it unknown.
        tier = space.variables.get("risk")
        self._finder = Finder(space, [] if tier is None else [tier.known], plausible=True)
        self._needs = space.variables[NEED].values
        self._asked = self._ways()

    def possible(self) -> Iterator[Cell]:
        """Every cell that some input produces."""
        for rule, ways in self._asked.items():
            when = z3.Or([way.decision.determines(way.said) for way in ways])
            if not self._finder.possible(when):
                continue
            for need, here in self._needs.items():
                if not self._finder.possible(when, here):
                    continue
                yield Cell(rule, str(need), NO_SEGMENT)
                for segment, member in self._reading.members.items():
                    if self._finder.possible(when, here, member):
                        yield Cell(rule, str(need), segment)

    def decides(self, rule: Rule, name: str) -> bool:
        """Whether some input makes `rule` determine what `name` says (see `decides`)."""
        ways = self._asked.get(rule.id, ())
        return any(self._finder.possible(_deciding(way, name)) for way in ways)

    def missing(self, hit: frozenset[Cell]) -> Iterator[Missing]:
        """For each rule and need state that no test looks at, an input that produces it."""
        looked_at = {(cell.rule, cell.need) for cell in hit}
        for rule, ways in self._asked.items():
            for need, here in self._needs.items():
                if (rule, str(need)) not in looked_at:
                    yield from self._shown(
                        f"need {need}", [(way, way.decision.determines(way.said)) for way in ways], here
                    )

    def unlooked(self, dimensions: dict[str, dict[str, int]]) -> Iterator[Missing]:
        """For each dimension of a segment that no test looks at, an input in which the segment decides it."""
        for ways in self._asked.values():
            rule = ways[0].said.rule
            if rule.source is None:
                continue
            counted = dimensions[rule.source]
            for name in decides(rule):
                if counted.get(name) == 0:
                    yield from self._shown(f"{rule.source}: {name}", [(way, _deciding(way, name)) for way in ways])

    def _shown(self, about: str, ways: Iterable[tuple[Way, z3.BoolRef]], *more: z3.BoolRef) -> Iterator[Missing]:
        """One input for the first of the ways that has any."""
        for way, when in ways:
            model = self._finder.smallest(when, *more)
            if model is not None:
                yield Missing(way.said.rule.id, about, way.stage, way.subject, self._finder.witness(model))
                return

    def _ways(self) -> dict[str, list[Way]]:
        """Every rule, by id, with each decision that it is asked for."""
        found: dict[str, list[Way]] = {}
        for stage in Stage:
            for subject in subjects(self.bundle, stage):
                decision = self._decisions.at(stage, subject)
                for said in decision.said:
                    found.setdefault(said.rule.id, []).append(Way(stage, subject, decision, said))
        return found


def _deciding(way: Way, name: str) -> z3.BoolRef:
    ways = way.decision.ways(way.said)
    return ways.get(_dimension(name), ways.get("effect", FALSE))


def coverage(bundle: Bundle, results: Sequence[CaseResult], atlas: Atlas) -> Coverage:
    """What `results` look at of what can occur."""
    possible = frozenset(atlas.possible())
    counted = dimensions_of(bundle, results)
    for rule in bundle.policy.rules:
        for name in decides(rule) if rule.source is not None else ():
            if not counted[str(rule.source)][name] and not atlas.decides(rule, name):
                del counted[str(rule.source)][name]
    return Coverage(possible, exercised(results) & possible, counted)
