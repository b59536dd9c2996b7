"""A check of the base in words: findings by kind, then the matrix of need states and groups of customers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.retrieval.checking.access import Access, Cell, Row
    from handrail.retrieval.checking.check import CheckReport
    from handrail.retrieval.checking.findings import Finding, Place

SHOWN = 20
"""Findings of a kind that are told; JSON has all of them."""

SENTENCE = 160
"""Characters of a sentence that are shown."""

NAMES = 40
"""Characters of the names in one row of the matrix; groups with the same figures share a row."""


def report_lines(report: CheckReport) -> Iterator[str]:
    """The report, line by line."""
    yield (
        f"Generation {report.generation} under bundle {report.bundle} on {report.day}: {report.documents} documents, "
        f"{report.passages} passages"
    )
    for code, group in groupby(report.findings, key=lambda finding: finding.code):
        held = list(group)
        yield ""
        yield f"{code.value} ({len(held)})"
        for finding in held[:SHOWN]:
            yield from _finding_lines(finding)
        if len(held) > SHOWN:
            yield f"  … and {len(held) - SHOWN} more; --json has all of them"
        for advice in sorted({finding.to_do for finding in held}):
            yield f"  → {advice}"
    yield ""
    yield from _matrix_lines(report.access)
    yield ""
    counts = Counter(finding.severity.value for finding in report.findings)
    yield ", ".join(f"{count} {severity}s" for severity, count in sorted(counts.items())) or "Nothing found."


def _finding_lines(finding: Finding) -> Iterator[str]:
    if len(finding.places) < 2:
        where = f"{_where(finding.places[0])}: " if finding.places else ""
        yield f"  {finding.severity.value}: {where}{finding.found}"
        return
    yield f"  {finding.severity.value}: {finding.found}"
    for place in finding.places:
        yield f"    {_where(place)}"
        yield f"      {_shortened(place.sentence)}"


def _where(place: Place) -> str:
    line = f":{place.line}" if place.line else ""
    return f"{place.path}{line}" + (f" · {place.heading}" if place.heading else "")


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= SENTENCE else f"{sentence[: SENTENCE - 1]}…"


def _matrix_lines(access: Access) -> Iterator[str]:
    yield "Documents to answer from, by need: the fewest and the most that one customer of the group can get"
    table = [("", *access.needs)]
    for kind, rows in (("segments", access.segments), ("attributes", access.attributes)):
        alike = _alike(rows, access.needs)
        table += [(f"{kind}:", *("" for _ in access.needs))] if alike else []
        table += [(f"  {_names(names)}", *cells) for cells, names in alike.items()]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for name, *cells in table:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield f"  {name.ljust(widths[0])}  {'  '.join(padded)}".rstrip()


def _alike(rows: Sequence[Row], needs: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """The groups by their figures."""
    found: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        cells = {cell.need: _figure(cell) for cell in row.cells}
        found.setdefault(tuple(cells.get(need, "-") for need in needs), []).append(row.group)
    return found


def _figure(cell: Cell) -> str:
    if cell.hole:
        return "NONE"
    return str(cell.most) if cell.least == cell.most else f"{cell.least} to {cell.most}"


def _names(names: Sequence[str]) -> str:
    shown = [names[0]]
    for name in names[1:]:
        if len(", ".join([*shown, name])) > NAMES:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return f"{', '.join(shown)}{f' and {more} more' if more else ''}"
