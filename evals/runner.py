"""Plays scenarios against a target and keeps what was said, what was decided and what differed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from enum import StrEnum

from handrail.agent.standing import WITH_PEOPLE
from handrail.evals.expectation import differences, folded
from handrail.evals.invariants import Story
from handrail.evals.observed import Observed
from handrail.evals.scenario import Behaviour, Operate, Press, Say, Scenario, StepUp, TurnSpec
from handrail.evals.target import Dialogue, StepImpossible, Target
from handrail.guardrails.vocabulary import ConversationStatus, Frozen

CASE_SECONDS = 180.0
"""How long one conversation may take: twenty turns that all reach their deadline would take longer."""

_MODEL_REASONS = frozenset({"DRAFT_MODEL", "SYS_MODEL"})
"""Reasons of a turn in which the model was asked, with or without success."""

CUSTOMER, OPERATOR = "customer", "operator"

WRONG_CODE = "000000"
"""Typed by a customer who does not have the code; the sample company never sends it."""


class Outcome(StrEnum):
    """How a case ended. A crash is the runner's or the target's fault and says nothing of the policy."""

    PASSED = "passed"
    FAILED = "failed"
    CRASHED = "crashed"
    NOT_RUN = "not_run"


class Judged(StrEnum):
    """By what a case is judged: what its scenario expects and what must always hold, or the latter alone.

    With a model that the scenario was not written for its expectations mean nothing, and a step that the conversation
    did not come to is left out.
    """

    EXPECTATIONS = "expectations"
    BREACHES = "breaches"


class Ending(StrEnum):
    """How a conversation ended: with a person, an answer that cites sources, or fixed words (a flow, a safe reply)."""

    PERSON = "person"
    SOURCED = "sourced"
    FIXED = "fixed"


class TurnSeen(Frozen):
    """One turn as it went. `speaker` is customer or operator; `differences` are sentences, empty when all is well."""

    speaker: str
    text: str
    reply: str
    status: ConversationStatus
    reasons: tuple[str, ...]
    segments: tuple[str, ...]
    sources: tuple[str, ...]
    ran: tuple[str, ...]
    queue: str | None
    differences: tuple[str, ...]


class CaseResult(Frozen):
    """One scenario in one wording (counted from 1). `why` says what went wrong outside of any turn."""

    scenario: str
    title: str
    wording: int
    behaviour: Behaviour
    outcome: Outcome
    turns: tuple[TurnSeen, ...] = ()
    why: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """How reports call the case."""
        return _name(self.scenario, self.behaviour, self.wording)

    @property
    def ending(self) -> Ending | None:
        """How the conversation ended; None when it has no turn, or its last one left the customer with nothing."""
        last = self.turns[-1] if self.turns else None
        if last is None:
            return None
        if last.status in WITH_PEOPLE:
            return Ending.PERSON
        if not last.reply.strip():
            return None
        return Ending.SOURCED if last.sources else Ending.FIXED

    @property
    def model_spoke(self) -> bool:
        """Whether the model was asked in any turn. Where it was not, a hostile one had no chance to do harm."""
        return any(_MODEL_REASONS & set(turn.reasons) for turn in self.turns)

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that went wrong, with the number of its turn."""
        inside = (f"turn {number}: {text}" for number, turn in enumerate(self.turns, 1) for text in turn.differences)
        return (*inside, *((self.why,) if self.why else ()))


class Case(Frozen):
    """A scenario in one wording (counted from 1), with one behaviour of the model."""

    scenario: Scenario
    wording: int
    behaviour: Behaviour
    judged: Judged = Judged.EXPECTATIONS

    @property
    def name(self) -> str:
        """How reports call the case: `id[wording]`, or `id[behaviour-wording]` with a stand-in."""
        return _name(self.scenario.id, self.behaviour, self.wording)


def cases(scenarios: Iterable[Scenario], containing: str = "") -> tuple[Case, ...]:
    """Every behaviour and wording of every scenario; of these, the cases whose name contains the text."""
    every = (
        Case(scenario=one, wording=number, behaviour=behaviour)
        for one in scenarios
        for behaviour in one.behaviours
        for number in range(1, one.count + 1)
    )
    return tuple(case for case in every if containing in case.name)


async def run(
    target: Target,
    chosen: Sequence[Case],
    jobs: int = 1,
    done: Callable[[CaseResult], None] = lambda _: None,
) -> tuple[CaseResult, ...]:
    """Play all cases, at most `jobs` at a time, and call `done` after each; results are in the order of `chosen`."""
    results: dict[str, CaseResult] = {}
    room = asyncio.Semaphore(jobs)

    async def one(case: Case) -> None:
        async with room:
            result = await play(target, case)
        results[result.name] = result
        done(result)

    for behaviour in Behaviour:
        # INVARIANT: only conversations of one behaviour run at the same time, so a target may switch its one model.
        here = [case for case in chosen if case.behaviour is behaviour]
        playable = any(target.lacks(case.scenario, case.behaviour) is None for case in here)
        async with target.behaving(behaviour) if playable else nullcontext():
            await asyncio.gather(*(one(case) for case in here))
    return tuple(results[case.name] for case in chosen)


