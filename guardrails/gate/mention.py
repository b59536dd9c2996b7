"""Whether a value of an argument stands in a text, or is a value of a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from decimal import Decimal

from pydantic import JsonValue

from handrail.guardrails.gate.argument import MONEY, Argument, ArgumentType
from handrail.guardrails.output.dates import dates
from handrail.guardrails.output.fold import visible
from handrail.guardrails.output.numbers import numbers
from handrail.guardrails.output.values import Form, Kind, normal
from handrail.guardrails.vocabulary import Scalar

_PART = re.compile(r"[^\W_]+")
_BEFORE = r"(?<![^\W_])(?<![^\W_][-_/])"
_AFTER = r"(?![^\W_]|[-_/][^\W_])"
_TOKEN = re.compile(r"[^\W_]+|[#,&]")
_LISTING = frozenset({",", "and", "or", "&"})
_REACH = 80
"""Characters before a number in which the word for it must stand."""

_DEEPEST = 32


def in_text(argument: Argument, value: JsonValue, text: str) -> bool:
    """Whether `text` states `value`, whatever its notation; `value` is canonical and fits the argument."""
    return _IN_TEXT[argument.type](argument, value, visible(text).lower())


def in_record(argument: Argument, value: JsonValue, record: JsonValue) -> bool:
    """Whether `value` is exactly one of the values of a record; a part of a longer text does not count."""
    return any(_same(argument.type, value, leaf) for leaf in leaves(record))


def leaves(content: JsonValue, depth: int = 0) -> Iterator[Scalar]:
    """Every scalar of a JSON value. What is nested deeper than 32 levels is left out."""
    if isinstance(content, dict | list):
        if depth < _DEEPEST:
            for item in content.values() if isinstance(content, dict) else content:
                yield from leaves(item, depth + 1)
    elif content is not None:
        yield content


def _same(kind: ArgumentType, value: JsonValue, leaf: Scalar) -> bool:
    if kind is ArgumentType.INTEGER:
        return type(leaf) is int and leaf == value
    if kind is ArgumentType.NUMBER:
        return type(leaf) in (int, float) and leaf == value
    if kind in (ArgumentType.BOOLEAN, ArgumentType.OBJECT):
        return False
    if not isinstance(leaf, str) or not isinstance(value, str):
        return False
    if kind is ArgumentType.MONEY:
        return MONEY.fullmatch(leaf) is not None and Decimal(leaf) == Decimal(value)
    if kind is ArgumentType.DATE:
        return leaf == value or leaf.startswith(f"{value}T")
    return leaf.casefold() == value.casefold()


def _text(argument: Argument, value: JsonValue, text: str) -> bool:
    if _stands(str(value), text):
        return True
    digits = "".join(re.findall(r"[0-9]", str(value)))
    if not argument.spoken or not digits:
        return False
    spoken = {form for word in argument.spoken for form in (word.lower(), f"{word.lower()}s")}
    return any(
        _follows(spoken, text[max(0, found.start() - _REACH) : found.start()])
        for found in re.finditer(f"{_BEFORE}{digits}{_AFTER}", text)
    )


def _follows(spoken: Container[str], before: str) -> bool:
    """Whether one of the words leads to what comes after `before`: invoice, invoices 2040 and, invoice number, #."""
    tokens = _TOKEN.findall(before)
    while tokens and (tokens[-1].isdigit() or (tokens[-1] in _LISTING and len(tokens) > 1 and tokens[-2].isdigit())):
        tokens.pop()
    return bool(tokens) and tokens[-1] in spoken


def _integer(_: Argument, value: JsonValue, text: str) -> bool:
    return any(str(value) in number.keys for number in numbers(text))


def _number(_: Argument, value: JsonValue, text: str) -> bool:
    wanted = normal(Decimal(str(value)))
    return any(wanted in number.keys for number in numbers(text))


def _boolean(_: Argument, _value: JsonValue, _text: str) -> bool:
    """Some yes stands nearly everywhere, which says nothing of this one."""
    return False


def _money(_: Argument, value: JsonValue, text: str) -> bool:
    amount = normal(Decimal(str(value)))
    return any(
        amount in number.keys
        for number in numbers(text)
        if number.kind is Kind.MONEY or (number.kind is Kind.NUMBER and not number.unit and number.form is Form.DIGITS)
    )


def _date(_: Argument, value: JsonValue, text: str) -> bool:
    """A date without its year counts; the question states the whole date."""
    wanted = {str(value), f"-{str(value)[4:]}"}
    return any(wanted & set(found.keys) for found in dates(text))


def _choice(argument: Argument, value: JsonValue, text: str) -> bool:
    chosen = next((choice for choice in argument.choices if choice.value == value), None)
    if chosen is None:
        return False
    return any(_stands(word, text) for word in (chosen.value, *chosen.label.values(), *chosen.words))


def _object(_: Argument, _value: JsonValue, _text: str) -> bool:
    """Only its fields stand anywhere."""
    return False


def states(phrase: str, text: str) -> bool:
    """Whether the letters and digits of `phrase` stand together in `text` as whole words, whatever is between them."""
    return _stands(phrase, visible(text).lower())


def _stands(value: str, text: str) -> bool:
    """Whether the letters and digits of `value` stand in `text` as a whole: INV-2041 in inv 2041, not in INV-20411."""
    shown = visible(value).lower()
    if "@" in shown:
        # A part of an address is somebody else's: connor@mail.org is not sarah.connor@mail.org.
        return re.search(rf"(?<![\w.+@-]){re.escape(shown)}(?![\w@-]|\.\w)", text) is not None
    parts = _PART.findall(shown)
    if not parts:
        return False
    joined = r"[\W_]{0,3}".join(re.escape(part) for part in parts)
    return re.search(f"{_BEFORE}{joined}{_AFTER}", text) is not None


_IN_TEXT: dict[ArgumentType, Callable[[Argument, JsonValue, str], bool]] = {
    ArgumentType.TEXT: _text,
    ArgumentType.INTEGER: _integer,
    ArgumentType.NUMBER: _number,
    ArgumentType.BOOLEAN: _boolean,
    ArgumentType.MONEY: _money,
    ArgumentType.DATE: _date,
    ArgumentType.CHOICE: _choice,
    ArgumentType.OBJECT: _object,
}
