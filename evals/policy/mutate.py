"""Mutation testing of a bundle: which of many mistakes would be noticed before anybody is served.

Every mutation is made in a copy of the bundle. It is caught by the loader, by a policy test, by an invariant that no
longer holds, or by a new finding of lint; or no input exists that is decided differently, and then it is equivalent; or
it survives.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from random import Random

import yaml

from handrail.evals.policy.case_run import run_case
from handrail.evals.policy.cases import PlacedCase, load_cases
from handrail.evals.policy.compare import Pair
from handrail.evals.policy.lint.finding import Level
from handrail.evals.policy.lint.lint import lint
from handrail.evals.policy.mistakes import mutations
from handrail.evals.policy.mutation import Kind, Mutation
from handrail.evals.policy.prove import Prover
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.yamlsource import Problem, read

Lint = Callable[[Bundle], frozenset[str]]
"""The findings of a bundle, each as one line; see `findings`."""


DUMPER: type[yaml.SafeDumper] | type[yaml.CSafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Fate(StrEnum):
    """What became of a mutation."""

    LOAD = "load"
    TEST = "test"
    PROVE = "prove"
    LINT = "lint"
    EQUIVALENT = "equivalent"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mutation, what became of it, and what noticed it (or the input that nobody looks at)."""

    mutation: Mutation
    fate: Fate
    by: str


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutations were made, and how many were noticed of those that change anything."""

    outcomes: tuple[Outcome, ...]

    def count(self, fate: Fate) -> int:
        """How many met this fate."""
        return sum(one.fate is fate for one in self.outcomes)

    @property
    def caught(self) -> int:
        """How many were noticed."""
        return sum(one.fate not in (Fate.EQUIVALENT, Fate.SURVIVED) for one in self.outcomes)

    @property
    def counting(self) -> int:
        """How many could have been noticed: all but the equivalent ones."""
        return len(self.outcomes) - self.count(Fate.EQUIVALENT)

    def by_kind(self) -> Mapping[Kind, Counter[Fate]]:
        """The fates of each kind of mistake."""
        found: dict[Kind, Counter[Fate]] = {}
        for one in self.outcomes:
            found.setdefault(one.mutation.kind, Counter())[one.fate] += 1
        return found


def made(folder: Path, bundle: Bundle) -> tuple[Mutation, ...]:
    """Every mutation of the bundle in `folder`, in a fixed order, each content once."""
    problems: list[Problem] = []
    found: dict[tuple[str, str], Mutation] = {}
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        document = read(path, name, problems)
        if document is not None:
            for mutation in mutations(name, document.content, bundle):
                found.setdefault((name, json.dumps(mutation.content)), mutation)
    return tuple(found.values())


def sampled(all_of_them: Sequence[Mutation], count: int, seed: int) -> tuple[Mutation, ...]:
    """`count` of the mutations, evenly over their kinds, always the same ones for a seed; all when there are fewer."""
    random = Random(seed)  # noqa: S311 - a sample that can be repeated, nothing secret
    piles: dict[Kind, list[Mutation]] = {}
    for mutation in all_of_them:
        piles.setdefault(mutation.kind, []).append(mutation)
    for pile in piles.values():
        random.shuffle(pile)
    chosen: list[Mutation] = []
    while len(chosen) < min(count, len(all_of_them)):
        chosen += [pile.pop() for pile in piles.values() if pile]
    return tuple(chosen[:count])


@dataclass(slots=True)
class Bench:
    """A copy of a bundle in which one mistake after the other is made and looked for.

    Cases with a message are left out: no mutation changes detection. Lint counts what it says beyond the original.
    """

    original: Bundle
    folder: Path
    lint: Lint
    cases: tuple[PlacedCase, ...] = ()
    known: frozenset[str] = field(default=frozenset())

    @classmethod
    def set_up(cls, source: Path, scratch: Path, lint: Lint) -> Bench:
        """Copy the bundle of `source`. ConfigError when it, or a case, is not in order to begin with."""
        folder = scratch / "bundle"
        shutil.copytree(source, folder)
        original = load(folder)
        cases = tuple(one for one in load_cases(folder, original) if one.case.message is None)
        wrong = [one.case.name for one in cases if run_case(original, one).failures]
        prover = Prover(original)
        broken = [one.entry.id for one in original.invariants if not prover.prove(one).proved]
        if wrong or broken:
            listed = [f"the case {name!r} fails already; mend it first" for name in wrong]
            raise ConfigError([*listed, *(f"the invariant {name} does not hold; mend it first" for name in broken)])
        return cls(original, folder, lint, cases, lint(original))

    def try_out(self, mutation: Mutation) -> Outcome:
        """Make one mistake, look for it, and undo it."""
        place = self.folder / mutation.file
        before = place.read_bytes()
        place.write_text(yaml.dump(mutation.content, Dumper=DUMPER, sort_keys=False, allow_unicode=True), "utf-8")
        try:
            try:
                mutant = load(self.folder)
            except ConfigError as error:
                return Outcome(mutation, Fate.LOAD, error.problems[0])
            return self._looked_for(mutation, mutant)
        finally:
            place.write_bytes(before)

    def _looked_for(self, mutation: Mutation, mutant: Bundle) -> Outcome:
        for one in self.cases:
            failures = run_case(mutant, one).failures
            if failures:
                return Outcome(mutation, Fate.TEST, f"{one.case.name} [{one.where}]: {failures[0]}")
        pair = Pair(self.original, mutant)
        example = pair.differs_anywhere()
        if example is None and _counts_alike(self.original, mutant):
            return Outcome(mutation, Fate.EQUIVALENT, "no input is decided differently")
        prover = Prover(mutant)
        for invariant in mutant.invariants:
            if not prover.prove(invariant).proved:
                return Outcome(mutation, Fate.PROVE, f"{invariant.entry.id}: {invariant.entry.says}")
        for finding in sorted(self.lint(mutant) - self.known):
            return Outcome(mutation, Fate.LINT, finding)
        shown = "facts are counted or aged differently" if example is None else "; ".join(example.lines())
        return Outcome(mutation, Fate.SURVIVED, shown or "an ordinary turn")


def _counts_alike(one: Bundle, other: Bundle) -> bool:
    """Whether the facts that are read come about in the same way: which events they count, how old they may be."""
    read = _read(one) | _read(other)
    windows, ages = [], []
    for bundle in (one, other):
        counts = {window.fact: window for window in bundle.windows if window.fact in read}
        windows.append((counts, {window.fact: window for window in bundle.amounts if window.fact in read}))
        used = {name: held for name, held in bundle.attributes.items() if name in read or held.scope_family is not None}
        ages.append({name: held.max_age_days for name, held in used.items()})
    return windows[0] == windows[1] and ages[0] == ages[1]


def _read(bundle: Bundle) -> frozenset[str]:
    """The facts that something in force reads; what a shadow rule reads changes no decision."""
    segments = [condition for segment in bundle.segments for condition in (segment.entry, segment.exit)]
    rules = [rule.when for rule in bundle.policy.rules]
    return frozenset().union(*(one.names() for one in (*rules, *segments, *(each.when for each in bundle.invariants))))


def run(bench: Bench, chosen: Sequence[Mutation]) -> Iterator[Outcome]:
    """Try out one mutation after the other."""
    for mutation in chosen:
        yield bench.try_out(mutation)


def findings(bundle: Bundle, today: date) -> frozenset[str]:
    """What lint says of a bundle, but for notes: one line each, without places, which move with every mutation."""
    found = lint(bundle, today)
    return frozenset(f"{one.code} {one.subject}" for one in found if one.level is not Level.NOTE)
