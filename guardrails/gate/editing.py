"""An operator's edit of a call that waits for approval: what may be changed, and whether the customer loses by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from pydantic import JsonValue

from handrail.guardrails.gate.argument import Argument, Favours, Origin
from handrail.guardrails.gate.canonical import canonical
from handrail.guardrails.gate.fitting import measure, value_problem
from handrail.guardrails.toolspec import ToolSpec, validate_arguments
from handrail.guardrails.vocabulary import ToolCall


class Edit(StrEnum):
    """What an edit means for the customer. What cannot be shown to be in their favour is against them."""

    NONE = "none"
    FAVOURABLE = "favourable"
    ADVERSE = "adverse"


def edited_call(spec: ToolSpec, call: ToolCall, changes: Mapping[str, JsonValue]) -> ToolCall:
    """`call` with `changes` put in, in its canonical form; a change to null leaves an argument out."""
    return canonical(call.model_copy(update={"arguments": {**call.arguments, **changes}}), spec)


def changed(before: ToolCall, after: ToolCall) -> dict[str, JsonValue]:
    """The arguments that differ, as they are afterwards; None for one that is left out."""
    names = [*after.arguments, *(name for name in before.arguments if name not in after.arguments)]
    return {name: after.arguments.get(name) for name in names if _differs(name, before, after)}


def kept(before: ToolCall, after: ToolCall) -> dict[str, JsonValue]:
    """The arguments that are the same in both."""
    return {name: value for name, value in after.arguments.items() if not _differs(name, before, after)}


def edit_problems(spec: ToolSpec, before: ToolCall, after: ToolCall) -> tuple[str, ...]:
    """Everything that keeps `after` from replacing `before`, in words for the operator. `before` is canonical."""
    problems = [*validate_arguments(spec, after), *_untouchable(spec, before, after)]
    if not problems and not changed(before, after):
        problems.append("nothing is changed: approve the call as it is")
    return tuple(problems)


def edit_of(spec: ToolSpec, before: ToolCall, after: ToolCall) -> Edit:
    """What the edit means: favourable only when every changed argument is declared to favour just that."""
    changes = changed(before, after)
    if not changes:
        return Edit.NONE
    old = before.arguments
    favourable = all(_favours(spec.argument(name), old.get(name), new) for name, new in changes.items())
    return Edit.FAVOURABLE if favourable else Edit.ADVERSE


def _untouchable(spec: ToolSpec, before: ToolCall, after: ToolCall) -> Iterator[str]:
    for name in changed(before, after):
        argument = spec.argument(name)
        if argument is not None and Origin.OPERATOR not in argument.origin:
            yield f"{name} cannot be changed by an operator: deny the call, and let the customer ask again"


def _favours(argument: Argument | None, before: JsonValue, after: JsonValue) -> bool:
    if argument is None or argument.favours is None:
        return False
    if value_problem(argument, before) is not None or value_problem(argument, after) is not None:
        return False
    if not isinstance(before, int | float | str) or not isinstance(after, int | float | str):
        return False
    was, is_now = measure(argument.type, before), measure(argument.type, after)
    return is_now > was if argument.favours is Favours.MORE else is_now < was


def _differs(name: str, before: ToolCall, after: ToolCall) -> bool:
    return not _same(before.arguments.get(name), after.arguments.get(name))


def _same(old: JsonValue, new: JsonValue) -> bool:
    # Types count: 1 and True, or 1 and 1.0, are equal in Python and different calls. So does the order of a list.
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_same(was, is_now) for was, is_now in zip(old, new, strict=True))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(was, new[name]) for name, was in old.items())
    return type(old) is type(new) and old == new
