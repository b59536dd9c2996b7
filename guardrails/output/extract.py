"""All values of a text in one place: each stretch of text is read as one kind only, the most specific first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from handrail.guardrails.output import addresses, dates, numbers
from handrail.guardrails.output.fold import fold, lower
from handrail.guardrails.output.values import Value

Reader = Callable[[str], Iterator[Value]]

_READERS: tuple[Reader, ...] = (dates.dates, dates.times, addresses.machine_numbers, addresses.phones)
_TAKEN = "\0"
_HAS_DIGIT = re.compile(r"[0-9]")
_START = attrgetter("start")


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
        plain = _take(addresses.account_numbers(_blank(cased, found)), plain, found)
        for reader in _READERS:
            plain = _take(reader(plain), plain, found)
        plain = _take(addresses.identifiers(_blank(cased, found)), plain, found)
    plain = _take(dates.loose_dates(plain), plain, found)
    found += numbers.numbers(plain)
    found.sort(key=_START)
    return tuple(found)


def _take(values: Iterable[Value], text: str, found: list[Value]) -> str:
    """Keep `values` and blank their places in `text`, so that no later reader sees them again."""
    taken: list[Value] = []
    last = 0
    for value in sorted(values, key=_START):
        if value.start >= last:
            taken.append(value)
            last = value.end
    if not taken:
        return text
    found += taken
    return _blank(text, taken)


def _blank(text: str, values: list[Value]) -> str:
    """`text` with the places of `values` blanked."""
    if not values:
        return text
    parts: list[str] = []
    last = 0
    for value in sorted(values, key=_START):
        parts += (text[last : value.start], _TAKEN * (value.end - value.start))
        last = value.end
    parts.append(text[last:])
    return "".join(parts)
