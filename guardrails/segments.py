"""Segments: who is in which, and why, in one line that names the signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handrail.guardrails.policy.facts import IGNORE, RESTRICT, SEGMENT_PREFIX, Facts
from handrail.guardrails.policy.matcher import Matcher, Truth, applies_to_restriction
from handrail.guardrails.vocabulary import FactUsed


@dataclass(frozen=True, slots=True)
class Segment:
    """An active segment, compiled. Who has entered stays for `hold_minutes` at least, whatever the exit says."""

    id: str
    reason: str
    entry: Matcher
    exit: Matcher
    hold_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Assignment:
    """What assignment found: members with their explanation, open questions, and both as facts."""

    members: Mapping[str, str]
    reasons: tuple[str, ...]
    open: tuple[str, ...]
    facts: tuple[FactUsed, ...]


def assign(segments: Sequence[Segment], facts: Facts, earlier: Mapping[str, float]) -> Assignment:
    """Decide membership of every segment. `earlier` holds those of the last turn, with the seconds since they began.

    A segment is entered when its entry condition is true, and kept from an earlier turn until its exit condition is
    true and its hold is over. Membership is three-valued: an entry that hangs on unknown facts leaves it open, which
    restrictions treat as "unless false" and selections as "not true" (S2.2).
    """
    members: dict[str, str] = {}
    reasons: list[str] = []
    undecided: list[str] = []
    found: list[FactUsed] = []
    for segment in segments:
        name = f"{SEGMENT_PREFIX}{segment.id}"
        truth = segment.entry.truth(facts)
        kept = None if truth is True else _kept(segment, facts, earlier)
        if truth is True:
            members[segment.id] = "; ".join(segment.entry.because(facts))
        elif kept is not None:
            members[segment.id] = kept
        elif truth is not False:
            undecided.append(segment.id)
            why = f"unknown: {', '.join(sorted(truth))}"
            how = RESTRICT if applies_to_restriction(truth, facts) else IGNORE
            found.append(FactUsed(name=name, content=None, source="segments", why=why, on_unknown=how))
            continue
        inside = segment.id in members
        if inside:
            reasons.append(segment.reason)
        found.append(FactUsed(name=name, content=inside, source="segments", why=members.get(segment.id)))
    return Assignment(members, tuple(reasons), tuple(undecided), tuple(found))


def holds(segment: Segment, facts: Facts, earlier: Mapping[str, float]) -> Truth:
    """Membership of one segment as `assign` decides it, without the words: true, false, or open for these facts."""
    truth = segment.entry.truth(facts)
    return True if truth is not True and _kept(segment, facts, earlier) is not None else truth


def _kept(segment: Segment, facts: Facts, earlier: Mapping[str, float]) -> str | None:
    """Why an earlier membership goes on; None when there was none, or it is over."""
    seconds = earlier.get(segment.id)
    if seconds is None:
        return None
    if segment.exit.truth(facts) is not True:
        return "kept from an earlier message: the exit condition does not hold yet"
    if seconds < segment.hold_minutes * 60:
        return f"kept from an earlier message: held for {segment.hold_minutes} minutes"
    return None