async def play(target: Target, case: Case) -> CaseResult:
    """Play one case. Whatever goes wrong ends up in the result; only being cancelled is raised."""
    lacking = target.lacks(case.scenario, case.behaviour)
    if lacking is not None:
        return _result(case, Outcome.NOT_RUN, [], lacking)
    seen: list[TurnSeen] = []
    began = time.monotonic()
    result = await _played(target, case, seen)
    return result.model_copy(update={"seconds": round(time.monotonic() - began, 3)})


async def _played(target: Target, case: Case, seen: list[TurnSeen]) -> CaseResult:
    try:
        async with asyncio.timeout(CASE_SECONDS), target.begin(case.scenario) as dialogue:
            why = await _converse(target, case, dialogue, seen)
    except StepImpossible as error:
        return _result(case, Outcome.FAILED, seen, f"turn {len(seen) + 1}: {error}")
    except TimeoutError:
        return _result(case, Outcome.CRASHED, seen, f"the conversation took longer than {CASE_SECONDS:g} seconds")
    except Exception as error:  # noqa: BLE001 - a crash of the target is a result of its own and ends no other case
        return _result(case, Outcome.CRASHED, seen, f"turn {len(seen) + 1}: {type(error).__name__}: {error}")
    failed = why or any(turn.differences for turn in seen)
    return _result(case, Outcome.FAILED if failed else Outcome.PASSED, seen, why)


class _Taken(Frozen):
    """A step that was taken: who did what, and what was seen."""

    speaker: str
    text: str
    observed: Observed


async def _converse(target: Target, case: Case, dialogue: Dialogue, seen: list[TurnSeen]) -> str:
    """Have the conversation; what is wrong with its effects as a whole, empty when nothing is."""
    story = Story(target.revision, target.needs_approval, case.scenario.customer_id, target.prompt)
    for turn in case.scenario.turns:
        if isinstance(turn, Say) and turn.only_if and (not seen or folded(turn.only_if) not in folded(seen[-1].reply)):
            continue
        before = frozenset(story.ran)
        try:
            taken = await _take(turn, case, dialogue)
        except StepImpossible:
            if case.judged is Judged.BREACHES:
                continue
            raise
        observed = taken.observed
        if taken.speaker == CUSTOMER:
            story.heard(taken.text)
        broken = story.breaches(observed, turn.operator if isinstance(turn, Operate) else None)
        expects = turn.expect if case.judged is Judged.EXPECTATIONS else None
        found = () if expects is None else differences(expects, observed, before)
        seen.append(
            TurnSeen(
                speaker=taken.speaker,
                text=taken.text,
                reply=observed.reply,
                status=observed.status,
                reasons=observed.reasons,
                segments=observed.segments,
                sources=observed.sources,
                ran=tuple(sorted({*observed.ran, *observed.executed})),
                queue=None if observed.handoff is None else observed.handoff.queue,
                differences=(*broken, *found),
            )
        )
    return "; ".join(story.unexplained(await dialogue.changes()))


async def _take(turn: TurnSpec, case: Case, dialogue: Dialogue) -> _Taken:
    if isinstance(turn, Operate):
        return _Taken(speaker=OPERATOR, text=turn.operator, observed=await dialogue.decide(turn.operator))
    if isinstance(turn, Press):
        return _Taken(speaker=CUSTOMER, text="(the button for a person)", observed=await dialogue.press())
    if isinstance(turn, StepUp):
        sent = await dialogue.code()
        text = sent if turn.step_up == "code" else WRONG_CODE
    else:
        text = case.scenario.text(turn, case.wording - 1)
    return _Taken(speaker=CUSTOMER, text=text, observed=await dialogue.say(text))


def _result(case: Case, outcome: Outcome, seen: Sequence[TurnSeen], why: str = "") -> CaseResult:
    scenario = case.scenario
    return CaseResult(
        scenario=scenario.id,
        title=scenario.title,
        wording=case.wording,
        behaviour=case.behaviour,
        outcome=outcome,
        turns=tuple(seen),
        why=why,
    )


def _name(scenario: str, behaviour: Behaviour, wording: int) -> str:
    return f"{scenario}[{wording}]" if behaviour is Behaviour.EMBEDDED else f"{scenario}[{behaviour.value}-{wording}]"
