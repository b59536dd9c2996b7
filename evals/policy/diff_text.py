"""A difference between two bundles in words, by what it does, and as plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from handrail.evals.policy.diff import Change, Difference, Direction, Touched
from handrail.guardrails.vocabulary import Decision

SHOWN = 8
"""Segments that are listed; more are counted."""


def lines(found: Difference) -> Iterator[str]:
    """The whole difference, what gives more freedom first."""
    yield f"Bundle {found.before} -> {found.after}"
    yield from _touched(found.touched)
    for direction in Direction:
        held = [change for change in found.changes if change.direction is direction]
        if held:
            yield f"{_TITLES[direction]} ({len(held)})"
        for change in held:
            yield from _shown(change)
    if found.members:
        yield f"SEGMENTS entered or left by somebody ({len(found.members)})"
        for name, witness in found.members.items():
            yield f"  {name}, for example with {'; '.join(witness.lines()) or 'an ordinary turn'}"
    if not found.changes and not found.members:
        yield "No input is decided differently."


_TITLES = {
    Direction.MORE_PERMISSIVE: "MORE PERMISSIVE",
    Direction.STRICTER: "STRICTER",
    Direction.OTHERWISE: "ROUTING, MANNER AND REASONS",
}


def _touched(touched: Touched) -> Iterator[str]:
    for word, names in (("added", touched.added), ("removed", touched.removed), ("changed", touched.changed)):
        if names:
            yield f"  rules {word}: {', '.join(names)}"


def headline(change: Change) -> str:
    """A change in one line."""
    about = "" if change.subjects == ("turn",) else f" of {', '.join(change.subjects)}"
    if change.before and change.after:
        what = f"{change.dimension} {change.before} -> {change.after}"
    else:
        what = f"{change.dimension} {'+' if change.after else '-'}{change.after or change.before}"
    return f"{change.stage}{about}: {what}"


def _shown(change: Change) -> Iterator[str]:
    yield f"  {headline(change)}"
    if change.only_in:
        yield f"      only in segment {', '.join(change.only_in)}"
    elif change.within:
        more = f" and {len(change.within) - SHOWN} more" if len(change.within) > SHOWN else ""
        yield f"      in any segment, or none: {', '.join(change.within[:SHOWN])}{more}"
    yield f"      for example: {'; '.join(change.example.witness.lines()) or 'an ordinary turn'}"
    before, after = change.example.before, change.example.after
    yield f"        before {_decided(before)}"
    yield f"        after  {_decided(after)}"


def _decided(decision: Decision) -> str:
    return f"{decision.effect}: {', '.join(decision.reasons)}  [{', '.join(decision.rules) or 'no rule'}]"


def plain(found: Difference) -> dict[str, JsonValue]:
    """The same for programs."""
    touched = found.touched
    return {
        "before": found.before,
        "after": found.after,
        "rules": {
            "added": list(touched.added),
            "removed": list(touched.removed),
            "changed": list(touched.changed),
        },
        "changes": [_plain(change) for change in found.changes],
        "segments": {name: list(witness.lines()) for name, witness in found.members.items()},
    }


def _plain(change: Change) -> dict[str, JsonValue]:
    return {
        "stage": change.stage.value,
        "subjects": list(change.subjects),
        "dimension": change.dimension,
        "before": change.before,
        "after": change.after,
        "direction": change.direction.value,
        "only_in": list(change.only_in),
        "within": list(change.within),
        "example": list(change.example.witness.lines()),
        "decisions": [
            decision.model_dump(mode="json", exclude={"facts"})
            for decision in (change.example.before, change.example.after)
        ],
    }
