"""Whether a value fits the declaration of an argument, and what a model is told of that declaration."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from pydantic import JsonValue

from handrail.guardrails.gate.argument import MONEY, Argument, ArgumentType, iso_date


def schema_of(argument: Argument) -> dict[str, JsonValue]:
    """The JSON Schema of one argument, as a model sees it."""
    described: dict[str, JsonValue] = {"description": argument.description}
    if argument.many is None:
        return {**described, **_schema(argument)}
    bounds: dict[str, JsonValue] = {"minItems": argument.many.at_least, "maxItems": argument.many.at_most}
    return {**described, "type": "array", "items": _schema(argument), **bounds}


def _schema(argument: Argument) -> dict[str, JsonValue]:
    """The schema of one value."""
    if argument.type is ArgumentType.INTEGER:
        bounds = {"minimum": argument.minimum, "maximum": argument.maximum}
        return {"type": "integer", **{word: bound for word, bound in bounds.items() if bound is not None}}
    if argument.type is ArgumentType.NUMBER:
        limits = {"minimum": argument.minimum, "maximum": argument.maximum}
        return {"type": "number", **{word: float(bound) for word, bound in limits.items() if bound is not None}}
    if argument.type is ArgumentType.BOOLEAN:
        return {"type": "boolean"}
    if argument.type is ArgumentType.OBJECT:
        return object_schema(argument.fields)
    schema: dict[str, JsonValue] = {"type": "string"}
    if argument.type is ArgumentType.CHOICE:
        schema["enum"] = [choice.value for choice in argument.choices]
    elif argument.type is ArgumentType.MONEY:
        schema["pattern"] = f"^{MONEY.pattern}$"
    elif argument.type is ArgumentType.DATE:
        schema["format"] = "date"
    else:
        schema["maxLength"] = argument.max_length
        if argument.pattern is not None:
            schema["pattern"] = f"^(?:{argument.pattern})$"
    return schema


def object_schema(fields: Sequence[Argument]) -> dict[str, JsonValue]:
    """The JSON Schema of an object with these fields and no others: a whole call, or an argument that is an object."""
    return {
        "type": "object",
        "properties": {field.name: schema_of(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def field_problems(fields: Sequence[Argument], values: Mapping[str, JsonValue], named: str) -> Iterator[str]:
    """Everything wrong with the values of `fields`, which are called `named` (arguments, fields) in the words."""
    if not set(values) <= {field.name for field in fields}:
        allowed = ", ".join(field.name for field in fields) or "none"
        yield f"there are {named} that it does not have; it has: {allowed}"
    for field in fields:
        value = values.get(field.name)
        if value is None:
            if field.required:
                yield f"{field.name} is missing"
            continue
        problem = value_problem(field, value)
        if problem is not None:
            yield f"{field.name} {problem}"


def value_problem(argument: Argument, value: JsonValue) -> str | None:
    """Why `value` does not fit, in words for the model, or None. The words never repeat the value."""
    if argument.many is None:
        return _CHECKS[argument.type](argument, value)
    if not isinstance(value, list):
        return "must be a list"
    if not argument.many.at_least <= len(value) <= argument.many.at_most:
        return f"must hold {argument.many.at_least} to {argument.many.at_most} values"
    problems = (_CHECKS[argument.type](argument, one) for one in value)
    return next((f"has a value that {problem}" for problem in problems if problem is not None), None)


def _text(argument: Argument, value: JsonValue) -> str | None:
    if not isinstance(value, str) or not (value or argument.may_be_empty):
        return "must be text"
    if len(value) > argument.max_length:
        return f"must be at most {argument.max_length} characters"
    if argument.pattern is not None and re.fullmatch(argument.pattern, value) is None:
        return f"must match {argument.pattern}"
    return None


def _integer(argument: Argument, value: JsonValue) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "must be a whole number"
    return _bounds(argument, value)


def _number(argument: Argument, value: JsonValue) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "must be a number"
    return _bounds(argument, value)


def _boolean(_: Argument, value: JsonValue) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _money(argument: Argument, value: JsonValue) -> str | None:
    if not isinstance(value, str) or MONEY.fullmatch(value) is None:
        return 'must be an amount as text with two decimals, such as "49.00"'
    return _bounds(argument, value)


def _date(argument: Argument, value: JsonValue) -> str | None:
    if not isinstance(value, str) or iso_date(value) is None:
        return 'must be a date as text, such as "2026-03-12"'
    return _bounds(argument, value)


def _choice(argument: Argument, value: JsonValue) -> str | None:
    values = [choice.value for choice in argument.choices]
    return None if value in values else f"must be one of: {', '.join(values)}"


def _object(argument: Argument, value: JsonValue) -> str | None:
    if not isinstance(value, dict):
        return "must be an object"
    problem = next(field_problems(argument.fields, value, "fields"), None)
    return None if problem is None else f"does not fit: {problem}"


_CHECKS: dict[ArgumentType, Callable[[Argument, JsonValue], str | None]] = {
    ArgumentType.TEXT: _text,
    ArgumentType.INTEGER: _integer,
    ArgumentType.NUMBER: _number,
    ArgumentType.BOOLEAN: _boolean,
    ArgumentType.MONEY: _money,
    ArgumentType.DATE: _date,
    ArgumentType.CHOICE: _choice,
    ArgumentType.OBJECT: _object,
}


def _bounds(argument: Argument, value: float | str) -> str | None:
    measured = measure(argument.type, value)
    if argument.minimum is not None and measured < measure(argument.type, argument.minimum):
        return f"must be at least {argument.minimum}"
    if argument.maximum is not None and measured > measure(argument.type, argument.maximum):
        return f"must be at most {argument.maximum}"
    return None


def measure(kind: ArgumentType, value: float | str) -> Decimal:
    """A bound or a fitting value of a measured type on one line: the amount, or the day counted from year 1."""
    if kind is ArgumentType.DATE:
        return Decimal(date.fromisoformat(str(value)).toordinal())
    return Decimal(str(value))
