"""Turns parsed sections into rules and segments, checking every reference on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from handrail.guardrails.bundle.purposes import rule_problems
from handrail.guardrails.bundle.sections import Attribute, HoldoutEntry, Outcome, RuleEntry, SegmentEntry, Trigger
from handrail.guardrails.policy.condition import ConditionReader, nearest
from handrail.guardrails.policy.facts import SEGMENT_PREFIX, FactSpec
from handrail.guardrails.policy.matcher import ALWAYS, AtLeast, Matcher, in_segment, outside_holdout
from handrail.guardrails.policy.rule import Choice, Restrictions, Rule, Selections
from handrail.guardrails.segments import Segment
from handrail.guardrails.vocabulary import Effect, Obligation, Stage
from handrail.guardrails.yamlsource import Document, PathKey, Problem

DECIDING_STAGES = (Stage.GATE_RISK, Stage.APPLY_POLICY, Stage.RETRIEVE, Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT)
"""Stages where rules decide; the others report signals or carry decisions out."""

FLOOR_STAGES = frozenset({Stage.GATE_RISK, Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT})
"""Stages whose restrictions belong to the safety floor, marked so or not."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that conditions and rules may refer to; `complete` says that every fact could be read."""

    facts: Mapping[str, FactSpec]
    segments: frozenset[str]
    queues: frozenset[str]
    reasons: frozenset[str]
    tools: frozenset[str]
    flows: frozenset[str]
    commitments: frozenset[str]
    complete: bool = True


