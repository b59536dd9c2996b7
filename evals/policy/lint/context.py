"""What the checks of lint look at: the bundle, and one encoding of all inputs that they share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path

from handrail.evals.policy.lint.difference import difference, without
from handrail.evals.policy.lint.finding import Code, LintFinding
from handrail.evals.policy.play import subjects
from handrail.evals.policy.space import Reading, Space, Truth3
from handrail.evals.policy.symbolic import Decisions
from handrail.evals.policy.witness import Finder
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.policy.facts import SEGMENT_PREFIX
from handrail.guardrails.policy.matcher import ALWAYS, Not
from handrail.guardrails.policy.rule import Rule, Selections
from handrail.guardrails.vocabulary import Effect, Stage


class Context:
    """One bundle under lint.

    `emitted` are the reason codes that code outside the bundle can emit. `folder` is where the bundle stands, for what
    lies beside the policy; None leaves that out.
    """

    def __init__(self, bundle: Bundle, emitted: Collection[str], today: date, folder: Path | None = None) -> None:
        """Encode nothing yet."""
        self.bundle = bundle
        self.emitted = frozenset(emitted)
        self.today = today
        self.folder = folder

    @cached_property
    def space(self) -> Space:
        """The inputs of a turn."""
        return Space([self.bundle])

    @cached_property
    def reading(self) -> Reading:
        """The conditions of segments and of the risk gate."""
        return Reading(self.bundle, self.space)

    @cached_property
    def decisions(self) -> Decisions:
        """Everything that is decided."""
        return Decisions(self.reading)

    @cached_property
    def finder(self) -> Finder:
        """Looks among the inputs that detection can give."""
        return Finder(self.space, plausible=True)

    @cached_property
    def everywhere(self) -> Finder:
        """Looks among all inputs, as proofs do."""
        return Finder(self.space)

    def waives(self, code: Code, rule: Rule) -> bool:
        """Whether the entry of a rule, or its segment's, waives a finding."""
        owner = f"rule:{rule.id}" if rule.source is None else f"segment:{rule.source}"
        return code.id in self.bundle.waivers.get(owner, {})

    @property
    def tried(self) -> tuple[Rule, ...]:
        """The rules that decide and those that stand in shadow."""
        return (*self.bundle.policy.rules, *self.bundle.policy.shadows)

    def subjects(self, rule: Rule) -> tuple[str, ...]:
        """What a rule is asked about."""
        return tuple(one for one in subjects(self.bundle, rule.stage) if rule.asked_about(one))

    def truths(self, rule: Rule) -> Iterator[Truth3]:
        """The condition of a rule, for each of its subjects."""
        for subject in self.subjects(rule):
            yield self.decisions.at(rule.stage, subject).reading.truth(rule.when)

    def read_by(self, names: Iterable[str]) -> frozenset[str]:
        """The facts behind `names`: of a segment, those of its entry and exit."""
        behind = self._behind
        return frozenset(name for asked in names for name in behind.get(asked, (asked,)))

    @cached_property
    def _behind(self) -> dict[str, frozenset[str]]:
        return {f"{SEGMENT_PREFIX}{one.id}": one.entry.names() | one.exit.names() for one in self.bundle.segments}

    @cached_property
    def unreachable(self) -> frozenset[str]:
        """The segments that nobody can enter."""
        return frozenset(
            one.id for one in self.bundle.segments if not self.finder.possible(self.reading.truth(one.entry).true)
        )

    @cached_property
    def idle(self) -> frozenset[str]:
        """The segments that can be entered, and without which everything would be decided alike, but for tags."""
        return frozenset(
            one.id for one in self.bundle.segments if one.id not in self.unreachable and not self._matters(one.id)
        )

    @cached_property
    def closed(self) -> frozenset[str]:
        """The tools that no input lets run."""
        effects = {name: self.decisions.at(Stage.AUTHORIZE_TOOLS, name).effects for name in self.bundle.tools}
        return frozenset(name for name, one in effects.items() if not self.finder.possible(one[Effect.ALLOW]))

    def _matters(self, segment: str) -> bool:
        bundle = self.bundle
        fact = f"{SEGMENT_PREFIX}{segment}"
        concerned = [rule for rule in bundle.policy.rules if rule.source == segment or fact in rule.names()]
        # The quick answer for most. Where another rule asks for the segment, its absence could make up for it.
        if all(rule.source == segment for rule in concerned) and any(self._adds(rule) for rule in concerned):
            return True
        empty = tuple(
            replace(one, entry=Not(ALWAYS), exit=ALWAYS, hold_minutes=0) if one.id == segment else one
            for one in bundle.segments
        )
        # Nobody in it, nobody near it: its own rules then say nothing, and neither does any other that asks for it.
        other = Decisions(Reading(replace(bundle, segments=empty), self.space))
        for stage in DECIDING_STAGES:
            for subject in subjects(bundle, stage):
                rules = [rule for rule in concerned if rule.stage is stage and rule.asked_about(subject)]
                pair = (self.decisions.at(stage, subject), other.at(stage, subject)) if rules else None
                if pair is not None and self.finder.possible(difference(rules, *pair, tags=False)):
                    return True
        return False

    def _adds(self, rule: Rule) -> bool:
        """Whether a rule adds to what only adds up: then nothing that is left out along with it makes up for it."""
        asked, wanted = rule.restrictions, rule.selections
        adding = replace(
            rule,
            permits=None,
            restrictions=replace(asked, effect=None),
            selections=Selections(
                skills=wanted.skills, first_response_minutes=wanted.first_response_minutes, scope=wanted.scope
            ),
        )
        for subject in self.subjects(rule):
            decision = self.decisions.at(rule.stage, subject)
            if self.finder.possible(difference([adding], decision, without(decision, rule), tags=False)):
                return True
        return False

    def found(self, code: Code, kind: str, subject: str, message: str, where: str | None = None) -> LintFinding:
        """A finding about `subject`, at its own place or `where` else."""
        place = where or self.place(kind, subject)
        file, _, line = place.rpartition(":")
        return LintFinding(
            code=code.id, level=code.level, kind=kind, subject=subject, message=message, file=file, line=int(line)
        )

    def about(self, code: Code, rule: Rule, message: str) -> LintFinding:
        """A finding about a rule."""
        return self.found(code, "rule", rule.id, message, rule.where)

    def place(self, kind: str, subject: str) -> str:
        """Where something stands; the manifest, for what has no place of its own."""
        return self.bundle.places.get(f"{kind}:{subject}", "bundle.yaml:1")
