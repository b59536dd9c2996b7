"""Mistakes in conditions: negations, comparisons, bounds, lists and combinators, at any depth."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from pydantic import JsonValue

from handrail.evals.policy.mutation import Edit, Kind
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.yamlsource import PathKey


def in_condition(condition: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    """Mistakes in a condition, at any depth."""
    if not isinstance(condition, dict):
        return
    yield Edit(Kind.NEGATION, path, "negated", {"not": copy.deepcopy(condition)})
    if len(condition) > 1:
        yield Edit(Kind.COMBINATOR, path, "any of its keys", {"any": [{key: one} for key, one in condition.items()]})
    for key, content in condition.items():
        place = (*path, key)
        if key == "not":
            yield from in_condition(content, place, bundle)
        elif key in ("all", "any"):
            yield from _of_parts(key, content, path, bundle)
        elif key == "at_least" and isinstance(content, dict):
            yield from _of_count(content, place, bundle)
        elif key != "segment":
            yield from _of_leaf(key, content, path, bundle)


def _of_parts(key: str, parts: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    if not isinstance(parts, list):
        return
    if len(parts) > 1:
        other = "any" if key == "all" else "all"
        yield Edit(Kind.COMBINATOR, path, f"{key} becomes {other}", {other: copy.deepcopy(parts)})
        for index in range(len(parts)):
            yield Edit(Kind.DROPPED_PART, (*path, key, index), "a part is gone", gone=True)
    for index, part in enumerate(parts):
        yield from in_condition(part, (*path, key, index), bundle)


def _of_count(content: dict[str, JsonValue], path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    parts, count = content["of"], content["count"]
    if isinstance(parts, list) and isinstance(count, int):
        for other in (count - 1, count + 1):
            if 1 <= other <= len(parts):
                yield Edit(Kind.COMBINATOR, (*path, "count"), f"{count} becomes {other}", other)
        for index, part in enumerate(parts):
            yield from in_condition(part, (*path, "of", index), bundle)


_OPPOSITE = {"at_least": "below", "below": "at_least", "at_most": "above", "above": "at_most"}


def _of_leaf(name: str, content: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    yield Edit(Kind.MISSPELT_FACT, path, f"{name} is misspelt", {f"{name}s": content})
    place = (*path, name)
    spec = bundle.facts[name]
    values = sorted(spec.values or ())
    if not isinstance(content, dict):
        yield from _of_value(content, place, values, spec.kind)
        return
    for operator, operand in content.items():
        at = (*place, operator)
        if operator == "known":
            yield Edit(Kind.NEGATION, at, "known the other way round", not operand)
        elif operator in _OPPOSITE:
            yield Edit(Kind.FLIPPED_COMPARISON, place, f"{operator} becomes {_OPPOSITE[operator]}",
                       {_OPPOSITE[operator]: operand})  # fmt: skip
            if isinstance(operand, int | float):
                yield Edit(Kind.MOVED_BOUND, at, f"{operand} becomes {operand + 1}", operand + 1)
                yield Edit(Kind.MOVED_BOUND, at, f"{operand} becomes {operand - 1}", operand - 1)
        elif isinstance(operand, list):
            yield from _of_list(operand, at, values)
        else:
            yield from _of_value(operand, at, values, spec.kind)


def _of_value(content: JsonValue, path: PathKey, values: list[str], kind: FactKind) -> Iterator[Edit]:
    if isinstance(content, bool):
        yield Edit(Kind.FLIPPED_COMPARISON, path, f"{content} becomes {not content}".lower(), not content)
    elif isinstance(content, str):
        yield Edit(Kind.MISSPELT_VALUE, path, f"{content} is misspelt", f"{content}x")
        other = next((value for value in values if value != content), None)
        if other is not None:
            says = f"{content} becomes {other}"
            yield Edit(Kind.FLIPPED_COMPARISON, path, says, other)
            if kind is FactKind.WORD and isinstance(path[-1], str):
                yield Edit(Kind.WIDENED, path, f"{content} or {other}", {"in": [content, other]})
    elif isinstance(content, int | float):
        yield Edit(Kind.MOVED_BOUND, path, f"{content} becomes {content + 1}", content + 1)


def _of_list(operand: list[JsonValue], path: PathKey, values: list[str]) -> Iterator[Edit]:
    for index, word in enumerate(operand):
        if len(operand) > 1:
            yield Edit(Kind.NARROWED, (*path, index), f"{word} is gone", gone=True)
    yield Edit(Kind.MISSPELT_VALUE, (*path, 0), f"{operand[0]} is misspelt", f"{operand[0]}x")
    for value in values:
        if value not in operand:
            yield Edit(Kind.WIDENED, path, f"{value} is added", [*operand, value])
            break