@dataclass(slots=True)
class Compiler:
    """Compiles documents one after the other; problems are collected, never raised."""

    words: Vocabulary
    problems: list[Problem]
    rules: list[Rule] = field(default_factory=list)
    shadows: list[Rule] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    _places: dict[str, tuple[Document, PathKey]] = field(default_factory=dict)

    def rule(self, document: Document, entry: RuleEntry, path: PathKey) -> None:
        """Compile one entry of a rules file."""
        tools = frozenset(entry.tools) if entry.tools is not None else None
        if entry.stage not in DECIDING_STAGES:
            names = ", ".join(stage.value for stage in DECIDING_STAGES)
            self._report(document, (*path, "stage"), f"rules decide at {names}, not at {entry.stage.value}")
            return
        if tools is not None and entry.stage is not Stage.AUTHORIZE_TOOLS:
            self._report(document, (*path, "tools"), "only rules at authorize_tools are asked about tools")
        self._known(document, (*path, "tools"), tools or (), self.words.tools, "tool")
        if entry.effect is Effect.NOT_YET and not entry.obligations:
            self._report(document, (*path, "effect"), "not_yet must name the next step in obligations")
        when = ALWAYS if entry.when is None else self._read(document, entry.when, (*path, "when"), entry.stage, tools)
        shape = Rule(
            id=entry.id,
            stage=entry.stage,
            reason=entry.reason,
            when=when,
            where="",
            subjects=tools,
            floor=entry.floor,
        )
        self._add(document, path, shape, entry, entry.effect, self.shadows if entry.status == "shadow" else self.rules)

    def segment(self, document: Document, entry: SegmentEntry) -> None:
        """Compile one segment into its membership and the rules that its decisions amount to.

        One that stands ready is checked in the same way, so that it can be switched on, and then left out.
        """
        if entry.status == "ready":
            Compiler(self.words, self.problems).segment(document, entry.model_copy(update={"status": "active"}))
            return
        entering = self._read(document, entry.entry, ("entry",), Stage.ASSIGN_SEGMENTS)
        leaving = self._read(document, entry.exit, ("exit",), Stage.ASSIGN_SEGMENTS)
        self._reason(document, ("reason",), entry.reason)
        self.segments.append(Segment(entry.id, entry.reason, entering, leaving, entry.hold_minutes))
        inside = in_segment(entry.id)
        if entry.decisions != Outcome():
            self._of_segment(document, ("decisions",), entry, "", inside, entry.decisions)
        for verb, tools, effect in (
            ("allow", entry.actions.allow, Effect.ALLOW),
            ("deny", entry.actions.deny, Effect.REFUSE),
        ):
            if tools:
                path: PathKey = ("actions", verb)
                self._known(document, path, tools, self.words.tools, "tool")
                self._of_segment(document, path, entry, f".{verb}", inside, Outcome(), frozenset(tools), effect)
        for index, trigger in enumerate(entry.escalation.hard):
            self._trigger(document, ("escalation", "hard", index), entry, trigger, Effect.ESCALATE)
        for index, trigger in enumerate(entry.escalation.soft):
            self._trigger(document, ("escalation", "soft", index), entry, trigger, None)

    def hold_out(self, document: Document, entry: HoldoutEntry, path: PathKey) -> None:
        """Switch rules off for the conversations of a holdout; the safety floor stays on in every arm (S11.2)."""
        known = {rule.id for rule in self.rules} | {f"segment.{segment.id}" for segment in self.segments}
        held: set[int] = set()
        for index, name in enumerate(entry.without):
            named = [at for at, rule in enumerate(self.rules) if name in {rule.id, f"segment.{rule.source}"}]
            floor = [self.rules[at].id for at in named if _of_floor(self.rules[at])]
            if floor:
                message = f"{floor[0]} belongs to the safety floor, which no holdout may switch off"
                self._report(document, (*path, "without", index), message)
            if name not in known:
                message = f"there is no active rule or segment {name!r}{nearest(name, known)}"
                self._report(document, (*path, "without", index), message)
            held.update(named)
        for at in held:
            condition = AtLeast(2, (self.rules[at].when, outside_holdout(entry.id)))
            self.rules[at] = replace(self.rules[at], when=condition)

    def finish(self, attributes: Mapping[str, Attribute]) -> None:
        """Checks over all rules together: duplicate ids, precedence ties, purposes."""
        seen: dict[str, Rule] = {}
        chosen: dict[tuple[str, int], tuple[str, Rule]] = {}
        segment_facts = {
            f"{SEGMENT_PREFIX}{segment.id}": segment.entry.names() | segment.exit.names() for segment in self.segments
        }
        for rule in (*self.rules, *self.shadows):
            if rule.id in seen:
                self._at(rule, f"the rule id {rule.id} is taken by {seen[rule.id].where}")
            seen.setdefault(rule.id, rule)
            for dimension, choice in rule.selections.choices:
                held = chosen.setdefault((dimension, choice.precedence), (choice.value, rule))
                if held[0] != choice.value:
                    self._at(
                        rule,
                        f"{dimension} {choice.value!r} ties with {held[0]!r} of {held[1].id} ({held[1].where}) "
                        f"at precedence {choice.precedence}; give one of them another precedence",
                    )
            for problem in rule_problems(rule, attributes, segment_facts):
                self._at(rule, problem)

    def _trigger(
        self, document: Document, path: PathKey, entry: SegmentEntry, trigger: Trigger, effect: Effect | None
    ) -> None:
        when: Matcher = in_segment(entry.id)
        if trigger.when is not None:
            when = AtLeast(2, (when, self._read(document, trigger.when, (*path, "when"), Stage.APPLY_POLICY)))
        outcome = Outcome(obligations=(Obligation.OFFER_HUMAN,)) if effect is None else Outcome()
        suffix = f".{path[-2]}{path[-1]}"
        told = entry.model_copy(update={"reason": trigger.reason})
        self._of_segment(document, path, told, suffix, when, outcome, None, effect)

    def _of_segment(  # noqa: PLR0913, PLR0917 - one place that builds the rules of a segment
        self,
        document: Document,
        path: PathKey,
        entry: SegmentEntry,
        suffix: str,
        when: Matcher,
        outcome: Outcome,
        tools: frozenset[str] | None = None,
        effect: Effect | None = None,
    ) -> None:
        shape = Rule(
            id=f"segment.{entry.id}{suffix}",
            stage=Stage.APPLY_POLICY if tools is None else Stage.AUTHORIZE_TOOLS,
            reason=entry.reason,
            when=when,
            where="",
            subjects=tools,
            source=entry.id,
            floor=entry.floor,
        )
        self._add(document, path, shape, outcome, effect, self.rules)

    def _add(
        self,
        document: Document,
        path: PathKey,
        shape: Rule,
        outcome: Outcome,
        effect: Effect | None,
        among: list[Rule],
    ) -> None:
        self._reason(document, (*path, "reason"), shape.reason)
        self._outcome(document, path, outcome)
        restrictions = Restrictions(
            effect=effect if effect is not Effect.ALLOW else None,
            automation=outcome.automation,
            risk=outcome.risk,
            obligations=frozenset(outcome.obligations),
        )
        where = document.place(path)
        self._places[where] = (document, path)
        among.append(
            replace(
                shape,
                where=where,
                permits=effect if effect is Effect.ALLOW else None,
                restrictions=restrictions,
                selections=_selections(outcome),
            )
        )

    def _outcome(self, document: Document, path: PathKey, outcome: Outcome) -> None:
        if outcome.queue is not None:
            self._known(document, (*path, "queue"), (outcome.queue.value,), self.words.queues, "queue")
        if outcome.flow is not None:
            self._known(document, (*path, "flow"), (outcome.flow.value,), self.words.flows, "flow")
        self._known(document, (*path, "commitments"), outcome.commitments, self.words.commitments, "commitment")

    def _read(
        self,
        document: Document,
        condition: Mapping[str, object],
        path: PathKey,
        stage: Stage,
        tools: frozenset[str] | None = None,
    ) -> Matcher:
        reader = ConditionReader(document, self.words.facts, self.words.segments, self.problems, self.words.complete)
        return reader.read(dict(condition), path, stage, tools)  # type: ignore[arg-type]  # parsed from JSON values

    def _reason(self, document: Document, path: PathKey, code: str) -> None:
        self._known(document, path, (code,), self.words.reasons, "reason code")

    def _known(self, document: Document, path: PathKey, names: Iterable[str], known: frozenset[str], kind: str) -> None:
        for name in names:
            if name not in known:
                self._report(document, path, f"there is no {kind} {name!r}{nearest(name, known)}")

    def _at(self, rule: Rule, message: str) -> None:
        document, path = self._places[rule.where]
        self._report(document, path, message)

    def _report(self, document: Document, path: PathKey, message: str) -> None:
        self.problems.append(document.problem(path, message))


def _of_floor(rule: Rule) -> bool:
    return rule.floor or (rule.restricts and rule.stage in FLOOR_STAGES)


def _selections(outcome: Outcome) -> Selections:
    def choice(of: object) -> Choice | None:
        value, precedence = getattr(of, "value", None), getattr(of, "precedence", 0)
        return None if value is None else Choice(str(value), precedence)

    return Selections(
        queue=choice(outcome.queue),
        skills=frozenset(outcome.skills),
        tags=frozenset(outcome.tags),
        commitments=frozenset(outcome.commitments),
        priority=outcome.priority,
        first_response_minutes=outcome.first_response_minutes,
        scope=tuple((family, frozenset(classes)) for family, classes in sorted(outcome.scope.items())),
        tone=choice(outcome.tone),
        depth=choice(outcome.depth),
        flow=choice(outcome.flow),
    )
