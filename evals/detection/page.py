"""The measurement of detection as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape

from handrail.evals.detection.bench import DetectionBench
from handrail.evals.detection.plots import bars, confusion, curves, reliability
from handrail.evals.detection.table import table
from handrail.evals.svg import figure, page


def html_page(bench: DetectionBench) -> str:
    """Plots of each left-out set, then all figures as text."""
    shares = [*((one.source, one.macro_f1, one.low, one.high) for one in bench.domains)]
    whole = [*((one.source, one.macro_f1, one.low, one.high) for one in bench.datasets)]
    found = [(one.name, one.found.share or 0.0, one.found.low, one.found.high) for one in bench.sealed if one.found.n]
    confused = "\n".join(
        figure(f"{one.source}, n={one.n}", confusion(one)) for one in bench.datasets if len(one.states) > 1
    )
    reliable = "\n".join(
        figure(f"{one.source}, ECE {one.calibration_error:.3f}", reliability(one.steps)) for one in bench.datasets
    )
    body = f"""<h1>Detection on companies that it has not seen</h1>
<p>Every figure comes from a model that had seen no row of the data set, domain or author in question.
Whiskers are 95 % intervals.</p>
<h2>Need state by source</h2>
{figure("Whole data sets left out, macro-F1", bars(whole))}
{figure("Domains and tenants left out, macro-F1", bars(shares))}
<h2>What is taken for what</h2>
{confused}
<h2>Reliability: how often an answer of that confidence is right</h2>
{reliable}
<h2>Examples of a company's own</h2>
{figure("Macro-F1 by examples per intent", curves(bench.few_shot))}
<h2>Authored sentences of sealed themes</h2>
{figure("Share found", bars(found))}
<h2>All figures</h2>
<pre>{escape(table(bench))}</pre>
"""
    return page("Handrail detection", body)
