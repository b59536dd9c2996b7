"""What changes between two bundles, over the whole space of inputs: each change once, with an example that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import z3

from handrail.evals.policy.compare import Pair, Side, exclusive, tokens
from handrail.evals.policy.direction import Direction
from handrail.evals.policy.parts import Touched, touched
from handrail.evals.policy.space import FALSE
from handrail.evals.policy.symbolic import SymbolicDecision
from handrail.evals.policy.witness import Witness
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.vocabulary import Automation, Decision, Effect, RiskTier, Stage


@dataclass(frozen=True, slots=True)
class Example:
    """One input and what the two bundles decide of it."""

    witness: Witness
    before: Decision
    after: Decision


@dataclass(frozen=True, slots=True)
class Change:
    """One way in which decisions change. `subjects` are the tools, or the turn, that it can happen to.

    `only_in` are the segments without which it cannot happen, `within` those in which it can.
    """

    stage: Stage
    subjects: tuple[str, ...]
    dimension: str
    before: str
    after: str
    direction: Direction
    only_in: tuple[str, ...]
    within: tuple[str, ...]
    example: Example


@dataclass(frozen=True, slots=True)
class ToolChange:
    """A tool that only one of the bundles has; without it every call is refused. `effects` are what it can come to."""

    tool: str
    gained: bool
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that changes. `members` are the segments that somebody enters or leaves (with an example each).

    `touched` is what somebody wrote, by kind, beside what it does.
    """

    before: str
    after: str
    touched: Mapping[str, Touched]
    changes: tuple[Change, ...]
    tools: tuple[ToolChange, ...]
    members: Mapping[str, Witness]

    @property
    def same(self) -> bool:
        """Whether every input is decided alike."""
        return not self.changes and not self.tools and not self.members


def compared(before: Bundle, after: Bundle) -> Difference:
    """What decisions change from `before` to `after`, for every input that detection can give."""
    pair = Pair(before, after)
    found = [change for stage in DECIDING_STAGES for change in _of_stage(pair, stage)]
    order = list(Direction)
    ordered = sorted(found, key=lambda one: (order.index(one.direction), list(Stage).index(one.stage), one.dimension))
    return Difference(
        before.revision,
        after.revision,
        touched(before, after),
        tuple(ordered),
        tuple(_tools(pair)),
        dict(_members(pair)),
    )


def _tools(pair: Pair) -> Iterator[ToolChange]:
    for tool in pair.subjects(Stage.AUTHORIZE_TOOLS):
        one, other = pair.decisions(Stage.AUTHORIZE_TOOLS, tool)
        held = one or other
        if held is not None and (one is None or other is None):
            effects = tuple(effect for effect, when in held.effects.items() if pair.finder.possible(when))
            yield ToolChange(tool, one is None, effects)


def _members(pair: Pair) -> Iterator[tuple[str, Witness]]:
    first, second = pair.before.reading.members, pair.after.reading.members
    for name in sorted({*first, *second}):
        model = pair.finder.smallest(z3.Xor(first.get(name, FALSE), second.get(name, FALSE)))
        if model is not None:
            yield name, pair.finder.witness(model)


def _of_stage(pair: Pair, stage: Stage) -> Iterator[Change]:
    """The changes at a stage, those of several tools together."""
    gathered: dict[tuple[str, str, str], list[tuple[str, z3.BoolRef]]] = {}
    for subject in pair.subjects(stage):
        one, other = pair.decisions(stage, subject)
        for dimension, before, after, when in _steps(one, other):
            if pair.finder.possible(when):
                gathered.setdefault((dimension, before, after), []).append((subject, when))
    for (dimension, before, after), held in gathered.items():
        subject, when = held[0]
        model = pair.finder.smallest(when)
        if model is None:
            continue
        witness = pair.finder.witness(model)
        example = Example(witness, *(_decided(side, stage, subject, witness) for side in (pair.before, pair.after)))
        anywhere = z3.Or([formula for _, formula in held])
        within = tuple(_within(pair, anywhere))
        only = tuple(name for name in within if not pair.finder.possible(anywhere, z3.Not(_membership(pair, name))))
        subjects = tuple(name for name, _ in held)
        direction = direction_of(dimension, before, after)
        yield Change(stage, subjects, dimension, before, after, direction, only, within, example)


def _within(pair: Pair, when: z3.BoolRef) -> Iterator[str]:
    for name in sorted({*pair.before.reading.members, *pair.after.reading.members}):
        if pair.finder.possible(when, _membership(pair, name)):
            yield name


def _membership(pair: Pair, name: str) -> z3.BoolRef:
    return z3.Or(pair.before.reading.members.get(name, FALSE), pair.after.reading.members.get(name, FALSE))


def _decided(side: Side, stage: Stage, subject: str, witness: Witness) -> Decision:
    return witness.decision(side.bundle, stage, subject)


def _steps(one: SymbolicDecision | None, other: SymbolicDecision | None) -> Iterator[tuple[str, str, str, z3.BoolRef]]:
    """(dimension, before, after, when) for every change that there could be."""
    if one is None or other is None:
        return
    first, second = exclusive(one), exclusive(other)
    for name, values in first.items():
        for (before, when), (after, then) in product(values.items(), second[name].items()):
            if before != after:
                yield name, before, after, z3.And(when, then)
    held, later = tokens(one), tokens(other)
    for name, words in held.items():
        for word in sorted({*words, *later[name]}):
            when, then = words.get(word, FALSE), later[name].get(word, FALSE)
            yield name, word, "", z3.And(when, z3.Not(then))
            yield name, "", word, z3.And(then, z3.Not(when))


_SCALES: Mapping[str, type[Effect] | type[RiskTier] | type[Automation]] = {
    "effect": Effect,
    "risk": RiskTier,
    "automation": Automation,
}


def direction_of(dimension: str, before: str, after: str) -> Direction:
    """Whether a change of a dimension gives more freedom or less; routing and manner give neither."""
    scale = _SCALES.get(dimension)
    if scale is not None:
        lower = scale(after).rank < scale(before).rank
        return Direction.MORE_PERMISSIVE if lower else Direction.STRICTER
    if dimension == "obligations":
        return Direction.STRICTER if after else Direction.MORE_PERMISSIVE
    if dimension == "scope":
        return Direction.MORE_PERMISSIVE if after else Direction.STRICTER
    return Direction.OTHERWISE
