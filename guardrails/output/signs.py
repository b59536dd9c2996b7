"""Signs of values: what stands in one of the pieces of a text wherever a reader of values finds anything in it.

INVARIANT: a sign may stand where nothing is read, but nothing is read without its sign. Whoever adds a notation to a
reader has its pieces (between white space, lower case) bear the sign that the reader waits for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_

from handrail.guardrails.output.addresses import has_identifier_sign, has_url_sign
from handrail.guardrails.output.clock import has_time_sign, has_time_word, is_minute, is_side, stands_beside_hour
from handrail.guardrails.output.dates import has_date_sign, has_loose_sign, is_short_day, joins_days
from handrail.guardrails.output.numerals import may_begin, may_begin_german
from handrail.guardrails.output.pieces import Pieces
from handrail.guardrails.output.units import CURRENCIES, UNITS, alternatives

DIGIT = 1
AT = 2
URL = 4
DATE = 8
LOOSE_DATE = 16
TIME = 32
TIME_WORD = 64
BESIDE_HOUR = 128
NUMERAL = 256
ARTICLE = 512
UNIT = 1024
MIXED = 2048
"""A digit with a letter, or a sign that identifiers have, in one piece."""

SHORT_DAY = 4096
JOIN = 8192
SIDE = 16384
MINUTE = 32768
GERMAN = 65536

ALL = 131071

_ALONE = DIGIT | AT | URL | LOOSE_DATE | TIME_WORD | NUMERAL | GERMAN
_HOUR = DIGIT | NUMERAL | GERMAN | ARTICLE
_DIGIT = re.compile(r"[0-9]")
_ZEROS = str.maketrans("123456789", "000000000")
_ARTICLE = re.compile(r"(?<!\w)(?:half$|an?(?![a-z]))|ein|halb")
_LETTER = "[a-zäöüß]"
_UNIT = re.compile(
    rf"(?:^|-)(?:(?:{alternatives({word: unit for word, unit in (UNITS | CURRENCIES).items() if word.isalpha()})}|"
    rf"hundred|thousand|dozen|million)(?!{_LETTER})|per$)"
)


def signs_of(text: str) -> int:
    """The signs in `text` (folded, lower case)."""
    return signs_in(text.split())


def signs_in(pieces: Iterable[str]) -> int:
    """`signs_of` of a text that is cut at its white space."""
    return reduce(or_, map(_SIGNS.__getitem__, pieces), 0)


def may_state(signs: int) -> bool:
    """Whether a text with `signs` may have a value."""
    return signs & _ALONE != 0 or may_spell(signs) or may_date(signs) or may_tell_time(signs)


def may_date(signs: int) -> bool:
    """Whether there may be a date that is no whole one."""
    return signs & LOOSE_DATE != 0 or (signs & SHORT_DAY != 0 and signs & JOIN != 0)


def may_spell(signs: int) -> bool:
    """Whether there may be a number in words: one of its own, or a unit with an article."""
    return signs & (NUMERAL | GERMAN) != 0 or (signs & UNIT != 0 and signs & ARTICLE != 0)


def may_tell_time(signs: int) -> bool:
    """Whether there may be a time of day in words."""
    if signs & TIME_WORD:
        return True
    return signs & _HOUR != 0 and (signs & BESIDE_HOUR != 0 or (signs & SIDE != 0 and signs & MINUTE != 0))


def signs_of_piece(piece: str) -> int:
    """The signs of one piece. Digits are all alike to them, so that of `14:30` and `11:15` one is read."""
    if not _DIGIT.search(piece):
        return _of(piece)
    shape = piece.translate(_ZEROS)
    found = _SHAPES.get(shape)
    if found is None:
        found = _of(shape)
        if len(_SHAPES) < _MOST_SHAPES and len(shape) <= _LONGEST_SHAPE and "@" not in shape:
            _SHAPES[shape] = found
    return found


def _of(piece: str) -> int:
    found = AT if "@" in piece else 0
    if _DIGIT.search(piece):
        found |= DIGIT | (MIXED if has_identifier_sign(piece) else 0)
    for sign, tells in _TELLS:
        if tells(piece):
            found |= sign
    return found


_TELLS: tuple[tuple[int, Callable[[str], bool]], ...] = (
    (URL, has_url_sign),
    (DATE, has_date_sign),
    (LOOSE_DATE, has_loose_sign),
    (SHORT_DAY, is_short_day),
    (JOIN, joins_days),
    (TIME, has_time_sign),
    (TIME_WORD, has_time_word),
    (BESIDE_HOUR, stands_beside_hour),
    (SIDE, is_side),
    (MINUTE, is_minute),
    (NUMERAL, may_begin),
    (GERMAN, may_begin_german),
    (ARTICLE, lambda piece: _ARTICLE.search(piece) is not None),
    (UNIT, lambda piece: _UNIT.search(piece) is not None),
)
_SIGNS = Pieces(signs_of_piece)
_SHAPES: dict[str, int] = {}
_MOST_SHAPES = 2_000
_LONGEST_SHAPE = 16
