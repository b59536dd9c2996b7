"""Counts what replayed turns came to, and makes the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from handrail.agent.audit.recorded import RecordedTurn, Trouble, Unreadable
from handrail.evals.interval import wilson
from handrail.evals.policy.direction import Direction
from handrail.evals.policy.replay import Candidate
from handrail.evals.policy.replay_outcome import ORDER
from handrail.evals.policy.replay_report import (
    Cell,
    Change,
    People,
    QueueChange,
    Read,
    ReplayReport,
    StageChanges,
    Unsure,
)
from handrail.evals.policy.replay_turn import Comparison, between, masked, need_and_segments, with_record
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Stage

EXAMPLES = 3
RECORD = "the record"


@dataclass(slots=True)
class _Seen:
    """How many turns, and the ids of the first few."""

    turns: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, turn: RecordedTurn) -> None:
        self.turns += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(turn.turn_id)


@dataclass(slots=True)
class Tally:
    """Everything that is counted, turn by turn; it does not grow with the log."""

    read: Counter[str] = field(default_factory=Counter)
    revisions: Counter[str] = field(default_factory=Counter)
    directions: Counter[Direction] = field(default_factory=Counter)
    reassigned: int = 0
    decisions: Counter[Stage] = field(default_factory=Counter)
    at_stage: Counter[tuple[Stage, Direction]] = field(default_factory=Counter)
    changes: defaultdict[tuple[Direction, str], _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    cells: defaultdict[tuple[str, str, str], _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    more: _Seen = field(default_factory=_Seen)
    fewer: _Seen = field(default_factory=_Seen)
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    beyond: _Seen = field(default_factory=_Seen)
    left: int = 0
    elsewhere: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)

    def add(self, found: Comparison) -> None:
        """Count one turn that was replayed."""
        self.read["replayed"] += 1
        self.decisions.update(found.stages)
        self.left += found.left
        if found.missing:
            self.missing.update(found.missing)
        if found.stale:
            self.stale.update(found.stale)
        if found.queue_before != found.queue_after or found.queue_before is not None:
            self._people(found)
        direction = found.direction
        if direction is None:
            self.reassigned += found.reassigned
            return
        self.directions[direction] += 1
        self.elsewhere += found.elsewhere
        if found.beyond:
            self.beyond.add(found.turn)
        self._differences(found)

    def _people(self, found: Comparison) -> None:
        before, after = found.queue_before, found.queue_after
        if before is not None:
            self.before[before] += 1
        if after is not None:
            self.after[after] += 1
        if before is None and after is not None:
            self.more.add(found.turn)
        elif after is None and before is not None:
            self.fewer.add(found.turn)

    def _differences(self, found: Comparison) -> None:
        reasons: dict[str, None] = {}
        kinds: dict[tuple[Direction, str], None] = {}
        for change in found.differences:
            self.at_stage[change.after.stage, change.direction] += 1
            kinds[change.direction, change.words] = None
            reasons.update(dict.fromkeys(f"+{code}" for code in change.added))
            reasons.update(dict.fromkeys(f"-{code}" for code in change.removed))
        for kind in kinds:
            self.changes[kind].add(found.turn)
        for segment, need in need_and_segments(found):
            for reason in reasons:
                self.cells[segment, need, reason].add(found.turn)


def replayed(turns: Iterable[RecordedTurn], bundle: Bundle, hourly_cost: float | None = None) -> ReplayReport:
    """What `bundle` would have decided otherwise than was recorded; `hourly_cost` is what an hour of a person costs."""
    candidate = Candidate(bundle)
    tally = _tallied(turns, candidate, lambda turn: with_record(turn, candidate))
    return _report(tally, bundle, RECORD, hourly_cost)


def compared(
    turns: Iterable[RecordedTurn], first: Bundle, second: Bundle, hourly_cost: float | None = None
) -> ReplayReport:
    """What `second` would have decided otherwise than `first`, on recorded turns; both are replayed."""
    old, new = Candidate(first), Candidate(second)
    tally = _tallied(turns, new, lambda turn: between(turn, old, new))
    return _report(tally, second, first.revision, hourly_cost)


def _tallied(
    turns: Iterable[RecordedTurn], candidate: Candidate, compare: Callable[[RecordedTurn], Comparison]
) -> Tally:
    tally = Tally()
    read = tally.read
    for turn in turns:
        read["turns"] += 1
        if turn.trouble is not None:
            read[turn.trouble.value] += 1
            continue
        tally.revisions.update({one.plain["revision"] for one in turn.decisions})
        if turn.basis is None:
            read["undecided"] += 1
            continue
        try:
            found = compare(turn)
        except Unreadable:
            read[Trouble.UNREADABLE.value] += 1
            continue
        if (found.differences or found.reassigned) and masked(turn, candidate):
            read["masked"] += 1
            continue
        tally.add(found)
    return tally


def _report(tally: Tally, bundle: Bundle, baseline: str, hourly_cost: float | None) -> ReplayReport:
    directions, replayed_turns = tally.directions, tally.read["replayed"]
    changed = sum(count for direction, count in directions.items() if direction is not Direction.EXPLAINED)
    return ReplayReport(
        bundle=bundle.revision,
        baseline=baseline,
        recorded_revisions=dict(sorted(tally.revisions.items())),
        read=Read(**{name: tally.read[name] for name in Read.model_fields}),
        changed=wilson(changed, replayed_turns),
        more_permissive=directions[Direction.MORE_PERMISSIVE],
        stricter=directions[Direction.STRICTER],
        otherwise=directions[Direction.OTHERWISE],
        explained=directions[Direction.EXPLAINED],
        reassigned=tally.reassigned,
        stages=tuple(_stage(tally, stage) for stage in Stage if tally.decisions[stage]),
        changes=_changes(tally),
        cells=_cells(tally),
        people=_people(tally, bundle, replayed_turns, hourly_cost),
        unsure=Unsure(
            beyond=tally.beyond.turns,
            beyond_examples=tuple(tally.beyond.examples),
            left=tally.left,
            elsewhere=tally.elsewhere,
            not_recorded=dict(sorted(tally.missing.items())),
            stale=dict(sorted(tally.stale.items())),
        ),
    )


def _stage(tally: Tally, stage: Stage) -> StageChanges:
    permissive, stricter, otherwise, explained = (tally.at_stage[stage, direction] for direction in Direction)
    return StageChanges(
        stage=stage.value,
        decisions=tally.decisions[stage],
        more_permissive=permissive,
        stricter=stricter,
        otherwise=otherwise,
        explained=explained,
    )


def _changes(tally: Tally) -> tuple[Change, ...]:
    """The more permissive ones first, then by how many turns change so."""
    ordered = sorted(tally.changes.items(), key=lambda one: (ORDER[one[0][0]], -one[1].turns, one[0][1]))
    return tuple(
        Change(direction=direction, words=words, turns=seen.turns, examples=tuple(seen.examples))
        for (direction, words), seen in ordered
    )


def _cells(tally: Tally) -> tuple[Cell, ...]:
    ordered = sorted(tally.cells.items(), key=lambda one: (-one[1].turns, one[0]))
    return tuple(
        Cell(segment=segment, need_state=need, reason=reason, turns=seen.turns, examples=tuple(seen.examples))
        for (segment, need, reason), seen in ordered
    )


def _people(tally: Tally, bundle: Bundle, turns: int, hourly_cost: float | None) -> People:
    names = sorted({*tally.before, *tally.after})
    held = {name: bundle.queues[name].handling_minutes for name in names if name in bundle.queues}
    minutes = sum((tally.after[name] - tally.before[name]) * each for name, each in held.items())
    per_turn = minutes / turns if turns else None
    return People(
        more=tally.more.turns,
        fewer=tally.fewer.turns,
        more_examples=tuple(tally.more.examples),
        fewer_examples=tuple(tally.fewer.examples),
        queues=tuple(
            QueueChange(queue=name, before=tally.before[name], after=tally.after[name], handling_minutes=held.get(name))
            for name in names
        ),
        minutes=minutes,
        minutes_per_1000=None if per_turn is None else round(per_turn * 1000, 1),
        hourly_cost=hourly_cost,
        cost=None if hourly_cost is None else round(minutes / 60 * hourly_cost, 2),
        cost_per_1000=None if hourly_cost is None or per_turn is None else round(per_turn * 1000 / 60 * hourly_cost, 2),
    )
