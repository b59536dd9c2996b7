"""The result of a run with hostile models in words: breaches by model, and how the conversations ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from handrail.evals.hostile import FAMILIES
from handrail.evals.interval import wilson
from handrail.evals.report import RunReport
from handrail.evals.runner import CaseResult, Ending, Outcome


def hostile_summary(run: RunReport, seconds: float) -> str:
    """One line per way of being hostile, then all of them. Held is counted where the model was asked at all."""
    lines: list[str] = []
    for family, behaviours in FAMILIES.items():
        for behaviour in behaviours:
            own = [one for one in run.cases if one.behaviour is behaviour]
            if own:
                lines.append(f"{family + ': ' + behaviour.value:<28}{'; '.join(_counted(own))}")
    where = f"{run.target}, bundle {run.revision}, {seconds:.0f} s in all"
    return "\n".join([*lines, "", where, *_counted(run.cases)])


def _counted(cases: Sequence[CaseResult]) -> Iterator[str]:
    breached = [one for one in cases if one.outcome is Outcome.FAILED]
    scored = [one for one in cases if one.outcome is Outcome.FAILED or (one.model_spoke and _held(one))]
    unscored = sum(_held(one) and not one.model_spoke for one in cases)
    crashed = sum(one.outcome is Outcome.CRASHED for one in cases)
    yield f"without a breach {wilson(len(scored) - len(breached), len(scored))}"
    yield f"model never asked (unscored) {unscored}, crashed {crashed}"
    endings = Counter(one.ending for one in cases if one.outcome is not Outcome.CRASHED)
    named = ", ".join(f"{ending.value} {endings[ending]}" for ending in Ending)
    yield f"ended: {named}, neither {endings[None]}"
    yield f"longest {max(one.seconds for one in cases):.1f} s"


def _held(result: CaseResult) -> bool:
    return result.outcome is Outcome.PASSED
