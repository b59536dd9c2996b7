"""The result of a run in words: what failed and why, and how many of how many held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from handrail.evals.interval import Proportion, wilson
from handrail.evals.runner import CaseResult, Outcome, TurnSeen
from handrail.evals.scenario import Behaviour
from handrail.guardrails.vocabulary import Frozen

WIDTH = 300
"""Characters of a text that the terminal shows; the HTML report shows all of it."""


class Tally(Frozen):
    """How many cases ended in which way. `held` is the share that passed among those that passed or failed."""

    passed: int
    failed: int
    crashed: int
    not_run: int
    held: Proportion

    @property
    def total(self) -> int:
        """All cases, those that were not run too."""
        return self.passed + self.failed + self.crashed + self.not_run

    @property
    def all_well(self) -> bool:
        """Whether nothing failed, nothing crashed, and something passed."""
        return self.passed > 0 and not self.failed and not self.crashed


class RunReport(Frozen):
    """A whole run, for `--json`."""

    target: str
    revision: str | None
    tally: Tally
    scenarios: dict[str, Tally]
    cases: tuple[CaseResult, ...]


def tally(results: Sequence[CaseResult]) -> Tally:
    """Count the outcomes. A crash is no answer about the policy and stays out of the share."""
    counted = Counter(result.outcome for result in results)
    passed, failed = counted[Outcome.PASSED], counted[Outcome.FAILED]
    return Tally(
        passed=passed,
        failed=failed,
        crashed=counted[Outcome.CRASHED],
        not_run=counted[Outcome.NOT_RUN],
        held=wilson(passed, passed + failed),
    )


def by_scenario(results: Sequence[CaseResult]) -> Mapping[str, tuple[CaseResult, ...]]:
    """The results of each scenario, in the order in which scenarios first appear."""
    found: dict[str, list[CaseResult]] = {}
    for result in results:
        found.setdefault(result.scenario, []).append(result)
    return {name: tuple(of_one) for name, of_one in found.items()}


def report(target: str, revision: str | None, results: Sequence[CaseResult]) -> RunReport:
    """The run as one value."""
    return RunReport(
        target=target,
        revision=revision,
        tally=tally(results),
        scenarios={name: tally(of_one) for name, of_one in by_scenario(results).items()},
        cases=tuple(results),
    )


def failure(result: CaseResult) -> str:
    """What failed and why: every turn up to the last that went wrong, with what differed."""
    lines = [f"{result.outcome.value.upper()}  {result.name}  {result.title}"]
    wrong = [number for number, turn in enumerate(result.turns, 1) if turn.differences]
    last = len(result.turns) if result.why or not wrong else wrong[-1]
    for number, turn in enumerate(result.turns[:last], 1):
        lines.extend(_turn(number, turn))
    if result.why:
        lines.append(f"    {result.why}")
    return "\n".join(lines)


def summary(run: RunReport) -> str:
    """One line per scenario, what was not run and why, and the total."""
    width = max((len(name) for name in run.scenarios), default=0)
    lines = [f"{name:<{width}}  {_counted(counts)}" for name, counts in run.scenarios.items()]
    reasons = Counter(result.why for result in run.cases if result.outcome is Outcome.NOT_RUN)
    lines.extend(f"not run ({count}): {why}" for why, count in reasons.items())
    standins = [
        one for one in run.cases if one.behaviour is not Behaviour.EMBEDDED and one.outcome is not Outcome.NOT_RUN
    ]
    if standins:
        asked = sum(one.model_spoke for one in standins)
        lines.append(
            f"stand-in models were asked in {asked} of {len(standins)} cases; in the others a flow or policy answered"
        )
    bundle = f", bundle {run.revision}" if run.revision else ""
    return "\n".join([*lines, "", f"{run.target}{bundle}", f"held: {run.tally.held}; {_counted(run.tally)}"])


def _turn(number: int, turn: TurnSeen) -> Iterator[str]:
    yield f"    turn {number}  {turn.speaker}: {_short(turn.text)}"
    yield f"            reply ({turn.status.value}): {_short(turn.reply) or '(empty)'}"
    if turn.differences:
        yield f"            reasons: {', '.join(turn.reasons)}"
        yield f"            sources: {', '.join(turn.sources) or 'none'}"
        yield from (f"          × {difference}" for difference in turn.differences)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _counted(counts: Tally) -> str:
    parts = [f"{counts.passed} passed"]
    for number, word in ((counts.failed, "failed"), (counts.crashed, "crashed"), (counts.not_run, "not run")):
        if number:
            parts.append(f"{number} {word}")
    return ", ".join(parts)
