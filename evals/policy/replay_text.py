"""The report of a replay as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from handrail.evals.policy.replay_report import People, ReplayReport

LISTED = 12
"""Lines of a list that the text shows; the JSON report has all of them."""


def as_text(report: ReplayReport) -> str:
    """The whole report: what was read, what changes (the more permissive first), where, and what it costs people."""
    blocks = [_head(report), _stages(report), _changes(report), _cells(report), _people(report), _unsure(report)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(report: ReplayReport) -> list[str]:
    read = report.read
    lines = [f"Bundle {report.bundle} beside {report.baseline}", f"Turns read: {read.turns}, replayed: {read.replayed}"]
    left_out = (
        (read.undecided, "ended before policy was asked: a step had failed"),
        (read.erased, "erased, not replayed"),
        (read.unreadable, "unreadable: written by another version, or changed"),
        (read.masked, "not compared: a mask or a pseudonym stands where policy would look"),
    )
    lines += [f"  {count} {words}" for count, words in left_out if count]
    others = {revision: turns for revision, turns in report.recorded_revisions.items() if revision != report.bundle}
    if others:
        listed = ", ".join(f"{revision} ({turns} turns)" for revision, turns in others.items())
        lines.append(f"The log was made under another revision: {listed}")
    changed = report.changed
    lines.append(f"Changed: {changed}" if changed.n else "Changed: nothing was replayed")
    parts = (
        (report.more_permissive, "more permissive"),
        (report.stricter, "stricter"),
        (report.otherwise, "other routing, manner or reasons only"),
    )
    lines += [f"  {count} {words}" for count, words in parts if changed.successes]
    if report.explained:
        lines.append(f"Explained by other rules or shadow rules, decided alike: {report.explained}")
    if report.reassigned:
        lines.append(f"Other segments, decided alike: {report.reassigned}")
    return lines


def _stages(report: ReplayReport) -> list[str]:
    rows = [
        (one.stage, one.decisions, one.more_permissive, one.stricter, one.otherwise, one.explained)
        for one in report.stages
    ]
    return _table(("STAGE", "decisions", "permissive", "stricter", "otherwise", "explained"), rows)


def _changes(report: ReplayReport) -> list[str]:
    lines: list[str] = []
    for direction, group in groupby(report.changes, key=lambda one: one.direction):
        found = list(group)
        lines.append(direction.value.upper())
        for one in found[:LISTED]:
            lines.append(f"  {one.turns:>6}  {one.words}")
            lines.append(f"          turns {', '.join(one.examples)}")
        lines += _rest(found)
    return lines


def _cells(report: ReplayReport) -> list[str]:
    if not report.cells:
        return []
    rows = [(one.segment, one.need_state, one.reason, one.turns) for one in report.cells[:LISTED]]
    return [*_table(("SEGMENT", "need state", "reason", "turns"), rows, left=3), *_rest(report.cells)]


def _people(report: ReplayReport) -> list[str]:
    people = report.people
    if not people.queues:
        return []
    lines = [f"PEOPLE  {people.more} more turns go to people, {people.fewer} fewer"]
    lines += [f"  more: turns {', '.join(people.more_examples)}"] if people.more else []
    lines += [f"  fewer: turns {', '.join(people.fewer_examples)}"] if people.fewer else []
    rows = [
        (one.queue, one.before, one.after, one.after - one.before, one.handling_minutes or "not in the bundle")
        for one in people.queues
    ]
    return [*lines, *_table(("  queue", "before", "after", "change", "minutes each"), rows), _cost(people)]


def _cost(people: People) -> str:
    line = f"  {people.minutes:+} minutes of people"
    if people.minutes_per_1000 is not None:
        line += f", {people.minutes_per_1000:+} per 1,000 turns"
    if people.cost is not None and people.cost_per_1000 is not None:
        line += f"; at {people.hourly_cost:g} an hour {people.cost:+.2f}, {people.cost_per_1000:+.2f} per 1,000 turns"
    return line


def _unsure(report: ReplayReport) -> list[str]:
    return [f"  {line}" for line in _doubts(report)] and ["NOT KNOWN", *(f"  {line}" for line in _doubts(report))]


def _doubts(report: ReplayReport) -> Iterator[str]:
    unsure = report.unsure
    if unsure.beyond:
        examples = ", ".join(unsure.beyond_examples)
        yield f"{unsure.beyond} turns go beyond the record: what would follow was never tried (turns {examples})"
    if unsure.left:
        yield f"{unsure.left} turns go another way than recorded under both bundles; what would follow is not known"
    if unsure.elsewhere:
        yield f"{unsure.elsewhere} turns go on with another flow or scope, judged by what was found and said then"
    for name, turns in unsure.not_recorded.items():
        yield f"asked for what was not recorded: fact {name}, {turns} turns"
    for name, turns in unsure.stale.items():
        yield f"too old when it was recorded, so its content was not kept: attribute {name}, {turns} turns"


def _rest(found: Sequence[object]) -> list[str]:
    return [f"  and {len(found) - LISTED} more; --json lists all"] if len(found) > LISTED else []


def _table(head: tuple[str, ...], rows: Iterable[tuple[str | int, ...]], left: int = 1) -> list[str]:
    """Columns as wide as they need to be; the first `left` are text, the others numbers."""
    cells = [head, *(tuple(str(cell) for cell in row) for row in rows)]
    if len(cells) == 1:
        return []
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
