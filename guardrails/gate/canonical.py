"""One way to write a call, so that agreement can bind to it: canonical arguments and the digest over them."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

from pydantic import JsonValue

from handrail.guardrails.gate.argument import DECIMAL, Argument, ArgumentType
from handrail.guardrails.output.dates import dates, full_date
from handrail.guardrails.output.fold import visible
from handrail.guardrails.output.numbers import numbers
from handrail.guardrails.output.values import Kind, Value
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import ToolCall

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_EXACT = 2**53
"""Below it every whole number is a float of its own."""

_LONGEST = 64
"""Characters of a written amount or date; longer text is no single value."""


def digest(call: ToolCall) -> str:
    """SHA-256 (hex) of the canonical JSON of tool and arguments.

    Neither the order of arguments nor white space nor the Unicode composition of letters matters, and an argument that
    is null is an argument left out. Any other difference, the type included, gives another digest.
    """
    arguments = {name: _plain(value) for name, value in call.arguments.items() if value is not None}
    canonical_json = json.dumps([call.tool, arguments], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical_json.encode("ascii")).hexdigest()


def canonical(call: ToolCall, spec: ToolSpec) -> ToolCall:
    """The call as it is checked, shown, agreed to and run: values in the one way their type is written.

    "€49", "49,00" and "49.00" become "49.00"; "12 March 2026" becomes "2026-03-12"; "Business" becomes "business". What
    has more than one reading stays as it is, and the schema check refuses it. Nothing is guessed.
    """
    arguments: dict[str, JsonValue] = {}
    for name, value in call.arguments.items():
        if value is None:
            continue
        argument = spec.argument(name)
        arguments[name] = _plain(value) if argument is None else _written(argument, value)
    return call.model_copy(update={"arguments": arguments})


def _written(argument: Argument, value: JsonValue) -> JsonValue:
    """A single value where a list is declared, or the other way round, stays as it is: the schema check refuses it."""
    if argument.many is not None:
        return [_one(argument, item) for item in value] if isinstance(value, list) else _plain(value)
    return _one(argument, value)


def _one(argument: Argument, value: JsonValue) -> JsonValue:
    if argument.multiline and isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    return _WRITERS[argument.type](argument, value if argument.fields else _plain(value))


def _plain(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split())
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _text(argument: Argument, value: JsonValue) -> JsonValue:
    """Identifiers are written in capitals where only that fits the pattern."""
    if not isinstance(value, str) or argument.pattern is None or len(value) > argument.max_length:
        return value
    if re.fullmatch(argument.pattern, value) or not re.fullmatch(argument.pattern, value.upper()):
        return value
    return value.upper()


def _integer(_: Argument, value: JsonValue) -> JsonValue:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    return value


def _number(_: Argument, value: JsonValue) -> JsonValue:
    """Numbers as text become numbers, and one without a fraction is written without it: 50.0 and "50" are 50."""
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _boolean(_: Argument, value: JsonValue) -> JsonValue:
    return value


def _money(_: Argument, value: JsonValue) -> JsonValue:
    if not isinstance(value, str) or len(value) > _LONGEST:
        return value
    text = visible(value).lower()
    readings = {
        Decimal(key)
        for number in numbers(text)
        if number.kind in {Kind.MONEY, Kind.NUMBER} and _is_whole(number, text)
        for key in number.keys
    }
    if len(readings) != 1:
        return value
    amount = readings.pop()
    return f"{amount:.2f}" if amount == amount.quantize(Decimal("0.01")) else value


def _date(_: Argument, value: JsonValue) -> JsonValue:
    if not isinstance(value, str) or len(value) > _LONGEST:
        return value
    text = visible(value).lower()
    days = {full_date(key) for found in dates(text) if _is_whole(found, text) for key in found.keys}
    day = days.pop() if len(days) == 1 else None
    return value if day is None else day.isoformat()


def _choice(argument: Argument, value: JsonValue) -> JsonValue:
    if not isinstance(value, str):
        return value
    meant = value.casefold()
    matching = [
        choice.value
        for choice in argument.choices
        if meant in {word.casefold() for word in (choice.value, *choice.label.values(), *choice.words)}
    ]
    return matching[0] if len(matching) == 1 else value


def _object(argument: Argument, value: JsonValue) -> JsonValue:
    """A field that is null is left out; one that is not declared stays, and the schema check refuses it."""
    if not isinstance(value, dict):
        return _plain(value)
    fields = {field.name: field for field in argument.fields}
    return {
        name: _written(fields[name], item) if name in fields else _plain(item)
        for name, item in value.items()
        if item is not None
    }


def _is_whole(found: Value, text: str) -> bool:
    """Whether a value is all that the text says."""
    return not text[: found.start].strip() and not text[found.end :].strip()


_WRITERS: dict[ArgumentType, Callable[[Argument, JsonValue], JsonValue]] = {
    ArgumentType.TEXT: _text,
    ArgumentType.INTEGER: _integer,
    ArgumentType.NUMBER: _number,
    ArgumentType.BOOLEAN: _boolean,
    ArgumentType.MONEY: _money,
    ArgumentType.DATE: _date,
    ArgumentType.CHOICE: _choice,
    ArgumentType.OBJECT: _object,
}
