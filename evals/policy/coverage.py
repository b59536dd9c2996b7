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
from handrail.evals.policy.cases import Expected
from handrail.evals.policy.play import subjects
from handrail.evals.policy.space import NEED, Reading, Space
from handrail.evals.policy.symbolic import Decisions, Said, SymbolicDecision
from handrail.evals.policy.witness import Finder, Witness
from handrail.guardrails.bundle.bundle import Bundle
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
        dimension = name.rpartition(".")[2] if not name.startswith("scope.") else name
        if _expects(one.expected, dimension) and _determines(one, rule, dimension):
            return True
    return False


def _expects(expected: Expected, dimension: str) -> bool:
    given = expected.model_fields_set
    if dimension.startswith("scope."):
        return bool(given & {"scope", "scope_not"})
    if dimension not in Expected.model_fields:
        return bool(given & {"effect", "reasons", "rules"})
    return bool(given & {dimension, f"{dimension}_not"})


def _determines(one: Decided, rule: Rule, dimension: str) -> bool:
    determined = one.resolution.dimensions().determined_by
    return rule.id in determined[dimension] if dimension in determined else True


class Atlas:
    """What can occur: which rules can determine something, for which need states, in which segments."""

    def __init__(self, bundle: Bundle) -> None:
        """Encode the bundle."""
        self.bundle = bundle
        space = Space([bundle])
        self._reading = Reading(bundle, space)
        self._decisions = Decisions(self._reading)
        self._finder = Finder(space, plausible=True)
        self._needs = space.variables[NEED].values

    def possible(self) -> Iterator[Cell]:
        """Every cell that some input produces."""
        for _, _, decision, said in self._said():
            when = decision.determines(said)
            if not self._finder.possible(when):
                continue
            for need, here in self._needs.items():
                if not self._finder.possible(when, here):
                    continue
                yield Cell(said.rule.id, str(need), NO_SEGMENT)
                for segment, member in self._reading.members.items():
                    if self._finder.possible(when, here, member):
                        yield Cell(said.rule.id, str(need), segment)

    def missing(self, hit: frozenset[Cell]) -> Iterator[Missing]:
        """For each rule and need state that no test looks at, an input that produces it."""
        looked_at = {(cell.rule, cell.need) for cell in hit}
        for stage, subject, decision, said in self._said():
            when = decision.determines(said)
            for need, here in self._needs.items():
                pair = (said.rule.id, str(need))
                if pair in looked_at:
                    continue
                model = self._finder.smallest(when, here)
                if model is not None:
                    looked_at.add(pair)
                    witness = self._finder.witness(model)
                    yield Missing(said.rule.id, f"need {need}", stage, subject, witness)

    def unlooked(self, dimensions: dict[str, dict[str, int]]) -> Iterator[Missing]:
        """For each dimension of a segment that no test looks at, an input in which the segment decides it."""
        for stage, subject, decision, said in self._said():
            source = said.rule.source
            if source is None:
                continue
            for name in decides(said.rule):
                if dimensions[source].get(name):
                    continue
                model = self._finder.smallest(_deciding(decision, said, name))
                if model is not None:
                    yield Missing(said.rule.id, f"{source}: {name}", stage, subject, self._finder.witness(model))

    def _said(self) -> Iterator[tuple[Stage, str, SymbolicDecision, Said]]:
        """Every rule, once, with the decision that it is asked for; of several tools the first."""
        seen: set[str] = set()
        for stage in Stage:
            for subject in subjects(self.bundle, stage):
                decision = self._decisions.at(stage, subject)
                for said in decision.said:
                    if said.rule.id not in seen:
                        seen.add(said.rule.id)
                        yield stage, subject, decision, said


def _deciding(decision: SymbolicDecision, said: Said, name: str) -> z3.BoolRef:
    for dimension, choice in said.rule.selections.choices:
        if name == dimension:
            return z3.And(said.true, decision.chosen(dimension)[choice.value])
    return decision.determines(said)


def coverage(bundle: Bundle, results: Sequence[CaseResult], atlas: Atlas) -> Coverage:
    """What `results` look at of what can occur."""
    possible = frozenset(atlas.possible())
    return Coverage(possible, exercised(results) & possible, dimensions_of(bundle, results))
