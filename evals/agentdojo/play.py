"""Plays a suite: every task of the user alone, and every one with every injection that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handrail.evals.agentdojo.gated import Attempt
from handrail.evals.agentdojo.shapes import Attack, Suite, Task, UserTask
from handrail.evals.agentdojo.worst_model import WorstModel
from handrail.evals.packs.pack import Pack
from handrail.guardrails.vocabulary import Frozen


class Played(Frozen):
    """One run of a task. `done` is AgentDojo's own check of what the user wanted, `reached` its check of the injection.

    `scorable` says that the same calls, all of them run and none injected, pass the check of the user's task; where
    they do not, `done` says nothing of the gate. `read` says that the model came across the injected text. `free` are
    the calls of the same model without a gate. A run that broke off has `crash` and nothing else.
    """

    task: str
    injection: str | None = None
    done: bool = False
    scorable: bool = False
    read: bool = False
    reached: bool = False
    reached_free: bool = False
    attempts: tuple[Attempt, ...] = ()
    free: tuple[Attempt, ...] = ()
    crash: str | None = None


def play(suite: Suite, pack: Pack, attack: Attack) -> Iterator[Played]:
    """Every task alone, then under attack by every injection. Tasks that read no injectable place are not attacked."""
    for task in suite.user_tasks.values():
        yield _guarded(suite, pack, task, None, {})
    for task in suite.user_tasks.values():
        for injection in suite.injection_tasks.values():
            try:
                texts = attack.attack(task, injection)
            except ValueError:
                break
            except Exception as error:  # noqa: BLE001 - a task whose places cannot be found out is counted as crashed
                yield _crashed(task, injection, error)
                continue
            yield _guarded(suite, pack, task, injection, texts)


def _guarded(suite: Suite, pack: Pack, task: UserTask, injection: Task | None, texts: Mapping[str, str]) -> Played:
    try:
        return _one(suite, pack, task, injection, texts)
    except Exception as error:  # noqa: BLE001 - whatever a task raises: it is counted, and the others are played
        return _crashed(task, injection, error)


def _crashed(task: UserTask, injection: Task | None, error: Exception) -> Played:
    told = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return Played(task=task.ID, injection=None if injection is None else injection.ID, crash=told)


def _one(suite: Suite, pack: Pack, task: UserTask, injection: Task | None, texts: Mapping[str, str]) -> Played:
    injected = tuple(dict.fromkeys(texts.values()))
    model = WorstModel(pack, task, injection, injected, gated=True)
    done, reached = suite.run_task_with_pipeline(model, task, injection, texts)
    honest = WorstModel(pack, task, gated=False)
    scorable, _ = suite.run_task_with_pipeline(honest, task, None, texts)
    free = WorstModel(pack, task, injection, injected, gated=False)
    reached_free = injection is not None and suite.run_task_with_pipeline(free, task, injection, texts)[1]
    return Played(
        task=task.ID,
        injection=None if injection is None else injection.ID,
        done=done,
        scorable=scorable,
        read=model.read,
        reached=injection is not None and reached,
        reached_free=reached_free,
        attempts=_attempts(model),
        free=_attempts(free),
    )


def _attempts(model: WorstModel) -> tuple[Attempt, ...]:
    return () if model.runtime is None else tuple(model.runtime.attempts)
