"""One recorded turn, decided by a bundle and compared with what was decided before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from handrail.agent.audit.recorded import RecordedDecision, RecordedTurn, Unreadable
from handrail.agent.flow import NO_SEARCH
from handrail.agent.standing import WITH_PEOPLE
from handrail.evals.policy.direction import Direction
from handrail.evals.policy.replay import Candidate, Play
from handrail.evals.policy.replay_outcome import ORDER, Difference, Outcome, difference, of_answer, of_record, same
from handrail.guardrails.detect.labels import LABELS
from handrail.guardrails.vocabulary import Effect, Stage

_MASKED = re.compile("|".join([r"p_[0-9a-f]{24}", *(re.escape(label) for label in sorted(set(LABELS.values())))]))


@dataclass(slots=True)
class Comparison:
    """What became of a turn: how its decisions differ, as far as the record goes.

    `stages` are the stages that were compared, `queue_before` and `queue_after` where a person was and is brought.
    """

    turn: RecordedTurn
    segments: frozenset[str]
    reassigned: bool
    missing: frozenset[str]
    stale: tuple[str, ...]
    stages: list[Stage] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    beyond: bool = False
    left: bool = False
    elsewhere: bool = False
    queue_before: str | None = None
    queue_after: str | None = None

    @property
    def direction(self) -> Direction | None:
        """The most important of the changes; None without one."""
        return min((one.direction for one in self.differences), key=ORDER.__getitem__, default=None)

    @property
    def need_state(self) -> str:
        """The main need state of the message."""
        return "unknown" if self.turn.basis is None else str(self.turn.basis.known.get("need_state", "unknown"))


def with_record(turn: RecordedTurn, candidate: Candidate) -> Comparison:
    """`turn` under `candidate`, beside what was recorded. Raises Unreadable."""
    play = Play(candidate, turn)
    reassigned = play.members != turn.members or play.open != turn.open
    found = Comparison(turn, turn.members | play.members, reassigned, frozenset(), play.stale, queue_before=turn.queue)
    ended: Outcome | None = None
    for recorded in turn.decisions:
        answer = play.decide(recorded)
        found.stages.append(answer.stage)
        if same(recorded.plain, answer):
            continue
        before, after = of_record(recorded), of_answer(answer)
        if _note(found, before, after):
            ended = after
            break
    found.missing = frozenset(play.missing)
    _route(found, play, ended)
    return found


def between(turn: RecordedTurn, first: Candidate, second: Candidate) -> Comparison:
    """`turn` under two bundles; what was recorded says only what the stages found. Raises Unreadable."""
    plays = Play(first, turn), Play(second, turn)
    one, other = plays
    reassigned = one.members != other.members or one.open != other.open
    found = Comparison(turn, one.members | other.members, reassigned, frozenset(), other.stale)
    ended: Outcome | None = None
    before: Outcome | None = None
    for recorded in turn.decisions:
        before, after = of_answer(one.decide(recorded)), of_answer(other.decide(recorded))
        found.stages.append(after.stage)
        if _note(found, before, after):
            ended = after
            break
        if _way(before) != _recorded_way(recorded):
            found.left = not _ends(before)
            ended = after
            break
    found.missing = frozenset(one.missing | other.missing)
    found.queue_before = _brought(turn, one, before if ended is not None else None)
    _route(found, other, ended)
    return found


def masked(turn: RecordedTurn, candidate: Candidate) -> bool:
    """Whether a mask or a pseudonym stands in the record of a turn where policy would look."""
    if turn.basis is None:
        return False
    asked = candidate.of_segments.union(*(candidate.asked(one.stage, one.subject) for one in turn.decisions))
    facts = [content for name, content in turn.basis.known.items() if name in asked]
    return _MASKED.search(repr((facts, [one.plain for one in turn.decisions]))) is not None


def _note(found: Comparison, before: Outcome, after: Outcome) -> bool:
    """Note how two decisions differ; whether the turn goes another way from here."""
    change = difference(before, after)
    if change is None:
        return False
    found.differences.append(change)
    if after.stage is Stage.APPLY_POLICY:
        old, new = before.dimensions, after.dimensions
        found.elsewhere = old.scope != new.scope or old.flow != new.flow
    if _way(before) == _way(after):
        return False
    found.beyond = not _ends(after)
    # Where the turn ends or is unknown, nothing is judged by what was found then.
    found.elsewhere = False
    return True


def _way(outcome: Outcome) -> tuple[Effect, frozenset[str]]:
    """What routes a turn after a decision: see `agent.flow.route`."""
    fixed = NO_SEARCH.intersection(outcome.obligations) if outcome.stage is Stage.APPLY_POLICY else frozenset()
    return outcome.effect, frozenset(fixed)


def _recorded_way(recorded: RecordedDecision) -> tuple[Effect, frozenset[str]]:
    try:
        effect = Effect(recorded.plain["effect"])
    except ValueError as error:
        raise Unreadable("an effect of another version") from error
    fixed = NO_SEARCH.intersection(recorded.plain["obligations"]) if recorded.stage is Stage.APPLY_POLICY else ()
    return effect, frozenset(fixed)


def _ends(outcome: Outcome) -> bool:
    """Whether what follows a decision is known without a record: a person, fixed words, or the text as it was."""
    if outcome.effect is Effect.ESCALATE:
        return True
    if outcome.stage is Stage.AUTHORIZE_TOOLS:
        return outcome.effect is Effect.NOT_YET
    if outcome.stage is Stage.GUARD_OUTPUT:
        return outcome.effect is not Effect.NOT_YET
    return outcome.stage is Stage.APPLY_POLICY and outcome.effect is Effect.REFUSE


def _route(found: Comparison, play: Play, ended: Outcome | None) -> None:
    found.queue_after = _brought(found.turn, play, ended)
    if _with_people(found.turn):
        # Who is with people already costs nothing more.
        found.queue_before = found.queue_after = None


def _brought(turn: RecordedTurn, play: Play, ended: Outcome | None) -> str | None:
    """The queue that a turn goes to; as far as it went as recorded, whether it does at all is recorded."""
    if ended is not None:
        return play.queue if ended.effect is Effect.ESCALATE else None
    return None if turn.queue is None else play.queue or turn.queue


def _with_people(turn: RecordedTurn) -> bool:
    return turn.basis is not None and turn.basis.known.get("conversation") in WITH_PEOPLE


def need_and_segments(found: Comparison) -> Iterable[tuple[str, str]]:
    """The segments of a turn, each with its need state; `none` stands for a turn in no segment."""
    return ((segment, found.need_state) for segment in sorted(found.segments) or ("none",))
