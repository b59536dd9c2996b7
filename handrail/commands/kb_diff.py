"""`handrail kb diff`: what an ingest of a folder would change, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.commands import kb_options
from handrail.commands.kb_options import AS_JSON, BUNDLE, DATA_DIR, FOUND, MAPPING, base_in, bundle_or_shipped, day_of
from handrail.commands.kb_problems import problem_lines

if TYPE_CHECKING:
    from handrail.retrieval.checking.difference import BaseDifference, ChangedDocument, SegmentEffect

WIDTH = 120
"""Characters of a line."""

SHOWN = 50
"""Documents of a kind that are named; JSON has all of them."""


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path))
@MAPPING
@BUNDLE
@DATA_DIR
@AS_JSON
def diff(sources: tuple[Path, ...], mapping: Path | None, bundle: Path | None, data_dir: Path, as_json: bool) -> int:
    """Say what an ingest of every SOURCE, together, would change in the live knowledge base.

    Documents that come, go, change, or move to or from quarantine, and what that means for each segment of the bundle.
    Exits with 0 when nothing would change, with 1 when something would, with 2 when that cannot be said.
    """
    from handrail.guardrails.bundle.loader import load
    from handrail.retrieval.checking.difference import difference
    from handrail.retrieval.reading.sources import Sources

    read = Sources(sources, kb_options.mapping_in(mapping))
    policy = load(bundle_or_shipped(bundle))
    found = difference(base_in(data_dir), read, kb_options.screen(bundle), policy, day_of(None))
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        click.echo("\n".join(_lines(found)))
    return FOUND if found.any else 0


def _lines(found: BaseDifference) -> Iterator[str]:
    against = f"generation {found.generation}" if found.generation is not None else "no knowledge base"
    if not found.any:
        yield f"Against {against}: nothing would change"
        yield from _left_out(found)
        return
    yield (
        f"Against {against}: {len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed, "
        f"{len(found.quarantined)} into quarantine, {len(found.released)} out of it"
    )
    yield from _limited([f"  + {one.path}  {one.title}" for one in found.added])
    yield from _limited(
        [
            f"  - {one.path}  {one.title}{'  (its file is bad now, see below)' if one.left_out else ''}"
            for one in found.removed
        ]
    )
    yield from _limited([_changed(one) for one in found.changed])
    yield from _limited(
        [f"  ! {one.path}:{one.line} would go into quarantine ({', '.join(one.signals)})" for one in found.quarantined]
    )
    yield from _limited([f"  ! {doc_id} would come out of quarantine" for doc_id in found.released])
    if found.segments:
        yield "Documents that customers of a segment could read, more and less than before"
        yield from _effects(found.segments)
    yield from _left_out(found)


def _effects(effects: Sequence[SegmentEffect]) -> Iterator[str]:
    """Segments with one effect share its lines, the largest loss first."""
    import textwrap

    alike: dict[tuple[int, int], list[str]] = {}
    for effect in effects:
        alike.setdefault((effect.more, effect.less), []).append(effect.segment)
    for (more, less), segments in sorted(alike.items(), key=lambda item: (-item[0][1], -item[0][0])):
        head = f"  +{more} -{less}".ljust(10)
        yield textwrap.fill(
            ", ".join(segments), WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False
        )


def _left_out(found: BaseDifference) -> Iterator[str]:
    if found.problems:
        yield f"{len({one.file for one in found.problems})} articles would be left out"
        yield from problem_lines(found.problems, None)


def _limited(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"    … and {len(lines) - SHOWN} more; --json has all of them"


def _changed(one: ChangedDocument) -> str:
    changes = [f"{change.name} {change.old} -> {change.new}" for change in one.fields]
    if one.passages_added or one.passages_removed:
        changes.append(f"passages +{one.passages_added} -{one.passages_removed}")
    return f"  ~ {one.path}  {'; '.join(changes) or 'only bytes that no reader sees'}"
