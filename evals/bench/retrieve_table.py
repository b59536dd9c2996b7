"""The figures of `handrail bench retrieve` as text, and as a page with plots."""

from __future__ import annotations

from html import escape

from handrail.evals.bench.line_plot import Series, lines
from handrail.evals.bench.retrieve import (
    AIM_EMBEDDED,
    AIM_FILTERED,
    AIM_INGESTED,
    AIM_RECALL,
    AIM_TURN_MS,
    AIM_UNFILTERED,
    RetrieveBench,
    ScopeFigure,
    SizeFigure,
)
from handrail.evals.svg import figure, page


def table(bench: RetrieveBench) -> str:
    """The figures as text."""
    found = [
        f"Wall milliseconds at the median, median of {bench.rounds} rounds of {bench.questions} questions.",
        "Unfiltered and filtered are Chroma's own queries for 10 passages; the scoped search finds 24. Recall is of",
        "the 5 nearest.",
    ]
    for size in bench.sizes:
        found += ["", *_size(size)]
    scopes = [scope for size in bench.sizes for scope in size.scopes]
    most = max(one.beside_unfiltered for one in scopes)
    large = [scope for size in bench.sizes if size.passages >= LARGE for scope in size.scopes]
    found += ["", f"scoped / unfiltered at most {most:.2f}  (aim {AIM_UNFILTERED})"]
    if large:
        found.append(
            f"from {LARGE:,} passages on: scoped / filtered at most {max(one.beside_filtered for one in large):.3f}  "
            f"(aim {AIM_FILTERED:.3f})"
        )
    found.append(f"recall at least {min(one.recall for one in scopes):.3f}  (aim {AIM_RECALL})")
    grown, turn = bench.sizes[-1].search_ms - bench.sizes[0].search_ms, bench.turn
    found.append(f"a whole search takes {grown:+.2f} ms from the smallest base to the largest")
    found.append(
        f"a whole turn takes {turn.sample_ms:.1f} ms on the sample base (CPU {turn.sample_cpu_ms:.1f}) and "
        f"{turn.drawn_ms:.1f} ms on the largest ({turn.drawn_cpu_ms:.1f}): {turn.more_ms:+.1f} ms  "
        f"(aim {AIM_TURN_MS:.0f})"
    )
    ingested, embedded = bench.sizes[-1].ingested_per_second, bench.embedded
    found.append(f"the largest ingested with given vectors: {ingested:,.0f} passages a second  (aim {AIM_INGESTED:,})")
    found.append(
        f"embedded with the local encoder: {embedded.per_second:,.0f} passages of {embedded.tokens:.0f} tokens a second"
        f"  (aim {AIM_EMBEDDED})"
    )
    return "\n".join(found)


LARGE = 10_000
"""Passages from which the cost of Chroma's filter is judged; in a small base there is little to filter."""


def _size(size: SizeFigure) -> list[str]:
    head = (
        f"{size.passages:,} passages of {size.documents:,} documents: {size.ingested_per_second:,.0f} a second ingested"
        f", unchanged in {size.unchanged_s:.1f} s, opened in {size.open_s:.1f} s, {size.held_mb:.0f} MB held, "
        f"{size.disk_mb:.0f} MB on disk"
    )
    names = (
        f"{'left':>7}{'scoped':>9}{'CPU':>8}{'unfiltered':>12}{'filtered':>10}{'/unf.':>7}{'/filt.':>8}{'recall':>8}"
        f"{'filtered':>10}{'search':>9}"
    )
    return [head, names, *map(_scope, size.scopes)]


def _scope(one: ScopeFigure) -> str:
    return (
        f"{one.left:>7.1%}{one.scoped_ms:>9.2f}{one.cpu_ms:>8.2f}{one.unfiltered_ms:>12.2f}{one.filtered_ms:>10.2f}"
        f"{one.beside_unfiltered:>7.2f}{one.beside_filtered:>8.3f}{one.recall:>8.3f}{one.filtered_recall:>10.3f}"
        f"{one.search_ms:>9.2f}"
    )


def html_page(bench: RetrieveBench) -> str:
    """Latency and recall over the size of the base, then all figures as text."""
    sizes = [size.passages for size in bench.sizes]
    count = len(bench.sizes[0].scopes)
    plots = []
    for number in range(count):
        row = [size.scopes[number] for size in bench.sizes]
        title = f"A scope that leaves {row[-1].left:.0%}: milliseconds by passages"
        plots.append(
            figure(
                title,
                lines(
                    sizes,
                    (
                        Series("scoped", tuple(one.scoped_ms for one in row)),
                        Series("Chroma, no filter", tuple(one.unfiltered_ms for one in row)),
                        Series("Chroma, filtered", tuple(one.filtered_ms for one in row)),
                    ),
                ),
            )
        )
    recalls = (
        Series("scoped", tuple(min(one.recall for one in size.scopes) for size in bench.sizes)),
        Series("Chroma, filtered", tuple(min(one.filtered_recall for one in size.scopes) for size in bench.sizes)),
    )
    body = f"""<h1>What a scope costs as the base grows</h1>
<p>Both axes of the latency plots are logarithmic. Vectors and scopes are drawn; texts have the sample base's words.</p>
{"".join(plots)}
{figure("Recall of the five nearest, worst scope, by passages", lines(sizes, recalls, top=1.0))}
<h2>All figures</h2>
<pre>{escape(table(bench))}</pre>
"""
    return page("Handrail retrieval", body)
