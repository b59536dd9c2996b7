"""Segments: who is in which, and why, in one line that names the signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from handrail.guardrails.policy.facts import SEGMENT_PREFIX, Facts
from handrail.guardrails.policy.matcher import Matcher
from handrail.guardrails.vocabulary import FactUsed


@dataclass(frozen=True, slots=True)
class Segment:
    """An active segment, compiled."""

    id: str
    reason: str
    entry: Matcher
    exit: Matcher


@dataclass(frozen=True, slots=True)
class Assignment:
    """What assignment found: members with their explanation, open questions, and both as facts."""

    members: Mapping[str, str]
    reasons: tuple[str, ...]
    open: tuple[str, ...]
    facts: tuple[FactUsed, ...]
    ignorable: frozenset[str]


def assign(segments: Sequence[Segment], facts: Facts, earlier: Iterable[str]) -> Assignment:
    """Decide membership of every segment.

    A segment is entered when its entry condition is true, and kept from an earlier turn until its exit condition is
    true. Membership is three-valued: an entry that hangs on unknown facts leaves it open, which restrictions treat as
    "unless false" and selections as "not true" (S2.2).
    """
    kept = frozenset(earlier)
    members: dict[str, str] = {}
    reasons: list[str] = []
    undecided: list[str] = []
    found: list[FactUsed] = []
    ignorable: set[str] = set()
    for segment in segments:
        name = f"{SEGMENT_PREFIX}{segment.id}"
        truth = segment.entry.truth(facts)
        if truth is True:
            members[segment.id] = "; ".join(segment.entry.because(facts))
        elif segment.id in kept and segment.exit.truth(facts) is not True:
            members[segment.id] = "kept from an earlier message: the exit condition does not hold yet"
        elif truth is not False:
            undecided.append(segment.id)
            if truth <= facts.ignorable:
                ignorable.add(name)
            why = f"unknown: {', '.join(sorted(truth))}"
            found.append(FactUsed(name=name, content=None, source="segments", why=why))
            continue
        inside = segment.id in members
        if inside:
            reasons.append(segment.reason)
        found.append(FactUsed(name=name, content=inside, source="segments", why=members.get(segment.id)))
    return Assignment(members, tuple(reasons), tuple(undecided), tuple(found), frozenset(ignorable))
