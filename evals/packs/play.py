"""Plays cases: every task begins from fresh records, and each call that is allowed changes them for the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from handrail.evals.packs.cases import Case, CaseKey, Label
from handrail.evals.packs.gate import Decided, PackGate
from handrail.evals.packs.pack import Pack, RecordsFile
from handrail.guardrails.vocabulary import Effect

UNREADABLE = "SYS_CASE_UNREADABLE"
EFFECT_FAILED = "SYS_EFFECT_FAILED"


class Answer(StrEnum):
    """What is written of a call. Everything but `allow` means that it does not run."""

    ALLOW = "allow"
    REFUSE = "refuse"
    ESCALATE = "escalate"


_ANSWERS = {
    Effect.ALLOW: Answer.ALLOW,
    # The call may run after a next step, which nobody takes here.
    Effect.NOT_YET: Answer.REFUSE,
    Effect.REFUSE: Answer.REFUSE,
    Effect.ESCALATE: Answer.ESCALATE,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case and what came of it. `crash` is the reason code of what kept it from being decided properly."""

    key: CaseKey
    label: Label
    answer: Answer
    reasons: tuple[str, ...]
    rules: tuple[str, ...] = ()
    crash: str | None = None
    problem: str | None = None
    decided: Decided | None = None

    def line(self) -> dict[str, JsonValue]:
        """What is written for it."""
        written: dict[str, JsonValue] = {
            "id": self.key.id,
            "decision": self.answer.value,
            "reasons": [*self.reasons],
            "rules": [*self.rules],
        }
        return written if self.crash is None else {**written, "error": self.problem}


def play(pack: Pack, records: RecordsFile, cases: Sequence[Case]) -> tuple[Outcome, ...]:
    """Decide every case; the outcomes are in the order of the cases. Lines of one task may lie apart."""
    tasks: defaultdict[str | int, list[Case]] = defaultdict(list)
    for case in cases:
        # A line without a task is a task of its own, and no number or text is the name of another one's.
        task = case.key.task
        tasks[f"line {case.key.line}" if task is None else f"task {type(task).__name__} {task}"].append(case)
    found: dict[int, Outcome] = {}
    gate = PackGate(pack, records.fresh())
    for together in tasks.values():
        if gate.has_run:
            gate = PackGate(pack, records.fresh())
        found.update((outcome.key.line, outcome) for outcome in _task(gate, together))
    return tuple(found[case.key.line] for case in cases)


def _task(gate: PackGate, cases: Sequence[Case]) -> Sequence[Outcome]:
    outcomes: list[Outcome] = []
    broken: str | None = None
    for case in cases:
        if broken is not None and case.proposal is not None:
            outcomes.append(_crashed(case, EFFECT_FAILED, broken))
            continue
        outcomes.append(_one(gate, case))
        if outcomes[-1].crash == EFFECT_FAILED:
            broken = outcomes[-1].problem
    return outcomes


def _one(gate: PackGate, case: Case) -> Outcome:
    if case.proposal is None:
        return _crashed(case, UNREADABLE, case.problem)
    decided = gate.decide(case.proposal.call, case.proposal.context)
    if decided.allowed:
        try:
            gate.carry_out(decided)
        except Exception as error:  # noqa: BLE001 - INVARIANT: on half changed records nothing more is allowed
            said = f"line {case.key.line}: the effect of {decided.call.tool} failed: {type(error).__name__}: {error}"
            return _crashed(case, EFFECT_FAILED, said)
    decision = decided.decision
    return Outcome(
        key=case.key,
        label=case.label,
        answer=_ANSWERS[decision.effect],
        reasons=decision.reasons,
        rules=decision.rules,
        problem=case.problem,
        decided=decided,
    )


def _crashed(case: Case, reason: str, problem: str | None) -> Outcome:
    return Outcome(case.key, case.label, Answer.REFUSE, (reason,), crash=reason, problem=problem)
