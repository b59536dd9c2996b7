"""Equations that a reply writes out (3 x 9 x 20p = £5.40), and whether their two sides are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from handrail.guardrails.output.numbers import readings

_MOST = 9
"""Numbers of one equation."""

_WORDS = 24
"""Characters of words and units between a number and the sign after it."""

_REACH = 300
"""Characters before a sign of equality in which its left side stands, at most."""

_PART = re.compile(
    r"(?P<number>\d[\d.,]*\d|\d)(?P<percent>\s?(?:%|percent|per cent|prozent))?(?P<pence>\s?(?:p|pence|cents?)(?!\w))?"
)
_SIGN = re.compile(
    r"^(?P<unit>[^\d.;=?!]{0,24}?)"
    r"(?P<sign>[x×*·/÷]|(?<!\w)[+-](?!\w)|[+-](?=\s?[€$£]?\s?\d)|(?<!\w)(?:plus|minus|times|mal|of|von)(?!\w))"
    r"\s?(?:[€$£(]\s?|[a-z]{2,3}\s)?$"
)
_RESULT = re.compile(
    r"(?P<lead>\s?(?:about|around|roughly|ca\.?|rund|etwa|just under|just over|nearly)?\s?"
    r"(?:[€$£]|eur|usd|gbp|chf)?\s?)"
    r"(?P<number>\d[\d.,]*\d|\d)(?P<percent>\s?%)?(?P<pence>\s?(?:p|pence|cents?)(?!\w))?"
)
_ASIDE = re.compile(r"\([^()=]{0,60}\)")
_TIMES = frozenset({"x", "×", "*", "·", "times", "mal", "of", "von"})
_OVER = frozenset({"/", "÷"})
_PLUS = frozenset({"+", "plus"})


class Equation(NamedTuple):
    """An equation of a text: where its left side begins, where its result stands, and whether it is right."""

    start: int
    result: tuple[int, int]
    is_right: bool


def equations(text: str) -> Iterator[Equation]:
    """The equations of `text` (folded, lower case), from left to right; signs bind as in arithmetic.

    Linear in its length: what stands far before a sign of equality is no part of it.
    """
    at = text.find("=")
    if at >= 0 and "(" in text:
        text = _ASIDE.sub(lambda aside: " " * len(aside.group()), text)
        at = text.find("=")
    while at >= 0:
        terms = _left(text, at)
        result = _RESULT.match(text, at + 1)
        if len(terms) > 1 and result is not None:
            span = result.span("number")
            yield Equation(terms[0].start, span, _is_right(terms, result))
        at = text.find("=", at + 1)


class _Term(NamedTuple):
    start: int
    number: float
    sign: str
    """What joins it to the next one; nothing after the last."""

    is_minor: bool


def _left(text: str, end: int) -> list[_Term]:
    """The numbers joined by signs right before `end`."""
    found = list(_PART.finditer(text, max(0, end - _REACH), end))[-_MOST:]
    terms: list[_Term] = []
    for match in reversed(found):
        between = text[match.end() : end]
        if not terms:
            if len(between.strip()) > _WORDS or any(char in ".;?!=" for char in between):
                break
            sign = ""
        else:
            joined = _SIGN.match(between)
            if joined is None:
                break
            sign = joined["sign"]
        number = float(Decimal(readings(match["number"])[0])) / (100 if match["percent"] else 1)
        terms.append(_Term(match.start(), number, sign, match["pence"] is not None))
        end = match.start()
    terms.reverse()
    return terms


def _is_right(terms: list[_Term], result: re.Match[str]) -> bool:
    """Whether the result is what the terms make, rounded as it is written, in the major or the minor unit."""
    made = _made(terms)
    if made is None:
        return False
    written = result["number"]
    number = float(Decimal(readings(written)[0])) / (100 if result["percent"] else 1)
    _, sign, decimals = written.rpartition(".")
    step = 10.0 ** -(len(decimals) if sign and len(decimals) < 5 else 0) / (100 if result["percent"] else 1)
    minor = any(term.is_minor for term in terms) and result["pence"] is None
    # 98 + 12 cents = 1.10: the unit of the last one counts for all.
    wanted = (made, made / 100) if minor else (made,)
    return any(abs(one - number) <= step * (1.0 if result["lead"].strip(" €$£") else 0.51) for one in wanted)


def _made(terms: list[_Term]) -> float | None:
    total, product, sign = 0.0, terms[0].number, 1.0
    for before, term in pairwise(terms):
        if before.sign in _TIMES:
            product *= term.number
        elif before.sign in _OVER:
            if not term.number:
                return None
            product /= term.number
        else:
            total += sign * product
            product, sign = term.number, 1.0 if before.sign in _PLUS else -1.0
    return total + sign * product
