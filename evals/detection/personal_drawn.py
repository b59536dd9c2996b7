"""What values of personal data are drawn with: a kind of value, and the arithmetic that several kinds share."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

Draw: TypeAlias = Callable[[Random], str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A kind of values: how one is drawn, and how it is called where it is never written without its name."""

    name: str
    code: str
    draw: Draw
    called: tuple[str, ...] = ()


def digits(random: Random, count: int) -> str:
    """`count` digits."""
    return "".join(random.choices(string.digits, k=count))


def drawn_of(random: Random, alphabet: str, count: int) -> str:
    """`count` characters of `alphabet`."""
    return "".join(random.choices(alphabet, k=count))


def grouped(random: Random, text: str, sizes: Sequence[int], signs: Sequence[str]) -> str:
    """`text` cut into groups of `sizes` and a rest, with one of `signs` between them."""
    sign, parts, at = random.choice(signs), [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return sign.join(part for part in [*parts, text[at:]] if part)


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The digits times the weights, summed up."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def with_luhn(stem: str) -> str:
    """The stem with its check digit (ISO/IEC 7812-1 annex B)."""
    doubled = [sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(reversed(stem))]
    return stem + str(-sum(doubled) % 10)
