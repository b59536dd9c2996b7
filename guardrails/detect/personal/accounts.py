"""Numbers of payment cards and bank accounts."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias

from handrail.guardrails.detect.checksums import (
    IBAN_LENGTHS,
    MAX_CARD_DIGITS,
    MIN_CARD_DIGITS,
    SHORT_ISSUERS,
    Digits,
    is_iban,
)
from handrail.guardrails.detect.personal.kind import mentions
from handrail.guardrails.vocabulary import Span

_GROUP = re.compile(r"[0-9]+")
_NEAR = re.compile(r"[0-9 \t\r\n.\-/_,*|\u00b7\u2022]{12,}")
_GAP = 3
_ALONE = re.compile(r"[0-9A-Za-z+]")
_FULL_LENGTH = 13
"""Shorter numbers are rare and look like order numbers: their issuers are named, or a word of cards stands near."""

_CARD_WORDS = (
    "card",
    "visa",
    "master",
    "amex",
    "maestro",
    "discover",
    "credit",
    "debit",
    "cc",
    "karte",
    "carte",
    "tarjeta",
)
_CARD_CUE = re.compile(
    r"(?<![\w\[])(?:(?:credit|debit|bank|my|the|this|new|old|visa|atm|corporate|payment)\s{1,2}cards?|cards?|visa|"
    r"master ?card|amex|american express|maestro|discover|diners|cc|kreditkarte|carte|tarjeta)(?!\w)(?:\W{0,3}"
    r"(?:number|numbers|no|nr|num|is|was|are|of|it|its|it's|details|that|i|have|here|and|the|with|for|ending|"
    r"s)(?!\w)){0,8}\W{0,4}$",
    re.IGNORECASE,
)
_CUE_REACH = 60
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])(?=([A-Za-z]{2}[0-9]{2}(?:[ .\-]?[A-Za-z0-9]){11,30}))")
_IBAN_CUE = re.compile(r"iban\W{0,3}(?:(?:number|no|nr|is|code)\W{1,3}){0,3}$", re.IGNORECASE)


_Group: TypeAlias = tuple[int, int]
"""Start and end of some digits without a sign between them. A long message may have half a million of them."""


def cards(text: str) -> Iterator[Span]:
    """Card numbers: digits in groups whose Luhn sum is right, or of a card's length behind a word such as "card"."""
    cued = mentions(text, _CARD_WORDS)
    for groups in _runs(text):
        yield from _cards_within(text, groups, cued=cued)


def _runs(text: str) -> Iterator[list[_Group]]:
    """Groups of digits that stand so near that they may be one number."""
    for near in _NEAR.finditer(text):
        run: list[_Group] = []
        end = near.start()
        for match in _GROUP.finditer(text, near.start(), near.end()):
            start = match.start()
            if run and start - end > _GAP:
                yield run
                run = []
            end = match.end()
            run.append((start, end))
        if run:
            yield run


def _cards_within(text: str, groups: list[_Group], *, cued: bool) -> Iterator[Span]:
    """Card numbers in a run that may begin or end with other numbers; borders lie between groups."""
    borders = list(accumulate((end - start for start, end in groups), initial=0))
    if borders[-1] < MIN_CARD_DIGITS:
        return
    digits = Digits("".join([text[start:end] for start, end in groups]))
    # Only the first of a run can stand behind a word: before the others stand digits.
    begin = groups[0][0]
    behind_cue = cued and _CARD_CUE.search(text[max(0, begin - _CUE_REACH) : begin]) is not None
    first = 0
    while first < len(groups):
        start = groups[first][0]
        taken: int | None = None
        if (behind_cue or digits.issued(borders[first])) and not (start and _ALONE.match(text[start - 1])):
            shortest, longest = _endings(borders, first)
            ends = borders[shortest:longest]
            # A word of cards says more than a sum: people mistype, and no digit must stay behind the label.
            for border in reversed(ends if behind_cue else _card_ends(digits, borders[first], ends)):
                last = bisect_left(borders, border, lo=shortest) - 1
                end = groups[last][1]
                if not text[end : end + 1].isalpha():
                    taken = last
                    break
        behind_cue = False
        if taken is None:
            first += 1
        else:
            yield Span(start=start, end=groups[taken][1])
            first = taken + 1


def _endings(borders: list[int], first: int) -> tuple[int, int]:
    """The part of `borders` at which a number that begins with group `first` has as many digits as a card."""
    # A group has a digit at least, so that the borders asked for are not far away.
    furthest = min(first + MAX_CARD_DIGITS + 1, len(borders))
    shortest = bisect_left(borders, borders[first] + MIN_CARD_DIGITS, lo=first, hi=furthest)
    return shortest, bisect_right(borders, borders[first] + MAX_CARD_DIGITS, lo=shortest, hi=furthest)


def _card_ends(digits: Digits, start: int, ends: Sequence[int]) -> list[int]:
    found = digits.card_ends(start, ends)
    if found and found[0] - start < _FULL_LENGTH and not digits.text.startswith(SHORT_ISSUERS, start):
        found = [end for end in found if end - start >= _FULL_LENGTH]
    return found


def ibans(text: str) -> Iterator[Span]:
    """Bank account numbers of the countries of the registry, with the right remainder or behind the word IBAN."""
    done = 0
    for match in _IBAN_START.finditer(text):
        length = IBAN_LENGTHS.get(match[1][:2].upper())
        if length is None or match.start() < done:
            continue
        end = _after(match[1], length)
        if end is None:
            continue
        behind_cue = _IBAN_CUE.search(text[max(0, match.start() - 30) : match.start()]) is not None
        if behind_cue or is_iban(re.sub(r"[ .\-]", "", match[1][:end])):
            done = match.start() + end
            yield Span(start=match.start(), end=done)


def _after(found: str, length: int) -> int | None:
    """Where the first `length` letters and digits of `found` end; None when they do not end at a border."""
    count = 0
    for place, character in enumerate(found):
        count += character.isalnum()
        if count == length:
            return place + 1 if not found[place + 1 : place + 2].isalnum() else None
    return None
