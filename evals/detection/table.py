"""The measurement of detection as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handrail.evals.detection.bench import DetectionBench
from handrail.evals.detection.few_shot import FewShot
from handrail.evals.detection.need_states import NeedScore
from handrail.evals.detection.rates import Rate
from handrail.evals.interval import Proportion


def table(bench: DetectionBench) -> str:
    """All figures, each with what it was counted over."""
    return "\n".join(_lines(bench))


def share(proportion: Proportion) -> str:
    """A share with its interval, or a dash where nothing was counted."""
    if proportion.share is None:
        return "-"
    return f"{proportion.share:.3f} ({proportion.low:.3f}-{proportion.high:.3f}, n={proportion.n})"


def _lines(bench: DetectionBench) -> Iterator[str]:
    yield f"{bench.rows} labelled rows. Models never saw the data set, domain or author that they are measured on."
    yield from ("", "Need state, whole data sets left out (macro-F1, 95 % interval by bootstrap)")
    yield from _needs(bench.datasets)
    yield f"  mean of those with at least two need states: {_number(bench.dataset_mean)} (aim 0.65)"
    yield from ("", "Need state, one domain or tenant left out")
    yield from _needs(bench.domains)
    yield f"  mean: {_number(bench.domain_mean)} (aim 0.75); of those with at least two need states: " + _number(
        bench.mixed_domain_mean
    )
    yield from ("", f"Expected calibration error, pooled: {bench.pooled_calibration_error:.3f} (aim at most 0.08)")
    yield from ("", "Examples of a company's own in the bundle (macro-F1 by examples per intent)")
    yield from _curve(bench.few_shot)
    for title, rates in (
        ("High or critical risk on rows of the data (aim 0.90 at 0.05)", bench.risk),
        ("Request for a person (aim 0.92 at 0.01)", bench.people),
        ("Out of scope; false alarms are refusals of what is in scope (aim 0.85 at 0.05)", bench.scope),
        ("Authored sentences of sealed themes (aim 0.90 at 0.05 for high or critical)", bench.sealed),
        ("Instructions to the model (aim 0.92; 0.02 of customer messages, 0.10 of trigger words)", bench.injection),
    ):
        yield from ("", title, *_rates(rates))
    yield from ("", "Messages that change the risk tier when they are only written otherwise (aim 0.02)")
    yield from (f"  {one.change:18} {share(one.moved)}" for one in bench.stability)
    yield from ("", *_speed(bench))
    if bench.personal is not None:
        yield from ("", *_personal(bench))


def _needs(scores: Sequence[NeedScore]) -> Iterator[str]:
    for score in scores:
        states = "  ".join(f"{one.state.value} {one.f1:.2f}" for one in score.states)
        yield (
            f"  {score.source:28} {score.macro_f1:.3f} ({score.low:.3f}-{score.high:.3f})  n={score.n:<6}"
            f" ECE {score.calibration_error:.3f}  crashed {score.crashed}  {states}"
        )


def _curve(points: Sequence[FewShot]) -> Iterator[str]:
    for source in dict.fromkeys(point.source for point in points):
        own = [point for point in points if point.source == source]
        curve = "  ".join(f"{point.examples}: {point.macro_f1:.3f}" for point in own)
        yield f"  {source:28} {curve}  ({own[0].intents} intents, n={own[0].n})"


def _rates(rates: Sequence[Rate]) -> Iterator[str]:
    for one in rates:
        crashed = f"  crashed {one.crashed}" if one.crashed else ""
        yield f"  {one.name:28} found {share(one.found):34} false alarms {share(one.alarms)}{crashed}"


def _speed(bench: DetectionBench) -> Iterator[str]:
    speed = bench.speed
    yield (
        f"Cost per message over {speed.messages} messages: p50 {speed.p50_ms:.2f} ms (aim 5), "
        f"p95 {speed.p95_ms:.2f} ms, CPU {speed.cpu_ms:.2f} ms; "
        f"one pass of the encoder {speed.embedding_ms:.2f} ms, ratio {speed.ratio:.2f}"
    )
    yield "  by length: " + "  ".join(f"{one.characters}: {one.milliseconds} ms" for one in speed.lengths)
    yield f"  batch of 20-word messages, {speed.workers} threads: {speed.batch_per_second:.0f} a second (aim 250)"


def _personal(bench: DetectionBench) -> Iterator[str]:
    from handrail.evals.detection.personal_text import lines

    if bench.personal is not None:
        yield from lines(bench.personal)


def _number(found: float | None) -> str:
    return "-" if found is None else f"{found:.3f}"
