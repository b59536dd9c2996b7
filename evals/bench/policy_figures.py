"""The figures of `handrail bench policy`, and how they are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handrail.evals.bench.cedar import Way
from handrail.evals.bench.drawn_turns import ALWAYS_ASKED
from handrail.guardrails.vocabulary import Frozen

SHIPPED_AIM_US = 50.0
MANY_AIM_US = 100.0


class Timing(Frozen):
    """Microseconds of one call: median and 95th percentile of the wall, and CPU; each the median of the rounds."""

    p50_us: float
    p95_us: float
    cpu_us: float


class Beside(Frozen):
    """Cedar on the same questions. `ratio` is Handrail's median divided by Cedar's, asked in its fastest way."""

    policies: float
    parsed: Timing
    from_dict: Timing
    from_text: Timing
    ratio: float


class PolicyFigure(Frozen):
    """One stage, or all. `rules` are asked and `applied` apply, on average over the questions; `allowed` is a count."""

    name: str
    questions: int
    allowed: int
    rules: float
    applied: float
    decide: Timing
    cedar: Beside | None


class PolicyBench(Frozen):
    """What `handrail bench policy` prints. `shipped` and `many` end with the figure over all their questions."""

    turns: int
    rounds: int
    shipped_rules: int
    many_rules: int
    cedarpy: str | None
    shipped: tuple[PolicyFigure, ...]
    many: tuple[PolicyFigure, ...]


def table(bench: PolicyBench) -> str:
    """The figures as text."""
    lines = [f"Microseconds per call, median of {bench.rounds} rounds, over {bench.turns} drawn turns."]
    lines.append(
        "decide returns the whole recorded decision: effect, reasons, rules, obligations, dimensions, evidence."
    )
    lines += ["", f"Shipped bundle, {bench.shipped_rules} rules", *_rows(bench.shipped)]
    asked = f"authorize_tools for {ALWAYS_ASKED} alone"
    lines += ["", f"With generated rules, {bench.many_rules} in all ({asked})", *_rows(bench.many), ""]
    lines += [*_aim("the shipped bundle", bench.shipped, SHIPPED_AIM_US), *_aim("1,000 rules", bench.many, MANY_AIM_US)]
    return "\n".join([*lines, "", *_about_cedar(bench)])


def _rows(figures: Sequence[PolicyFigure]) -> Iterator[str]:
    compared = any(one.cedar is not None for one in figures)
    head = f"{'':17}{'asked':>7}{'allowed':>8}{'rules':>8}{'applied':>8}{'p50':>9}{'p95':>9}{'CPU':>9}"
    yield head + (
        f" | {'policies':>9}{'p50':>9}{'p95':>9}{'CPU':>9}{'dict':>9}{'text':>9}{'ratio':>7}" if compared else ""
    )
    for one in figures:
        row = f"{one.name:17}{one.questions:>7}{one.allowed:>8}{one.rules:>8.1f}{one.applied:>8.1f}{_three(one.decide)}"
        if one.cedar is not None:
            row += f" | {one.cedar.policies:>9.1f}{_three(one.cedar.parsed)}{one.cedar.from_dict.p50_us:>9.1f}"
            row += f"{one.cedar.from_text.p50_us:>9.1f}{one.cedar.ratio:>7.2f}"
        yield row


def _three(timing: Timing) -> str:
    return f"{timing.p50_us:>9.1f}{timing.p95_us:>9.1f}{timing.cpu_us:>9.1f}"


def _aim(name: str, figures: Sequence[PolicyFigure], aim: float) -> Iterator[str]:
    """The figure over all questions beside its aim, and the slowest stage."""
    *stages, overall = figures
    slowest = max(stages, key=lambda one: one.decide.p50_us)
    yield (
        f"decide with {name}: p50 {overall.decide.p50_us:.1f}  (aim {aim:.0f}); "
        f"slowest stage {slowest.name}: {slowest.decide.p50_us:.1f}"
    )


def _about_cedar(bench: PolicyBench) -> Iterator[str]:
    if bench.cedarpy is None:
        yield "cedarpy is not installed: `pip install cedarpy` for the comparison with Cedar."
        return
    yield f"Right of the bar: cedarpy {bench.cedarpy}, {Way.PARSED.value} (its fastest way for one decision)."
    yield "It has the rules with an effect and is given only the facts that these read; requests are built beforehand."
    yield f"`dict`: p50 with {Way.FROM_DICT.value}; `text`: p50 with {Way.FROM_TEXT.value}."
    yield "Cedar answers allow or deny and names policies; both agreed on every question."
    yield "`ratio`: Handrail's p50 divided by Cedar's."
