"""Finds the values that a flow asks for in what the customer wrote. Values are kept as written, never interpreted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from handrail.guardrails.flows.cards import CARD_MASK, masked
from handrail.guardrails.flows.model import Extract, FieldSpec, said_in

MAX_TEXT = 4000
"""Characters of a message that are searched; what a flow asks for stands in far less."""

MAX_VALUE = 500
"""Characters of a free text that are kept."""

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATE = re.compile(
    rf"""\b(?:
      \d{{4}}-\d{{2}}-\d{{2}}
    | \d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b\.?(?:,?\s+\d{{4}})?
    | {_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?
    | (?!24/7\b)\d{{1,2}}/\d{{1,2}}(?:/\d{{4}}|/\d{{2}})?
    | \d{{1,2}}\.\d{{1,2}}\.(?:\d{{4}}|\d{{2}})?
    | \d{{1,2}}-\d{{1,2}}-\d{{4}}
    | the\s+day\s+before\s+yesterday | yesterday | today | this\s+morning | last\s+night
    | (?:last|this|on)\s+{_WEEKDAY}
    | (?:\d{{1,2}}|two|three|four|five|six|a\s+couple\s+of|a\s+few)\s+(?:days|weeks)\s+ago | a\s+week\s+ago
    )(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_INVOICE = re.compile(r"(?<![A-Za-z0-9])INV[\s\-–#]{0,2}(\d{4,8})(?!\d)", re.IGNORECASE)
_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_CODE = r"(?:EUR|USD|GBP|CHF)"
_WORD = r"(?:euros?|dollars?|pounds?|bucks)"
_AMOUNT = re.compile(
    rf"(?:[€$£]|\b(?:US\$|{_CODE}))\s?(?:{_NUMBER})(?![\d])|(?<![\d.,])(?:{_NUMBER})\s?(?:[€$£]|(?:{_CODE}|{_WORD})\b)",
    re.IGNORECASE,
)
_BARE_AMOUNT = re.compile(r"(?<![\d.,/#\-])\d{1,3}(?:,\d{3})*[.,]\d{2}(?![\d/.\-])")
_LAST_FOUR = re.compile(
    r"""(?:
      (?:ending|ends|ended)(?:\s+(?:in|with|on))?
    | (?:last|final)\s+(?:four|4)(?:\s+(?:digits|numbers))?(?:\s+of\s+(?:(?:my|the|our)\s+)?(?:\w+\s+){0,2}?\w+)?
      (?:\s*(?:are|is|were|:|=))?
    | (?:card|account|visa|mastercard|amex)(?:\s+(?:number|no\.?))?\s*(?:is|:|\#|\s)
    | [x*•]{2,}[\s\-]?
    )\s*[:#]?\s*\(?(?P<digits>\d{4})(?![\d]|[.,\-/]\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_BARE_FOUR = re.compile(r"(?<![\w.,/€$£\-])\d{4}(?!\w|[.,\-/]\d|\s?[€$£])")
_YEAR = re.compile(r"(?:19|20)\d{2}")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}(?![\w-])")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, in which text. `asked` says that the text answers a question about this field."""

    field: FieldSpec
    text: str
    language: str | None
    asked: bool


Extractor = Callable[[Query], list[str]]


def find(query: Query) -> str | None:
    """The value of the field in the text, or None. No value ever holds a whole card number."""
    text = masked(query.text[:MAX_TEXT])
    extractor = dict(EXTRACTORS)[query.field.extract]
    found = list(dict.fromkeys(extractor(Query(query.field, text, query.language, query.asked))))
    if not found:
        return None
    return ", ".join(found) if query.field.many else found[0]


def _invoice_id(query: Query) -> list[str]:
    found = [f"INV-{match[1]}" for match in _INVOICE.finditer(query.text)]
    if found or not query.asked:
        return found
    # "4821" alone is an answer to nothing but a question for the number alone.
    return [f"INV-{query.text.strip()}"] if re.fullmatch(r"\s*#?\d{4}\s*", query.text) and not query.field.many else []


def _date(query: Query) -> list[str]:
    return _matches(_DATE, query.text)


def _amount(query: Query) -> list[str]:
    found = _matches(_AMOUNT, query.text)
    if found or not query.asked:
        return found
    return _matches(_BARE_AMOUNT, _without(query.text, (_INVOICE, _DATE)))


def _last_four(query: Query) -> list[str]:
    found = [match["digits"] for match in _LAST_FOUR.finditer(_without(query.text, (_INVOICE,)))]
    if found or not query.asked:
        return found
    rest = _without(query.text, (_INVOICE, _DATE, _AMOUNT))
    bare = _matches(_BARE_FOUR, rest)
    # A lone year-like number still answers a question that asks for nothing else.
    return [digits for digits in bare if not _YEAR.fullmatch(digits)] or (bare if rest.strip() in bare else [])


def _email(query: Query) -> list[str]:
    return [match.rstrip(".") for match in _matches(_EMAIL, query.text)]


def _choice(query: Query) -> list[str]:
    """The option whose longest phrase stands in the text; several of equal length are no answer."""
    text = _folded(query.text)
    best: list[str] = []
    longest = 0
    for option in query.field.options:
        phrases = (*said_in(option.words, query.language), said_in(option.label, query.language))
        length = max((len(phrase) for phrase in phrases if _stands(phrase, text)), default=0)
        if length > longest:
            best, longest = [option.value], length
        elif length == longest and length:
            best.append(option.value)
    return best if len(best) == 1 else []


def _pattern(query: Query) -> list[str]:
    return _matches(re.compile(query.field.pattern or "(?!)"), query.text)


def _free_text(query: Query) -> list[str]:
    text = " ".join(query.text.split())[:MAX_VALUE]
    # Beside a choice, "cancel it" is the choice and not a reason.
    least = 1 if query.field.required else 5
    return [text] if query.asked and len(text.split()) >= least and text != CARD_MASK else []


# One line per way to find a value.
EXTRACTORS: tuple[tuple[Extract, Extractor], ...] = (
    (Extract.INVOICE_ID, _invoice_id),
    (Extract.DATE, _date),
    (Extract.AMOUNT, _amount),
    (Extract.LAST_FOUR, _last_four),
    (Extract.EMAIL, _email),
    (Extract.CHOICE, _choice),
    (Extract.PATTERN, _pattern),
    (Extract.FREE_TEXT, _free_text),
)


def _matches(pattern: re.Pattern[str], text: str) -> list[str]:
    return [" ".join(match[0].split()).rstrip(",") for match in pattern.finditer(text) if match[0]]


def _without(text: str, patterns: Iterable[re.Pattern[str]]) -> str:
    for pattern in patterns:
        text = pattern.sub(" ", text)
    return text


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


def _stands(phrase: str, text: str) -> bool:
    folded = _folded(phrase)
    return bool(folded) and re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", text) is not None
