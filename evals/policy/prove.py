"""Proving the invariants of a bundle over all inputs, or finding the smallest input that breaks one (spec S11.1)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import z3

from handrail.evals.policy.claims import RELAXABLE, differs, formula, holds, relaxed, relaxes, varies
from handrail.evals.policy.space import Reading, Space, Variable, variable
from handrail.evals.policy.symbolic import Decisions
from handrail.evals.policy.witness import Finder, Witness
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.invariants import Invariant
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import Decision


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input for which an invariant does not hold, and what was decided; `other` is the second of a pair."""

    subject: str
    witness: Witness
    decision: Decision
    other: Witness | None = None
    other_decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one invariant: proved when there is no counterexample. `vacuous`: its condition is never met."""

    invariant: Invariant
    counterexample: Counterexample | None
    vacuous: bool
    seconds: float

    @property
    def proved(self) -> bool:
        """Whether it holds for all inputs."""
        return self.counterexample is None and not self.vacuous


class ProofFault(HandrailError):
    """The solver's counterexample does not reproduce: a defect of the prover, never a proof."""


class Prover:
    """Proves the invariants of one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        """Encode nothing yet but the inputs."""
        self._bundle = bundle
        self._space = Space([bundle])
        self._reading = Reading(bundle, self._space)
        self._decisions = Decisions(self._reading)
        self._finder = Finder(self._space)

    def prove(self, invariant: Invariant) -> Proof:
        """Look for an input that breaks it, for each of its subjects."""
        began = time.perf_counter()
        found: Counterexample | None = None
        met = False
        for subject in invariant.subjects:
            found = self._broken(invariant, subject)
            met = met or found is not None or self._met(invariant, subject)
            if found is not None:
                break
        return Proof(invariant, found, not met, time.perf_counter() - began)

    def _met(self, invariant: Invariant, subject: str) -> bool:
        stage = invariant.entry.stage
        truth = self._decisions.reading(stage, subject).truth(invariant.when)
        return self._finder.possible(z3.Not(truth.false))

    def _broken(self, invariant: Invariant, subject: str) -> Counterexample | None:
        entry = invariant.entry
        if entry.always is not None or entry.never is not None:
            return self._misses_claim(invariant, subject)
        return self._differs(invariant, subject)

    def _misses_claim(self, invariant: Invariant, subject: str) -> Counterexample | None:
        entry = invariant.entry
        stage = entry.stage
        decision = self._decisions.at(stage, subject)
        when = z3.Not(self._decisions.reading(stage, subject).truth(invariant.when).false)
        claim = entry.always or entry.never
        if claim is None:
            raise ProofFault(f"{entry.id} claims nothing")
        wanted = formula(claim, decision)
        model = self._finder.smallest(when, z3.Not(wanted) if entry.always is not None else wanted)
        if model is None:
            return None
        witness = self._finder.witness(model)
        made = witness.decision(self._bundle, stage, subject)
        truth = invariant.when.truth(witness.facts(self._bundle, stage, subject))
        if truth is False or holds(claim, made) is (entry.always is not None):
            raise ProofFault(f"{entry.id}: {'; '.join(witness.lines())} was said to break it and does not")
        return Counterexample(subject, witness, made)

    def _differs(self, invariant: Invariant, subject: str) -> Counterexample | None:
        entry = invariant.entry
        stage = entry.stage
        changed, more = self._changed(invariant)
        one = self._decisions.at(stage, subject)
        other = Decisions(Reading(self._bundle, self._space, changed)).at(stage, subject)
        aspects = RELAXABLE if entry.unaffected_by is None else entry.unaffected_by.aspects
        compare = relaxed if entry.unaffected_by is None else differs
        finder = Finder(self._space, more)
        when = z3.Not(self._decisions.reading(stage, subject).truth(invariant.when).false)
        wanted = z3.Or([compare(aspect, one, other) for aspect in aspects])
        model = finder.smallest(when, wanted, prefer=_alike(self._space, changed))
        if model is None:
            return None
        first, second = finder.witness(model), finder.witness(model, changed)
        made, made_then = (each.decision(self._bundle, stage, subject) for each in (first, second))
        breaks = relaxes if entry.unaffected_by is None else varies
        met = invariant.when.truth(first.facts(self._bundle, stage, subject)) is not False
        if not met or not any(breaks(aspect, made, made_then) for aspect in aspects):
            raise ProofFault(f"{entry.id}: {'; '.join(first.lines())} was said to break it and does not")
        return Counterexample(subject, first, made, second, made_then)

    def _changed(self, invariant: Invariant) -> tuple[dict[str, Variable], list[z3.BoolRef]]:
        """Second copies of the facts that may differ, and how they may."""
        growth = invariant.entry.never_relaxed_by
        names = invariant.blind_to if growth is None else {growth.fact}
        domains = self._space.domains
        changed = {name: variable(domains[name], "'") for name in sorted(names) if name in self._space.variables}
        more = [one for held in changed.values() for one in held.constraints()]
        for name, held in changed.items() if growth is not None else ():
            before = self._space.variables[name]
            more.append(before.known)
            more.append(held.known)
            for word, member in held.values.items():
                added = word in growth.members if growth is not None else False
                more.append(z3.Implies(before.values[word], member) if added else member == before.values[word])
        return changed, more


def _alike(space: Space, changed: dict[str, Variable]) -> list[z3.BoolRef]:
    """Wishes that keep the two inputs of a pair as alike as they can be."""
    found = []
    for name, held in changed.items():
        before = space.variables[name]
        found.append(z3.And(held.known == before.known, *(one == before.values[v] for v, one in held.values.items())))
    for name, held in changed.items():
        found += [one == space.variables[name].values[value] for value, one in held.values.items()]
    return found


def prove(bundle: Bundle, chosen: Sequence[Invariant] | None = None) -> Iterator[Proof]:
    """Prove the invariants of `bundle`, or `chosen` ones, one after the other."""
    prover = Prover(bundle)
    for invariant in bundle.invariants if chosen is None else chosen:
        yield prover.prove(invariant)
