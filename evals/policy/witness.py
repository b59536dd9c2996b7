"""One input of a turn found by the solver: small, in the terms of the bundle, and fit to be given to `decide`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import z3

from handrail.evals.policy.domains import Domain
from handrail.evals.policy.play import completed, given, of_tool, opened
from handrail.evals.policy.space import Space, Variable
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.policy.facts import FactKind, Facts
from handrail.guardrails.policy.policyset import TURN
from handrail.guardrails.vocabulary import Decision, FactContent, Stage

LONG_AGO = 10.0**9
"""Seconds after which no segment is held any more."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What is known at the start of a turn; every fact that is not named in `contents` is unknown.

    `earlier` are the segments of the turn before, with the seconds since they began. `beyond` is what differs from an
    ordinary turn (None: unknown, where it is ordinarily known): what there is to tell of it.
    """

    contents: Mapping[str, FactContent] = field(default_factory=dict)
    earlier: Mapping[str, float] = field(default_factory=dict)
    beyond: Mapping[str, FactContent | None] = field(default_factory=dict)

    def facts(self, bundle: Bundle, stage: Stage, subject: str = TURN) -> Facts:
        """The facts that a decision at `stage` sees."""
        raw = {name: content for name, content in self.contents.items() if name != "risk"}
        facts = opened(bundle, given(bundle, raw), self.earlier).facts
        if stage is Stage.AUTHORIZE_TOOLS and subject in bundle.tools:
            facts = facts.with_facts(of_tool(bundle, subject))
        if stage is Stage.GATE_RISK or "risk" in self.contents:
            return facts
        return Facts({name: fact for name, fact in facts.used.items() if name != "risk"})

    def decision(self, bundle: Bundle, stage: Stage, subject: str = TURN) -> Decision:
        """What `decide` says of this input."""
        return bundle.policy.decide(stage, self.facts(bundle, stage, subject), subject)

    def lines(self) -> tuple[str, ...]:
        """What differs from an ordinary turn, one line a fact; empty for an ordinary one."""
        known = (f"{name}: {_shown(content)}" for name, content in sorted(self.beyond.items()))
        kept = (f"in segment {name} since {_since(age)}" for name, age in sorted(self.earlier.items()))
        return (*known, *kept)


def _shown(content: FactContent | None) -> str:
    if content is None:
        return "null"  # as a policy test writes it; `unknown` is a word that some facts hold
    if isinstance(content, tuple):
        return f"[{', '.join(content)}]"
    return str(content).lower() if isinstance(content, bool) else str(content)


def _since(age: float) -> str:
    if age >= LONG_AGO:
        return "long ago"
    return f"{age / 60:g} minutes ago" if age else "just now"


class Finder:
    """Finds inputs for which a formula holds, and makes them small."""

    def __init__(self, space: Space, more: Iterable[z3.BoolRef] = (), *, plausible: bool = False) -> None:
        """Look among all inputs of `space`, or among those that detection can give."""
        self.space = space
        self._solver = z3.SolverFor("QF_FD")
        self._named: dict[int, z3.BoolRef] = {}
        self._kept: list[z3.BoolRef] = []  # a formula that is gone would lend its number to another one
        self._solver.add(*space.constraints(), *more)
        if plausible:
            self._solver.add(*space.plausible())

    def possible(self, *wanted: z3.BoolRef) -> bool:
        """Whether there is an input for which all of `wanted` hold. Raises Undecided when that cannot be told."""
        answer = self._solver.check(*(self._literal(one) for one in wanted))
        if answer == z3.unknown:
            raise Undecided(self._solver.reason_unknown())
        return bool(answer == z3.sat)

    def _literal(self, formula: z3.BoolRef) -> z3.BoolRef:
        """What stands for `formula` among the solver's assumptions: it wants literals, so a formula gets a name."""
        if z3.is_const(formula) or (z3.is_not(formula) and z3.is_const(formula.arg(0))):
            return formula
        name = self._named.get(formula.get_id())
        if name is None:
            name = z3.Bool(f"asked {formula.get_id()}")
            self._named[formula.get_id()] = name
            self._kept.append(formula)
            self._solver.add(z3.Implies(name, formula))
        return name

    def smallest(self, *wanted: z3.BoolRef, prefer: Sequence[z3.BoolRef] = ()) -> z3.ModelRef | None:
        """An input that is as ordinary, and then as empty, as it can be; None when there is none at all.

        No fact of it can be made ordinary, or unknown, without losing what is wanted. `prefer` are formulas to make
        true first, where that is possible.
        """
        if not self.possible(*wanted):
            return None
        model = self._solver.model()
        # Names are given before the push, because what is added after it goes with the pop.
        wishes = [(one, self._literal(one)) for one in (*prefer, *self._ordinary(), *self._absences())]
        kept = [self._literal(one) for one in wanted]
        self._solver.push()
        try:
            self._solver.add(*kept)
            for wish, literal in wishes:
                # A wish that the input at hand fulfils needs no question.
                if not _true(model, wish):
                    if not self.possible(literal):
                        continue
                    model = self._solver.model()
                self._solver.add(literal)
        finally:
            self._solver.pop()
        return model

    def _ordinary(self) -> list[z3.BoolRef]:
        """Everything that an ordinary turn is: a first message, of which the usual is known, and fact by fact."""
        found = [z3.Not(one) for one in (*self.space.younger.values(), *self.space.earlier.values())]
        usual = (self.space.variables.get(name) for name in ("risk", *self.space.ordinary))
        found += [held.known for held in usual if held is not None]
        for name, content in self.space.ordinary.items():
            held = self.space.variables.get(name)
            if held is None:
                continue
            if held.domain.kind is FactKind.SET:
                members = [one if word in _items(content) else z3.Not(one) for word, one in held.values.items()]
                found.append(z3.And(held.known, *members))
            elif not isinstance(content, tuple):
                found.append(held.values[content])
        return found

    def _absences(self) -> list[z3.BoolRef]:
        """Everything that can be left out, the least telling first."""
        ordered = sorted(self.space.variables.values(), key=lambda one: _telling(one.domain))
        usual = {*self.space.ordinary, "risk"}
        found = [z3.Not(one.known) for one in ordered if one.domain.name not in usual]
        found += [
            z3.Not(member) for one in ordered if one.domain.kind is FactKind.SET for member in one.values.values()
        ]
        return found

    def witness(self, model: z3.ModelRef, changed: Mapping[str, Variable] | None = None) -> Witness:
        """The input that `model` stands for; `changed` facts as their own copies say."""
        contents: dict[str, FactContent] = {}
        for name, held in {**self.space.variables, **(changed or {})}.items():
            content = _content(model, held)
            if content is not None:
                contents[name] = content
        earlier = {name: self._age(model, name) for name, one in self.space.earlier.items() if _true(model, one)}
        return Witness(contents, earlier, self._beyond(contents))

    def _age(self, model: z3.ModelRef, name: str) -> float:
        """Seconds since a segment of the turn before was entered: as few as its holds leave open."""
        since = 0.0
        for (segment, minutes), young in self.space.younger.items():
            if segment == name:
                if _true(model, young):
                    return since
                since = minutes * 60.0
        return LONG_AGO

    def _beyond(self, contents: Mapping[str, FactContent]) -> dict[str, FactContent | None]:
        """What differs from an ordinary turn, less what follows from the rest."""
        usual = {name: content for name, content in self.space.ordinary.items() if name in self.space.variables}
        names = sorted({*usual, *contents} - {"risk"})
        told = {name: contents.get(name) for name in names if contents.get(name) != usual.get(name)}
        if "risk" in self.space.variables and "risk" not in contents:
            told["risk"] = None  # of a known tier there is nothing to tell: it follows from the rest
        main = contents.get("need_state")
        follows = completed({} if main is None else {"need_state": main})["need_states"]
        if contents.get("need_states") == follows:
            told.pop("need_states", None)
        return told


class Undecided(HandrailError):
    """The solver gave up; nothing was proved."""

    def __init__(self, reason: str) -> None:
        """Keep the solver's own words."""
        super().__init__(f"the solver gave up ({reason}), so nothing is proved; ask again, or about fewer invariants")


def _items(content: FactContent) -> tuple[str, ...]:
    return content if isinstance(content, tuple) else ()


def _telling(domain: Domain) -> int:
    """Which facts an example keeps longest: those of the message and the call."""
    telling = {"need_state": 3, "need_states": 3, "signals": 3, "intent": 2, "conversation": 2, "identity": 2}
    return telling.get(domain.name, 1 if domain.name.startswith("call_") else 0)


def _content(model: z3.ModelRef, held: Variable) -> FactContent | None:
    if not _true(model, held.known):
        return None
    words = [value for value, one in held.values.items() if _true(model, one)]
    if held.domain.kind is FactKind.SET:
        return tuple(sorted(str(word) for word in words))
    return words[0] if words else None


def _true(model: z3.ModelRef, formula: z3.BoolRef) -> bool:
    return bool(z3.is_true(model.eval(formula, model_completion=True)))
