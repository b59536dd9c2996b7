"""Numbers written as words, in English and German: twenty-four hours, half an hour, drei Tage, einen Monat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from handrail.guardrails.output.units import CURRENCIES, TIME_UNITS, UNITS, alternatives, is_workday, unit_of
from handrail.guardrails.output.values import Form, Kind, Value, normal

SMALL_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "null": 0, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5,
    "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12, "dreizehn": 13,
    "vierzehn": 14, "fünfzehn": 15, "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "siebzig": 70,
    "achtzig": 80, "neunzig": 90,
}  # fmt: skip
_TIMES = {"": 1, "dozen": 12, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "hundert": 100, "tausend": 1_000}
_LETTER = "[a-zäöüß]"
_CURRENCY_WORDS = {word: unit for word, unit in CURRENCIES.items() if word.isalpha() and len(word) > 3}
_UNIT_WORDS = {word: unit for word, unit in UNITS.items() if len(word) > 2 and word != "std"}
UNIT_WORDS = (
    r"(?:[ -](?P<sort>(?:business|working|banking|calendar|full|more|further|additional|weitere[nr]?|volle[nr]?)[ -])?"
    rf"(?P<unit>{alternatives(_UNIT_WORDS | _CURRENCY_WORDS)})(?!{_LETTER}))"
)
_ONES = "one|two|three|four|five|six|seven|eight|nine"
# The first letter stands alone in front, so that the regex engine can skip to it: five times faster.
_WORD_NUMBER = re.compile(
    r"(?P<word>[tfsenoz](?<![\w-].)(?:eventeen|ighteen|hirteen|ourteen|ineteen|ifteen|ixteen|leven|eventy|welve|wenty|"
    r"hirty|ighty|inety|orty|ifty|ixty|even|hree|ight|ero|our|ive|ine|ne|wo|ix|en))"
    rf"(?:[ -](?P<ones>{_ONES})(?!{_LETTER}))?(?: (?P<times>hundred|thousand|dozen|million))?(?!{_LETTER}){UNIT_WORDS}?"
)
_GERMAN = re.compile(
    r"(?P<whole>[zdvfsane](?<![\w-].)(?:(?:(?P<ones>in|wei|rei|ier|ünf|echs|ieben|cht|eun)und)?"
    r"(?P<ten>zwanzig|drei(?:ß|ss)ig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig|"
    r"wanzig|rei(?:ß|ss)ig|ierzig|ünfzig|echzig|iebzig|chtzig|eunzig)"
    r"|(?P<small>reizehn|ierzehn|ünfzehn|echzehn|iebzehn|chtzehn|eunzehn|wölf|lf|ehn|wei|rei|ier|ünf|echs|ieben|cht|"
    r"eun|ull)(?P<times>hundert|tausend|mal)?))"
    rf"(?!{_LETTER}){UNIT_WORDS}?"
)
_ARTICLE = re.compile(
    r"(?P<article>[ah](?<!\w.)(?:(?<=h)alf an?|(?<=a)n?))(?: (?P<times>hundred|thousand|dozen|million))?(?![a-z])"
    rf"{UNIT_WORDS}?"
)
_ARTICLE_BEFORE = re.compile(r"(?:within|in|after|for|about|around|under|than|takes?|least|most|only|just|another) $")
_AFTER = re.compile(r" (?:earlier|later|ahead|beforehand|in advance)(?!\w)")
_COUNTED = re.compile(
    r"(?: (?:and|or) (?:a )?third(?!\w))|"
    r" (?!and |or |before |after |until |when |while |to |at |on |in |for |if |then )[a-z]"
)
"""What follows `a second` where it ranks things (a second visit)."""

_GERMAN_BEFORE = re.compile(
    r"(?:innerhalb|binnen|in|nach|vor|von|bei|um|für|beträgt|noch|mindestens|höchstens|erst|nur|etwa|ist|"
    r"sind|spätestens) $"
)
_GERMAN_ONE = re.compile(rf"(?P<article>e(?<!\w.)ine?(?:[mnrs])?)(?!{_LETTER}){UNIT_WORDS}")
_GERMAN_HALF = re.compile(rf"(?P<article>halbe[nrs]?|anderthalb)(?!{_LETTER}){UNIT_WORDS}")


def spelled(text: str, *, english: bool, german: bool) -> Iterator[Value]:
    """Every number of `text` (folded, lower case) that is written as a word; in which language it can be is known."""
    for match in _WORD_NUMBER.finditer(text) if english else ():
        amount = _english(match["word"], match["ones"] or "")
        if amount is not None:
            yield _value(match, amount * _TIMES[match["times"] or ""])
    for match in _GERMAN.finditer(text) if german else ():
        amount = _german(match)
        if amount is not None:
            yield _value(match, amount)
    for match in _ARTICLE.finditer(text):
        half = match["article"][0] == "h"
        if match["times"] or (match["unit"] and (half or _is_length(text, match))):
            yield _value(match, (Decimal("0.5") if half else Decimal(1)) * _TIMES[match["times"] or ""])
    yield from _german_articles(text)


def may_begin(piece: str) -> bool:
    """Whether a piece of a text (between white space) may begin a number in English words that needs no unit."""
    return _WORD_NUMBER.search(piece) is not None


def may_begin_german(piece: str) -> bool:
    """The same in German."""
    return _GERMAN.search(piece) is not None


def _german_articles(text: str) -> Iterator[Value]:
    """`Einen Monat` and `halbe Stunde`."""
    if "ein" in text:
        for match in _GERMAN_ONE.finditer(text):
            if _GERMAN_BEFORE.search(text[max(0, match.start() - 14) : match.start()]):
                yield _value(match, Decimal(1))
    if "halb" in text:
        for match in _GERMAN_HALF.finditer(text):
            yield _value(match, Decimal("1.5") if match["article"][0] == "a" else Decimal("0.5"))


def _is_length(text: str, match: re.Match[str]) -> bool:
    """Whether `an hour` says how long something takes (within an hour), not how often (twice an hour, in a month)."""
    if match["unit"] == "second" and _COUNTED.match(text, match.end()):
        return False
    if _AFTER.match(text, match.end()):
        return True
    before = _ARTICLE_BEFORE.search(text[max(0, match.start() - 9) : match.start()])
    return before is not None and not (before.group() in {"in ", "for "} and match["unit"] in {"month", "year"})


def _english(word: str, ones: str) -> Decimal | None:
    if word in _TENS:
        return Decimal(_TENS[word] + SMALL_WORDS.get(ones, 0))
    return None if ones or word not in SMALL_WORDS else Decimal(SMALL_WORDS[word])


def _german(match: re.Match[str]) -> Decimal | None:
    """The number of a German word; None for a word that only looks like one (`full`)."""
    whole = match["whole"]
    if match["small"]:
        number = SMALL_WORDS.get(whole.removesuffix(match["times"] or ""))
        factor = 1 if match["times"] == "mal" else _TIMES[match["times"] or ""]
        return None if number is None else Decimal(number * factor)
    ones, joined, ten = whole.rpartition("und")
    if ten not in _TENS:
        return None
    return Decimal(_TENS[ten] + ((1 if ones == "ein" else SMALL_WORDS.get(ones, 0)) if joined else 0))


def _value(match: re.Match[str], amount: Decimal) -> Value:
    word = match["unit"] or ""
    currency = CURRENCIES.get(word)
    unit = currency or unit_of(word)
    kind = Kind.MONEY if currency else Kind.DURATION if unit in TIME_UNITS else Kind.NUMBER
    working = kind is Kind.DURATION and is_workday(f"{match['sort'] or ''}{word}")
    return Value(kind, match.start(), match.end(), (normal(amount),), unit, Form.WORDS, working)
