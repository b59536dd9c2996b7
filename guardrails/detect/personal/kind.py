"""A kind of personal data: its reason code, the label that stands for it, and how it is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from handrail.guardrails.vocabulary import Span


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of personal data: its code, the label that replaces it, and how it is found in plain text.

    Kinds are asked in order, and the earlier one has the characters. With `shares`, what is left of a later find around
    an earlier one is still found: a link around a token. Without, a find that overlaps an earlier one is dropped.
    """

    code: str
    label: str
    find: Callable[[str], Iterator[Span]]
    shares: bool = False


def span_of(match: re.Match[str], group: str | int = 0) -> Span:
    """The place of a group of `match`."""
    return Span(start=match.start(group), end=match.end(group))


def mentions(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of the lower-case `words` stands anywhere in `text`: a cheap question before a dear one."""
    lower = text.lower()
    return any(word in lower for word in words)


def words(text: str) -> tuple[str, ...]:
    """The words of a list that is written as one text."""
    return tuple(text.split())
