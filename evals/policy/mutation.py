"""Mutations: the mistakes that a policy owner could make in a bundle, made one at a time.

A mutation changes one place of one file.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from handrail.guardrails.yamlsource import PathKey


class Kind(StrEnum):
    """What kind of mistake a mutation is."""

    MISSPELT_FACT = "misspelt fact"
    MISSPELT_VALUE = "misspelt value"
    FLIPPED_COMPARISON = "flipped comparison"
    MOVED_BOUND = "moved bound"
    NEGATION = "negation"
    COMBINATOR = "all, any or k of n"
    DROPPED_PART = "dropped part of a condition"
    WIDENED = "widened membership"
    NARROWED = "narrowed membership"
    DROPPED_CONDITION = "dropped condition"
    DROPPED_RULE = "dropped rule"
    DROPPED_TRIGGER = "dropped escalation trigger"
    DROPPED_SEGMENT = "dropped segment"
    SWAPPED_EFFECT = "swapped effect"
    CHANGED_VALUE = "changed dimension"
    DROPPED_VALUE = "dropped dimension"
    CHANGED_PRECEDENCE = "changed precedence"
    CHANGED_REASON = "changed reason"
    CHANGED_TOOLS = "changed tools"
    REMOVED_PURPOSE = "removed purpose"
    UNKNOWN_IGNORED = "changed on_unknown"
    CHANGED_WINDOW = "changed window"
    CHANGED_AGE = "changed age"
    CHANGED_HOLD = "changed hold"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake: in which file, at which path, and what the file says with it."""

    kind: Kind
    file: str
    path: PathKey
    says: str
    content: JsonValue

    @property
    def name(self) -> str:
        """How a report calls it."""
        return f"{self.file} {'.'.join(str(part) for part in self.path)}: {self.says}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change at one path: `new` in place of what stands there, or (`gone`) nothing."""

    kind: Kind
    path: PathKey
    says: str
    new: JsonValue = None
    gone: bool = False


def mutated(file: str, content: JsonValue, edit: Edit) -> Mutation:
    """The mutation of a file that an edit makes."""
    return Mutation(edit.kind, file, edit.path, edit.says, _edited(content, edit))


def _edited(content: JsonValue, edit: Edit) -> JsonValue:
    whole: list[JsonValue] = [copy.deepcopy(content)]
    holder: JsonValue = list(whole)
    key: str | int = 0
    for part in edit.path:
        holder, key = _at(holder, key), part
    if isinstance(holder, list) and isinstance(key, int):
        holder[key : key + 1] = [] if edit.gone else [edit.new]
    elif isinstance(holder, dict) and isinstance(key, str):
        holder.pop(key, None)
        if not edit.gone:
            holder[key] = edit.new
    return whole[0]


def _at(holder: JsonValue, key: str | int) -> JsonValue:
    if isinstance(holder, list) and isinstance(key, int):
        return holder[key]
    if isinstance(holder, dict) and isinstance(key, str):
        return holder[key]
    raise LookupError(f"there is nothing at {key!r}")


def items(content: JsonValue, *path: str | int) -> Iterator[tuple[PathKey, JsonValue]]:
    """The entries of what stands at `path`, each with its own path; none when nothing stands there."""
    found = content
    for part in path:
        if isinstance(found, dict) and part not in found:
            return
        found = _at(found, part)
    if isinstance(found, list):
        yield from (((*path, index), item) for index, item in enumerate(found))
    elif isinstance(found, dict):
        yield from (((*path, key), item) for key, item in found.items())
