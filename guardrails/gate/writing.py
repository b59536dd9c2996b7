"""How values of a call are written: for a customer, and as a record writes them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

from pydantic import JsonValue

from handrail.guardrails.gate.argument import MONEY, Argument, ArgumentType, Texts
from handrail.guardrails.toolspec import CallFact, FactType
from handrail.guardrails.vocabulary import FactContent

LONGEST = 160
"""Characters of one value that stand in a question."""

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MARKUP = re.compile(r"[*_`<>\[\]{}|\\~]")


def in_language(texts: Texts, language: str | None) -> str:
    """The text in `language`, or else in the first language it is declared in."""
    return texts.get(language or "", next(iter(texts.values())))


def argument_words(argument: Argument, value: JsonValue, currency: str | None, language: str | None) -> str | None:
    """A canonical argument for the customer, or None when it cannot be written (a currency that is not known)."""
    if argument.many is None:
        return _one_value(argument, value, currency, language)
    written = [_one_value(argument, one, currency, language) for one in (value if isinstance(value, list) else [value])]
    known = [words for words in written if words is not None]
    return ", ".join(known) if len(known) == len(written) else None


def _one_value(argument: Argument, value: JsonValue, currency: str | None, language: str | None) -> str | None:
    if argument.type is ArgumentType.MONEY:
        if currency is None or MONEY.fullmatch(str(value)) is None:
            return None
        return money_words(Decimal(str(value)), currency)
    if argument.type is ArgumentType.DATE:
        return date_words(str(value), language)
    if argument.type is ArgumentType.CHOICE:
        chosen = next((choice for choice in argument.choices if choice.value == value), None)
        return None if chosen is None else in_language(chosen.label, language)
    if argument.type is ArgumentType.OBJECT:
        return _object_words(argument, value, currency, language)
    return plain_words(str(value))


def _object_words(argument: Argument, value: JsonValue, currency: str | None, language: str | None) -> str | None:
    """The fields that an object has, each with its name; a boolean is written as JSON writes it."""
    written: list[str] = []
    for field in argument.fields:
        held = value.get(field.name) if isinstance(value, dict) else None
        if held is not None:
            words = str(held).lower() if isinstance(held, bool) else argument_words(field, held, currency, language)
            if words is None:
                return None
            written.append(f"{field.name.replace('_', ' ')} {words}")
    return f"({', '.join(written)})"


def fact_words(fact: CallFact, content: FactContent, currency: str | None, language: str | None) -> str | None:
    """A call fact for the customer, or None when it cannot be written."""
    if fact.type is FactType.MONEY:
        if currency is None or not isinstance(content, int):
            return None
        return money_words(Decimal(content) / 100, currency)
    if fact.type is FactType.DATE:
        return date_words(str(content), language)
    if fact.type is FactType.ENUM and str(content) in fact.labels:
        return in_language(fact.labels[str(content)], language)
    if isinstance(content, tuple):
        return plain_words(", ".join(content))
    return plain_words(str(content))


def record_value(fact: CallFact, content: FactContent) -> JsonValue:
    """A fact as records write it: money as a decimal string."""
    if fact.type is FactType.MONEY and isinstance(content, int):
        return f"{Decimal(content) / 100:.2f}"
    return list(content) if isinstance(content, tuple) else content


def money_words(amount: Decimal, currency: str) -> str:
    """€49.00, or 49.00 CHF for a currency without a common sign."""
    sign = _SIGNS.get(currency)
    return f"{sign}{amount:,.2f}" if sign else f"{amount:,.2f} {plain_words(currency)}"


def date_words(iso: str, language: str | None) -> str | None:
    """12 March 2026 in English; the ISO date in every other language."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return None
    if language is not None and not language.startswith("en"):
        return iso
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def plain_words(text: str) -> str:
    """Text that cannot break out of its place: one line, without control characters and markup, of bounded length."""
    visible = "".join(char for char in text if unicodedata.category(char)[0] != "C" or char.isspace())
    line = " ".join(_MARKUP.sub("", visible).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
