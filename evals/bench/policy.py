"""What a decision costs: `PolicySet.decide` beside Cedar on an equivalent policy set, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean, median

from handrail.agent.composition import settled
from handrail.evals.bench.cedar import CedarStage, Way, translate
from handrail.evals.bench.drawn_turns import Question, draw
from handrail.evals.bench.many_rules import ENLARGED, enlarged
from handrail.evals.bench.policy_figures import Beside, PolicyBench, PolicyFigure, Timing
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.facts import SEGMENT_PREFIX, OnUnknown
from handrail.guardrails.policy.matcher import applies_to_restriction
from handrail.guardrails.vocabulary import Effect, Stage

TURNS = 48
ROUNDS = 5
SEED = 4
HANDRAIL_REPEATS = 10
CEDAR_REPEATS = 3
TEXT_SHARE = 8
"""Only each eighth question is asked with policies as text, which takes long enough without."""


class Disagreement(Exception):
    """Handrail and Cedar decided differently, so the two policy sets are not equivalent and nothing is compared."""


@dataclass(slots=True)
class _Samples:
    """The durations of one round after the other, in microseconds."""

    rounds: list[list[float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def timed(self, calls: Sequence[Callable[[], object]], repeats: int) -> None:
        """One more round: every call, `repeats` times over."""
        clock, wall = time.perf_counter_ns, []
        began = time.process_time_ns()
        for _ in range(repeats):
            for call in calls:
                start = clock()
                call()
                wall.append(clock() - start)
        self.cpu.append((time.process_time_ns() - began) / len(wall) / 1000)
        self.rounds.append([one / 1000 for one in wall])


def _timing(samples: Sequence[_Samples]) -> Timing:
    """Over the samples of all groups together."""
    together = [
        sorted(one for part in parts for one in part) for parts in zip(*(s.rounds for s in samples), strict=True)
    ]
    sizes = [len(one.rounds[0]) for one in samples]
    cpu = [
        sum(part * size for part, size in zip(parts, sizes, strict=True)) / sum(sizes)
        for parts in zip(*(one.cpu for one in samples), strict=True)
    ]
    return Timing(
        p50_us=round(median(one[len(one) // 2] for one in together), 1),
        p95_us=round(median(one[int(len(one) * 0.95)] for one in together), 1),
        cpu_us=round(median(cpu), 1),
    )


@dataclass(slots=True)
class _Group:
    """The questions of one stage, the calls that ask them, and how long these took."""

    bundle: Bundle
    questions: Sequence[Question]
    cedar: Mapping[tuple[Stage, str], CedarStage] | None
    decide: _Samples = field(default_factory=_Samples)
    beside: dict[Way, _Samples] = field(default_factory=lambda: {way: _Samples() for way in Way})
    allowed: int = 0

    def check(self) -> None:
        """Ask everything once, which warms both up. Disagreement when the two engines differ."""
        for one in self.questions:
            decision = self.bundle.policy.decide(one.stage, one.facts, one.subject)
            self.allowed += decision.effect is Effect.ALLOW
            if self.cedar is None:
                continue
            if self.cedar[one.stage, one.subject].allows(one.facts) is not (decision.effect is Effect.ALLOW):
                where = f"{one.stage.value} ({one.subject})"
                raise Disagreement(f"at {where} Handrail says {decision.effect.value} and Cedar does not agree")

    def round(self) -> None:
        """One round of everything, one engine right after the other."""
        policy = self.bundle.policy
        calls = [partial(policy.decide, one.stage, one.facts, one.subject) for one in self.questions]
        self.decide.timed(calls, HANDRAIL_REPEATS)
        if self.cedar is None:
            return
        for way in Way:
            asked = self.questions[::TEXT_SHARE] if way is Way.FROM_TEXT else self.questions
            other = [self.cedar[one.stage, one.subject].call(one.facts, way) for one in asked]
            self.beside[way].timed(other, 1 if way is Way.FROM_TEXT else CEDAR_REPEATS)

    def rules_asked(self) -> list[int]:
        """How many rules each question is put to."""
        return [len(self.bundle.policy.asked(one.stage, one.subject)) for one in self.questions]

    def policies(self) -> list[int]:
        """How many Cedar policies each question is put to."""
        stages = self.cedar or {}
        return [len(stages[one.stage, one.subject].translation.policies) for one in self.questions if stages]

    def rules_applied(self) -> list[int]:
        """How many rules apply to each question."""
        return [_applied(self.bundle, one) for one in self.questions]


def _applied(bundle: Bundle, question: Question) -> int:
    applied = 0
    for rule in bundle.policy.asked(question.stage, question.subject):
        truth = rule.when.truth(question.facts)
        applied += truth is True or (rule.restricts and applies_to_restriction(truth, question.facts))
    return applied


def _figure(name: str, groups: Sequence[_Group]) -> PolicyFigure:
    decide = _timing([one.decide for one in groups])
    cedar = None
    if all(one.cedar is not None for one in groups):
        ways = {way: _timing([one.beside[way] for one in groups]) for way in Way}
        cedar = Beside(
            policies=round(fmean(count for one in groups for count in one.policies()), 1),
            parsed=ways[Way.PARSED],
            from_dict=ways[Way.FROM_DICT],
            from_text=ways[Way.FROM_TEXT],
            ratio=round(decide.p50_us / ways[Way.PARSED].p50_us, 2),
        )
    return PolicyFigure(
        name=name,
        questions=sum(len(one.questions) for one in groups),
        allowed=sum(one.allowed for one in groups),
        rules=round(fmean(count for one in groups for count in one.rules_asked()), 1),
        applied=round(fmean(count for one in groups for count in one.rules_applied()), 1),
        decide=decide,
        cedar=cedar,
    )


def _groups(bundle: Bundle, named: Mapping[str, Sequence[Question]], *, with_cedar: bool) -> dict[str, _Group]:
    """The groups by name; both engines are asked everything once."""
    stages: dict[tuple[Stage, str], CedarStage] = {}
    if with_cedar:
        unknown = ignorable_names(bundle)
        for stage, subject in {(one.stage, one.subject) for some in named.values() for one in some}:
            stages[stage, subject] = CedarStage(stage, subject, translate(bundle.policy.asked(stage, subject), unknown))
    groups = {name: _Group(bundle, some, stages if with_cedar else None) for name, some in named.items()}
    for one in groups.values():
        one.check()
    return groups


def ignorable_names(bundle: Bundle) -> frozenset[str]:
    """The facts that leave restrictions out when they are unknown: attributes, and segments that hang on them."""
    names = {spec.name for spec in bundle.facts.values() if spec.on_unknown is OnUnknown.IGNORE}
    hanging = {f"{SEGMENT_PREFIX}{one.id}" for one in bundle.segments if not names.isdisjoint(one.entry.names())}
    return frozenset(names | hanging)


def _by_stage(questions: Iterable[Question]) -> dict[str, list[Question]]:
    found: dict[str, list[Question]] = {}
    for one in questions:
        found.setdefault(one.stage.value, []).append(one)
    return found


def installed_cedarpy() -> str | None:
    """The version of cedarpy, or None when it is not installed."""
    try:
        return version("cedarpy")
    except PackageNotFoundError:
        return None


def bench_policy(folder: Path, turns: int = TURNS, rounds: int = ROUNDS) -> PolicyBench:
    """Measure the bundle in `folder` and the same with very many rules. Disagreement when Cedar decides otherwise."""
    cedarpy = installed_cedarpy()
    shipped = load(folder)
    many = enlarged(folder, shipped, SEED)
    questions = [one for turn in draw(shipped, turns, SEED) for one in turn]
    enlarged_at = [one for one in questions if (one.stage, one.subject) in ENLARGED]
    few = _groups(shipped, _by_stage(questions), with_cedar=cedarpy is not None)
    lots = _groups(many, _by_stage(enlarged_at), with_cedar=cedarpy is not None)
    with settled():  # as a server is, once it is built
        for _ in range(rounds):
            for group in (*few.values(), *lots.values()):
                group.round()
    return PolicyBench(
        turns=turns,
        rounds=rounds,
        shipped_rules=len(shipped.policy.rules),
        many_rules=len(many.policy.rules),
        cedarpy=cedarpy,
        shipped=(*(_figure(name, [one]) for name, one in few.items()), _figure("all stages", [*few.values()])),
        many=(*(_figure(name, [one]) for name, one in lots.items()), _figure("both", [*lots.values()])),
    )
