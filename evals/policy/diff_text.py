"""A difference between two bundles in words, by what it does, and as plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from handrail.evals.policy.diff import Change, Difference
from handrail.evals.policy.direction import Direction
from handrail.evals.policy.parts import Touched
from handrail.guardrails.vocabulary import Decision

SHOWN = 6
"""Segments that are listed; more are counted."""

REASONS = "reasons"


def lines(found: Difference, *, verbose: bool = False) -> Iterator[str]:
    """The whole difference, what gives more freedom first; `verbose` shows the decisions of every example."""
    yield f"Bundle {found.before} -> {found.after}"
    for kind, touched in found.touched.items():
        yield from _touched(kind, touched)
    yield from _tools(found)
    for direction in Direction:
        held = [one for one in found.changes if one.direction is direction and one.dimension != REASONS]
        if held:
            yield f"{_TITLES[direction]} ({len(held)})"
        for change in held:
            yield from _shown(change, verbose=verbose)
    reasons = [one for one in found.changes if one.dimension == REASONS]
    if reasons:
        yield f"REASONS ({len(reasons)})"
        yield from _reasons(reasons)
    if found.members:
        yield f"SEGMENTS entered or left by somebody ({len(found.members)})"
        for name, witness in found.members.items():
            yield f"  {name}, for example with {'; '.join(witness.lines()) or 'an ordinary turn'}"
    if found.same:
        yield "No input is decided differently."


_TITLES = {
    Direction.MORE_PERMISSIVE: "MORE PERMISSIVE",
    Direction.STRICTER: "STRICTER",
    Direction.OTHERWISE: "ROUTING AND MANNER",
}


def _touched(kind: str, touched: Touched) -> Iterator[str]:
    for word, names in (("added", touched.added), ("removed", touched.removed), ("changed", touched.changed)):
        if names:
            yield f"  {kind} {word}: {', '.join(names)}"


def _tools(found: Difference) -> Iterator[str]:
    for title, gained in (("TOOLS GAINED", True), ("TOOLS LOST", False)):
        held = [one for one in found.tools if one.gained is gained]
        if held:
            yield f"{title} ({len(held)}); without a tool every call of it is refused"
        for one in held:
            yield f"  {one.tool}: its calls can be {', '.join(one.effects)}"


def headline(change: Change) -> str:
    """A change in one line."""
    if change.before and change.after:
        what = f"{change.dimension} {change.before} -> {change.after}"
    else:
        what = f"{change.dimension} {'+' if change.after else '-'}{change.after or change.before}"
    return f"{_about(change)}: {what}"


def _about(change: Change) -> str:
    return f"{change.stage}" if change.subjects == ("turn",) else f"{change.stage} of {', '.join(change.subjects)}"


def _shown(change: Change, *, verbose: bool) -> Iterator[str]:
    yield f"  {headline(change)}"
    yield f"      {_where(change)}"
    before, after = change.example.before, change.example.after
    told = "" if before.effect is after.effect else f" ({before.effect} -> {after.effect})"
    yield f"      for example: {'; '.join(change.example.witness.lines()) or 'an ordinary turn'}{told}"
    if verbose:
        yield f"        before {_decided(before)}"
        yield f"        after  {_decided(after)}"


def _where(change: Change) -> str:
    if change.only_in:
        return f"only in segment {', '.join(change.only_in)}"
    if len(change.within) <= SHOWN:
        return f"in segment {', '.join(change.within)}, or none" if change.within else "in no segment"
    return f"in {len(change.within)} segments, or none"


def _reasons(changes: Sequence[Change]) -> Iterator[str]:
    """Reasons that come or go, those of the same decisions in one line."""
    gathered: dict[str, list[str]] = {}
    for change in changes:
        segments = f" (in {', '.join(change.only_in)})" if change.only_in else ""
        word = f"+{change.after}" if change.after else f"-{change.before}"
        gathered.setdefault(_about(change), []).append(f"{word}{segments}")
    for about, words in gathered.items():
        yield f"  {about}: {', '.join(words)}"


def _decided(decision: Decision) -> str:
    return f"{decision.effect}: {', '.join(decision.reasons)}  [{', '.join(decision.rules) or 'no rule'}]"


def plain(found: Difference) -> dict[str, JsonValue]:
    """The same for programs."""
    return {
        "before": found.before,
        "after": found.after,
        "touched": {
            kind: {"added": list(held.added), "removed": list(held.removed), "changed": list(held.changed)}
            for kind, held in found.touched.items()
        },
        "tools": [
            {"tool": one.tool, "gained": one.gained, "effects": [effect.value for effect in one.effects]}
            for one in found.tools
        ],
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
