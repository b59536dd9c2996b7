"""What playing cases came to: how many calls of each kind were allowed and blocked, with intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from handrail.evals.interval import Proportion, wilson
from handrail.evals.packs.play import Answer, Outcome
from handrail.guardrails.vocabulary import Frozen

UNLABELLED = "(no kind)"
MAX_SHOWN = 20


class KindRates(Frozen):
    """Of the decided calls of one kind with one label: how many were allowed, and how many were not."""

    kind: str
    expected: str | None
    allowed: Proportion
    blocked: Proportion


class Wrong(Frozen):
    """A call that was decided otherwise than its label says."""

    line: int
    id: str | int | None
    kind: str | None
    expected: str
    decision: str
    reasons: tuple[str, ...]


class GateReport(Frozen):
    """The figures of a run. Crashed lines were not decided: they are in no rate, and are never allowed.

    `kinds`, `allow` (labelled allow and allowed), `block` (labelled block and blocked) and `wrong` are about labels;
    without any they say nothing. `unknown` counts facts that could not be established, by name and why.
    """

    pack: str
    revision: str
    cases: int
    decisions: dict[str, int]
    crashed: int
    allow: Proportion
    block: Proportion
    kinds: tuple[KindRates, ...]
    wrong: tuple[Wrong, ...]
    problems: tuple[str, ...]
    unknown: dict[str, int]

    @property
    def labelled(self) -> bool:
        """Whether any line said what is expected."""
        return bool(self.allow.n or self.block.n)

    @property
    def good(self) -> bool:
        """Whether every line could be read and decided, and every label was met."""
        return not (self.wrong or self.problems or self.crashed)


def report(pack: str, revision: str, outcomes: Sequence[Outcome]) -> GateReport:
    """The figures of `outcomes`."""
    decided = [outcome for outcome in outcomes if outcome.crash is None]
    return GateReport(
        pack=pack,
        revision=revision,
        cases=len(outcomes),
        decisions={answer.value: sum(outcome.answer is answer for outcome in decided) for answer in Answer},
        crashed=len(outcomes) - len(decided),
        allow=_share(decided, "allow"),
        block=_share(decided, "block"),
        kinds=tuple(_kinds(decided)),
        wrong=tuple(_wrong(decided)),
        problems=tuple(dict.fromkeys(outcome.problem for outcome in outcomes if outcome.problem is not None)),
        unknown=_unknown(decided),
    )


def table(found: GateReport) -> str:
    """The figures as text."""
    lines = [f"{found.pack}, revision {found.revision}: {found.cases} calls"]
    if found.kinds:
        width = max(len(one.kind) for one in found.kinds)
        lines.append(f"  {'kind':{width}}  expected  {'allowed':44}  blocked")
        lines += [
            f"  {one.kind:{width}}  {one.expected or '-':8}  {one.allowed!s:44}  {one.blocked}" for one in found.kinds
        ]
    if found.labelled:
        lines.append(f"Labelled allow, allowed: {found.allow}")
        lines.append(f"Labelled block, blocked: {found.block}")
    counts = ", ".join(f"{count} {name}" for name, count in found.decisions.items())
    lines.append(f"Decisions: {counts}; {found.crashed} crashed")
    if found.unknown:
        said = ", ".join(f"{name} ({count})" for name, count in found.unknown.items())
        lines.append(f"Facts that could not be established: {said}")
    lines += [f"Wrong: line {one.line} ({one.id}), {_words(one)}" for one in found.wrong[:MAX_SHOWN]]
    if len(found.wrong) > MAX_SHOWN:
        lines.append(f"and {len(found.wrong) - MAX_SHOWN} more")
    return "\n".join(lines)


def _words(one: Wrong) -> str:
    return f"{one.kind or UNLABELLED}: expected {one.expected}, decided {one.decision} ({', '.join(one.reasons)})"


def _share(decided: Iterable[Outcome], expected: str) -> Proportion:
    of = [outcome for outcome in decided if outcome.label.expected == expected]
    return wilson(sum(_meets(outcome) for outcome in of), len(of))


def _kinds(decided: Iterable[Outcome]) -> Iterator[KindRates]:
    groups: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in decided:
        if outcome.label.kind is not None or outcome.label.expected is not None:
            groups[outcome.label.kind or UNLABELLED, outcome.label.expected or ""].append(outcome)
    for (kind, expected), held in sorted(groups.items()):
        allowed = sum(outcome.answer is Answer.ALLOW for outcome in held)
        yield KindRates(
            kind=kind,
            expected=expected or None,
            allowed=wilson(allowed, len(held)),
            blocked=wilson(len(held) - allowed, len(held)),
        )


def _meets(outcome: Outcome) -> bool:
    return (outcome.answer is Answer.ALLOW) is (outcome.label.expected == "allow")


def _wrong(decided: Iterable[Outcome]) -> Iterator[Wrong]:
    for outcome in decided:
        if outcome.label.expected is not None and not _meets(outcome):
            yield Wrong(
                line=outcome.key.line,
                id=outcome.key.id,
                kind=outcome.label.kind,
                expected=outcome.label.expected,
                decision=outcome.answer.value,
                reasons=outcome.reasons,
            )


def _unknown(decided: Iterable[Outcome]) -> dict[str, int]:
    named = Counter(
        f"{one.fact}: {one.why}"
        for outcome in decided
        for one in (() if outcome.decided is None else outcome.decided.unknown)
        if one.why is not None
    )
    return dict(sorted(named.items()))
