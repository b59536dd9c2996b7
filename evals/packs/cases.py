"""Reads a file of proposed calls, one JSON object per line.

What the gate may see, what the line is called and what somebody expects of it are three objects from the start: the
gate is handed the first alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from handrail.evals.packs.gate import CallContext
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Frozen, ToolCall

MAX_LINE_CHARACTERS = 4_000_000
DEEPEST_TOLD = 6
"""Parts of a path inside a line that a problem names."""

HALF = "it holds half a character (a lone surrogate), which nothing can write"
PROPOSED = "proposed"
"""The id of every call: nothing of the line but the call itself."""


class Proposal(Frozen):
    """What is decided: a call, and the context in which it is proposed. Nothing else of a line reaches the gate."""

    call: ToolCall
    context: CallContext


class CaseKey(Frozen):
    """Which line it is. Lines of one task follow one another; without a task a line stands alone."""

    line: int
    id: str | int | None
    task: str | int | None = None


class Label(Frozen):
    """What somebody who knows the policy says of the call; unlabelled lines have none of it."""

    kind: str | None = None
    expected: Literal["allow", "block"] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One line. Without a `proposal` it could not be read, and `problem` says why (file:line: ...).

    `problem` may also be about the label alone; the call is then decided all the same.
    """

    key: CaseKey
    label: Label
    proposal: Proposal | None
    problem: str | None = None


class _Part(BaseModel):
    """Base of the parts of a line; each looks at its own fields only."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Context(_Part):
    authenticated_user_id: str | None = None
    user_confirmed: bool | None = None


class _Proposed(_Part):
    action: Annotated[str, Field(min_length=1)]
    arguments: dict[str, JsonValue]
    context: _Context = _Context()


class _Named(_Part):
    id: str | int
    task_id: str | int | None = None


class _Labelled(_Part):
    kind: str | None = None
    expected: Literal["allow", "block"] | None = None


def read_cases(path: Path) -> tuple[Case, ...]:
    """The cases of a file, in its order. ConfigError when the file itself cannot be read or holds no line."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ConfigError([f"{path}:1: cannot read the cases: {error.strerror or error}"]) from error
    # Only line feeds end a line: a JSON text may hold the other separators that Python knows.
    cases = tuple(_case(path, number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    if not cases:
        raise ConfigError([f"{path}:1: there is no case; write one JSON object per line"])
    return tuple(_unique(path, cases))


def _case(path: Path, number: int, line: str) -> Case:
    def unreadable(why: str, key: CaseKey, label: Label = Label()) -> Case:  # noqa: B008 - it is frozen
        return Case(key, label, None, f"{path}:{number}: {why}")

    nameless = CaseKey(line=number, id=None)
    if len(line) > MAX_LINE_CHARACTERS:
        return unreadable(f"longer than {MAX_LINE_CHARACTERS} characters", nameless)
    try:
        content: JsonValue = json.loads(line)
    except (ValueError, RecursionError) as error:
        return unreadable(f"not JSON ({error})", nameless)
    try:
        named = _Named.model_validate(content)
    except ValidationError as error:
        return unreadable(_first(error), nameless)
    if not _writable(named.id):
        return unreadable(HALF, nameless)
    key = CaseKey(line=number, id=named.id, task=named.task_id)
    if not _writable(content):
        return unreadable(HALF, key)
    label, problem = Label(), None
    try:
        labelled = _Labelled.model_validate(content)
        label = Label(kind=labelled.kind, expected=labelled.expected)
    except ValidationError as error:
        problem = f"{path}:{number}: the label is left out: {_first(error)}"
    try:
        proposed = _Proposed.model_validate(content)
    except ValidationError as error:
        return unreadable(_first(error), key, label)
    context = CallContext(
        customer_id=proposed.context.authenticated_user_id or None,
        confirmed=proposed.context.user_confirmed is True,
    )
    call = ToolCall(call_id=PROPOSED, tool=proposed.action, arguments=proposed.arguments)
    return Case(key, label, Proposal(call=call, context=context), problem)


def _unique(path: Path, cases: Iterable[Case]) -> Iterable[Case]:
    """A second line of the same id would answer for the first."""
    seen: dict[str | int, int] = {}
    for case in cases:
        name = case.key.id
        if name is not None and name in seen and case.problem is None:
            problem = f"{path}:{case.key.line}: the id {name!r} stands in line {seen[name]} already"
            yield Case(case.key, case.label, case.proposal, problem)
            continue
        if name is not None:
            seen.setdefault(name, case.key.line)
        yield case


def _writable(content: JsonValue) -> bool:
    """Whether it can be written as text: JSON can name halves of characters, and no file can hold them."""
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _first(error: ValidationError) -> str:
    """The first thing wrong, in words; values are not repeated."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"][:DEEPEST_TOLD])
    said = f"{first['msg'][0].lower()}{first['msg'][1:]}"
    return f"{where}: {said}" if where else f"not an object with id, action, arguments and context ({said})"
