"""What is used of AgentDojo, as protocols: the package is not there where types are checked and tests run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, JsonValue

Message = dict[str, object]
"""One message of a transcript, as AgentDojo keeps it."""

Ran = tuple[object, str | None]
"""The result of a call, and what went wrong with it: the pair that AgentDojo's runtimes return."""

Played = tuple[str, object, BaseModel, Sequence[Message], dict[str, object]]
"""What a pipeline returns: the prompt, its runtime, the environment afterwards, the transcript, and what is extra."""


@runtime_checkable
class Proposed(Protocol):
    """A call as AgentDojo writes it; a value may be a further call, whose result is meant."""

    @property
    def function(self) -> str:
        """The tool."""
        ...

    @property
    def args(self) -> Mapping[str, object]:
        """Its arguments."""
        ...


class Runtime(Protocol):
    """What runs the tools of a suite."""

    def run_function(
        self, env: BaseModel, function: str, kwargs: Mapping[str, object], raise_on_error: bool = False
    ) -> Ran:
        """Run a tool; without `raise_on_error` an error is returned as text."""
        ...


class Task(Protocol):
    """A task of the user, or of whoever injects."""

    ID: str
    GROUND_TRUTH_OUTPUT: str

    def ground_truth(self, pre_environment: BaseModel, /) -> Sequence[Proposed]:
        """The calls that do what the task asks for."""
        ...


class UserTask(Task, Protocol):
    """A task of the user."""

    PROMPT: str


class Pipeline(Protocol):
    """A model with its tools, as AgentDojo asks it."""

    name: str

    def query(self, query: str, runtime: Runtime, env: BaseModel) -> Played:
        """Answer a prompt."""
        ...


class Suite(Protocol):
    """One of AgentDojo's suites."""

    @property
    def user_tasks(self) -> Mapping[str, UserTask]:
        """The tasks of the user, by id."""
        ...

    @property
    def injection_tasks(self) -> Mapping[str, Task]:
        """What is injected, by id."""
        ...

    def run_task_with_pipeline(
        self, agent_pipeline: Pipeline, user_task: UserTask, injection_task: Task | None, injections: Mapping[str, str]
    ) -> tuple[bool, bool]:
        """Whether the user's task was done, and whether the injection reached its goal, by AgentDojo's own checks."""
        ...


class Attack(Protocol):
    """What writes an injection into the places that a user's task reads."""

    def attack(self, user_task: UserTask, injection_task: Task, /) -> Mapping[str, str]:
        """The injected text by place. ValueError when the task reads none of them."""
        ...


def plain(value: object) -> JsonValue:
    """A value of AgentDojo as JSON: models become objects, and what JSON does not have becomes text."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    # A choice of AgentDojo is a text of a class of its own.
    if isinstance(value, str):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)
