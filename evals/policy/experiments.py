"""What shadow rules and holdouts came to, from the audit log alone (spec S11.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from handrail.agent.audit.recorded import RecordedDecision, RecordedTurn, Unreadable
from handrail.evals.interval import wilson
from handrail.evals.policy.difference import gap
from handrail.evals.policy.direction import Direction
from handrail.evals.policy.experiments_report import FEWEST, Arms, Experiments, Holdout, ShadowCell, ShadowRule
from handrail.evals.policy.replay_outcome import Outcome, difference, of_record
from handrail.guardrails.policy.facts import HOLDOUT_PREFIX

EXAMPLES = 3


@dataclass(slots=True)
class _Shadowed:
    """What is counted of one shadow rule."""

    counts: Counter[str] = field(default_factory=Counter)
    directions: Counter[Direction] = field(default_factory=Counter)
    cells: Counter[tuple[str, str, Direction]] = field(default_factory=Counter)
    examples: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Conversation:
    """One conversation: since when, its arm in each holdout (None: both), its needs, and which went to a person."""

    began: int
    arms: dict[str, bool | None] = field(default_factory=dict)
    turns: int = 0
    needs: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class _Tally:
    turns: int = 0
    skipped: int = 0
    shadows: defaultdict[str, _Shadowed] = field(default_factory=lambda: defaultdict(_Shadowed))
    conversations: dict[tuple[str, str], _Conversation] = field(default_factory=dict)

    def add(self, turn: RecordedTurn) -> None:
        self.turns += 1
        if turn.trouble is not None:
            self.skipped += 1
            return
        if turn.basis is None:
            return
        try:
            for decision in turn.decisions:
                if decision.plain.get("shadow") is not None:
                    self._shadow(turn, decision)
        except Unreadable:
            self.skipped += 1
            return
        self._held_out(turn)

    def _shadow(self, turn: RecordedTurn, decision: RecordedDecision) -> None:
        enforced = of_record(decision)
        shadow = enforced.shadow
        if shadow is None:
            return
        tried = Outcome(
            stage=enforced.stage,
            subject=enforced.subject,
            effect=shadow.effect,
            reasons=shadow.reasons,
            rules=enforced.rules,
            obligations=shadow.obligations,
            dimensions=shadow.dimensions,
            shadow=shadow,
        )
        change = difference(enforced, tried)
        old, new = enforced.dimensions, tried.dimensions
        unnamed = {"determined_by": dict[str, tuple[str, ...]]()}
        changed = {
            "effects": enforced.effect is not tried.effect,
            "obligations": set(enforced.obligations) != set(tried.obligations),
            "dimensions": old.model_copy(update=unnamed) != new.model_copy(update=unnamed),
        }
        for rule in shadow.rules:
            seen = self.shadows[rule]
            seen.counts.update({"decisions": 1, "together": int(len(shadow.rules) > 1)})
            seen.counts.update(name for name, is_so in changed.items() if is_so)
            if change is None or change.direction is Direction.EXPLAINED:
                continue
            seen.directions[change.direction] += 1
            seen.cells.update((segment, _need(turn), change.direction) for segment in sorted(turn.members) or ("none",))
            if len(seen.examples) < EXAMPLES:
                seen.examples[turn.turn_id] = None

    def _held_out(self, turn: RecordedTurn) -> None:
        key = (turn.site, turn.conversation_id)
        held = self.conversations.setdefault(key, _Conversation(turn.at))
        held.turns += 1
        need = _need(turn)
        held.needs[need] = held.needs.get(need, False) or turn.queue is not None
        known = turn.basis.known if turn.basis is not None else {}
        for name, content in known.items():
            if name.startswith(HOLDOUT_PREFIX) and isinstance(content, bool):
                before = held.arms.setdefault(name.removeprefix(HOLDOUT_PREFIX), content)
                if before is not content:
                    held.arms[name.removeprefix(HOLDOUT_PREFIX)] = None


def experiments(turns: Iterable[RecordedTurn]) -> Experiments:
    """Count shadow decisions by rule, and outcomes by arm of each holdout, over the recorded turns."""
    tally = _Tally()
    for turn in turns:
        tally.add(turn)
    conversations = list(tally.conversations.values())
    names = sorted({name for one in conversations for name in one.arms})
    return Experiments(
        turns=tally.turns,
        skipped=tally.skipped,
        shadow_rules=tuple(_shadow_rule(rule, seen) for rule, seen in sorted(tally.shadows.items())),
        holdouts=tuple(_holdout(name, conversations) for name in names),
    )


def _need(turn: RecordedTurn) -> str:
    return "unknown" if turn.basis is None else str(turn.basis.known.get("need_state", "unknown"))


def _shadow_rule(rule: str, seen: _Shadowed) -> ShadowRule:
    places = sorted({(segment, need) for segment, need, _ in seen.cells})
    return ShadowRule(
        rule=rule,
        decisions=seen.counts["decisions"],
        together=seen.counts["together"],
        effects=seen.counts["effects"],
        obligations=seen.counts["obligations"],
        dimensions=seen.counts["dimensions"],
        more_permissive=seen.directions[Direction.MORE_PERMISSIVE],
        stricter=seen.directions[Direction.STRICTER],
        otherwise=seen.directions[Direction.OTHERWISE],
        cells=tuple(
            ShadowCell(
                segment=segment,
                need_state=need,
                more_permissive=seen.cells[segment, need, Direction.MORE_PERMISSIVE],
                stricter=seen.cells[segment, need, Direction.STRICTER],
                otherwise=seen.cells[segment, need, Direction.OTHERWISE],
            )
            for segment, need in places
        ),
        examples=tuple(seen.examples),
    )


def _holdout(name: str, conversations: Iterable[_Conversation]) -> Holdout:
    concerned = [one for one in conversations if name in one.arms]
    # Who came before anybody was held out came at another time, and is no control for those who came after.
    since = min((one.began for one in concerned if one.arms[name]), default=None)
    counted = [one for one in concerned if since is None or one.began >= since]
    inside = [one for one in counted if one.arms[name] is True]
    outside = [one for one in counted if one.arms[name] is False]
    needs = sorted({need for one in counted for need in one.needs})
    return Holdout(
        holdout=name,
        turns_inside=sum(one.turns for one in inside),
        turns_outside=sum(one.turns for one in outside),
        moved=sum(one.arms[name] is None for one in concerned),
        arms=tuple(_arms(need, inside, outside) for need in (None, *needs)),
    )


def _arms(need: str | None, inside: Iterable[_Conversation], outside: Iterable[_Conversation]) -> Arms:
    one, other = (wilson(sum(went), len(went)) for went in (list(_went(need, inside)), list(_went(need, outside))))
    enough = min(one.n, other.n) >= FEWEST
    return Arms(need_state=need, inside=one, outside=other, gap=gap(one, other) if enough else None)


def _went(need: str | None, conversations: Iterable[_Conversation]) -> Iterator[bool]:
    """Whether each conversation (with this need) went to a person (in a message with it)."""
    for one in conversations:
        if need is None:
            yield any(one.needs.values())
        elif need in one.needs:
            yield one.needs[need]
