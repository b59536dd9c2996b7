"""All values of a text in one place: each stretch of text is read as one kind only, the most specific first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from handrail.guardrails.output import addresses, dates, numbers
from handrail.guardrails.output.fold import fold, lower
from handrail.guardrails.output.values import Value

Reader = Callable[[str], Iterator[Value]]

_CASED: tuple[Reader, ...] = (addresses.account_numbers,)
_BEFORE_IDENTIFIERS: tuple[Reader, ...] = (dates.dates, dates.times, addresses.machine_numbers, addresses.phones)
_TAKEN = "\0"
_HAS_DIGIT = re.compile(r"\d")


def extract(text: str) -> tuple[Value, ...]:
    """The values of `text`, from left to right, without overlaps. Linear in its length; callers bound the length."""
    return extract_folded(fold(text))


def extract_folded(cased: str) -> tuple[Value, ...]:
    """`extract` of a text that is folded already."""
    plain = lower(cased)
    found: list[Value] = []
    if "@" in plain:
        plain = _take(addresses.emails(plain), plain, found)
    if "." in plain or "://" in plain:
        plain = _take(addresses.urls(plain), plain, found)
    if _HAS_DIGIT.search(plain):
        for reader in _CASED:
            plain = _take(reader(_same_gaps(cased, plain)), plain, found)
        for reader in _BEFORE_IDENTIFIERS:
            plain = _take(reader(plain), plain, found)
        plain = _take(addresses.identifiers(_same_gaps(cased, plain)), plain, found)
    plain = _take(dates.loose_dates(plain), plain, found)
    _take(numbers.numbers(plain), plain, found)
    found.sort(key=lambda value: value.start)
    return tuple(found)


def _take(values: Iterable[Value], text: str, found: list[Value]) -> str:
    """Keep `values` and blank their places, so that no later reader sees them again."""
    ordered = sorted(values, key=_start)
    if not ordered:
        return text
    parts: list[str] = []
    last = 0
    for value in ordered:
        if value.start < last:
            continue
        found.append(value)
        parts += (text[last : value.start], _TAKEN * (value.end - value.start))
        last = value.end
    parts.append(text[last:])
    return "".join(parts)


def _start(value: Value) -> int:
    return value.start


def _same_gaps(cased: str, plain: str) -> str:
    """`cased` with the places blanked that are blank in `plain`."""
    if _TAKEN not in plain:
        return cased
    return "".join(_TAKEN if low == _TAKEN else char for char, low in zip(cased, plain, strict=True))
