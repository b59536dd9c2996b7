"""Replay: recorded turns decided again by a bundle, without models and without tools (spec S11.1).

What was gathered for a turn is recorded whole, so segments, risk gate and policy are recomputed from it. What later
stages found (passages, the facts of a call, findings in a text) is taken from the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handrail.agent.audit.recorded import RecordedDecision, RecordedTurn
from handrail.agent.nodes.retrieve import flow_of_turn
from handrail.evals.policy.replay_facts import Declared, Used, named, own, used
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.builtin import NO_FLOW
from handrail.guardrails.policy.facts import IGNORE, RESTRICT, SEGMENT_PREFIX, Facts
from handrail.guardrails.policy.matcher import applies_to_restriction
from handrail.guardrails.policy.policyset import Resolution
from handrail.guardrails.segments import Segment, holds
from handrail.guardrails.vocabulary import Dimensions, Effect, Obligation, Shadow, Stage

FOUND = ("passages_good", "passages_fresh")
"""What `retrieve` finds; every later stage may ask for it."""


@dataclass(slots=True)
class Answer:
    """What a bundle decides about one recorded question."""

    stage: Stage
    subject: str
    effect: Effect
    resolution: Resolution
    dimensions: Dimensions
    shadow: Shadow | None

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What must accompany or precede."""
        return self.resolution.obligations


class Memberships:
    """The segments of a bundle, assigned as `guardrails.segments.assign` does, without the words."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        """Assign `segments`."""
        self._segments = tuple((segment, f"{SEGMENT_PREFIX}{segment.id}") for segment in segments)

    def assign(self, facts: Used, earlier: Mapping[str, float]) -> tuple[list[str], list[str]]:
        """Members and open segments; both become facts, as do all others."""
        seen = Facts(facts)
        decided: Used = {}
        members, waiting = [], []
        for segment, name in self._segments:
            truth = holds(segment, seen, earlier)
            if truth is True:
                members.append(segment.id)
                decided[name] = _INSIDE
            elif truth is False:
                decided[name] = _OUTSIDE
            else:
                waiting.append(segment.id)
                decided[name] = used(None, RESTRICT if applies_to_restriction(truth, seen) else IGNORE)
        facts.update(decided)
        return members, waiting


_INSIDE, _OUTSIDE = used(content=True), used(content=False)


class Candidate:
    """A bundle, prepared to decide recorded turns."""

    def __init__(self, bundle: Bundle) -> None:
        """Decide with `bundle`."""
        self.bundle = bundle
        self.declared = Declared(bundle)
        self.segments = Memberships(bundle.segments)
        self.tried = frozenset(rule.stage for rule in bundle.policy.shadows)
        self.of_segments = frozenset(
            name for segment in bundle.segments for name in segment.entry.names() | segment.exit.names()
        )
        self._asked: dict[tuple[Stage, str], frozenset[str]] = {}

    def asked(self, stage: Stage, subject: str) -> frozenset[str]:
        """The facts that the rules asked about `subject` read."""
        known = self._asked.get((stage, subject))
        if known is None:
            rules = self.bundle.policy.asked(stage, subject)
            known = self._asked[stage, subject] = frozenset(name for rule in rules for name in rule.names())
        return known


class Play:
    """One recorded turn under one bundle: `decide` is asked about the recorded decisions, in their order.

    `members` and `open` are the segments by this bundle, `missing` the facts that it asked for and the record does not
    have, `stale` the attributes that were recorded without content because they were too old for the bundle of then.
    """

    def __init__(self, candidate: Candidate, turn: RecordedTurn) -> None:
        """Assign segments to `turn`, which has a basis."""
        if turn.basis is None:
            raise ValueError(f"nothing was recorded of turn {turn.turn_id}")
        self._candidate = candidate
        self._under_way = turn.basis.under_way
        gathered = candidate.declared.gathered(turn.basis)
        self._absent = gathered.absent
        self._facts: Used = gathered.facts
        self.stale = gathered.stale
        self.missing: set[str] = set()
        self._miss(candidate.of_segments, self._facts, frozenset())
        members, waiting = candidate.segments.assign(self._facts, turn.basis.earlier)
        self.members = frozenset(members)
        self.open = frozenset(waiting)
        self._gate: Dimensions | None = None
        self._policy: Dimensions | None = None

    def decide(self, recorded: RecordedDecision) -> Answer:
        """What the bundle says to the question that `recorded` answered."""
        stage, subject = recorded.stage, recorded.subject
        facts = self._seen(stage, recorded)
        self._miss(self._candidate.asked(stage, subject), facts, recorded)
        bundle = self._candidate.bundle
        seen = Facts(facts)
        found = bundle.policy.resolve(stage, seen, subject)
        shadow = bundle.policy.shadow(stage, seen, subject) if stage in self._candidate.tried else None
        effect = found.effect
        if effect is Effect.ALLOW and stage is Stage.AUTHORIZE_TOOLS and subject not in bundle.tools:
            # INVARIANT: an undeclared tool is never allowed, as in the flow.
            effect = Effect.REFUSE
        answer = Answer(stage, subject, effect, found, found.dimensions(), shadow)
        self._learn(answer)
        return answer

    @property
    def queue(self) -> str | None:
        """Where a person would take over; None before the risk gate has decided."""
        if self._gate is None:
            return None
        chosen = None if self._policy is None else self._policy.queue
        return chosen or self._gate.queue or self._candidate.bundle.manifest.default_queue

    def _seen(self, stage: Stage, recorded: RecordedDecision) -> Used:
        """The facts at a stage: those of the turn, and those that the stage itself had found."""
        if stage in (Stage.GATE_RISK, Stage.APPLY_POLICY):
            return self._facts
        if stage is Stage.AUTHORIZE_TOOLS:
            return self._candidate.declared.of_call(self._facts, recorded)
        facts = {**self._facts, **own(recorded, self._facts)}
        if stage is Stage.RETRIEVE:
            facts["flow"] = used(self._flow() or NO_FLOW)
            # What was found stays known for the rest of the turn.
            self._facts.update((name, facts[name]) for name in (*FOUND, "flow") if name in facts)
        return facts

    def _flow(self) -> str | None:
        flows = self._candidate.bundle.flows
        under_way = None if self._under_way is None else flows.get(self._under_way)
        if self._policy is None or self._gate is None:
            return None if under_way is None else under_way.id
        return flow_of_turn(under_way, self._policy.flow, self._gate.risk, Facts(self._facts))

    def _learn(self, answer: Answer) -> None:
        if answer.stage is Stage.GATE_RISK:
            self._gate = answer.dimensions
            self._facts["risk"] = used(answer.dimensions.risk.value)
        elif answer.stage is Stage.APPLY_POLICY:
            self._policy = answer.dimensions

    def _miss(self, asked: frozenset[str], facts: Used, recorded: RecordedDecision | frozenset[str]) -> None:
        missing = asked.difference(facts)
        if missing:
            # A fact that was recorded as not provided was absent then too.
            missing -= recorded if isinstance(recorded, frozenset) else named(recorded)
            self.missing |= missing
        if self._absent:
            self.missing |= self._absent & asked
