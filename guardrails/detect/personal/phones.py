"""Phone numbers: by their prefix, by words before or behind them, or by how their digits are grouped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.detect.personal.kind import mentions, span_of
from handrail.guardrails.vocabulary import Span

# INVARIANT: every repetition is bounded, so that reading is linear.
_PHONE = re.compile(
    r"(?:(?<![\w+])\+ ?|(?<![\w+.\-/])\(?\+?)[0-9](?:[ \t().\-/]{0,3}[0-9]){4,17}"
    r"(?: ?(?:x|ext\.?|extension|#) ?[0-9]{1,6})?(?!\w|[\-/.][0-9])",
    re.IGNORECASE,
)
_NAMES = (
    "phone", "mobile", "cell", "tel", "fax", "whats", "signal", "landline", "handy", "télé", "celular", "móvil",
    "movil", "portable", "sms", "text", "call", "ring", "dial", "reach", "contact", "answer", "voicemail", "message",
    "desk", "office", "registered", "hotline", "number",
)  # fmt: skip
"""Letters of the words below: when none is there, none of the words is."""

_WORD = (
    r"(?:(?:tele)?phones?|mobiles?|cell(?:phone|ular)?s?|tel|fax|whats ?app|signal|telegram|landline|handy|"
    r"telefon|telefono|"
    r"t[eé]l[eé]phone|tel[eé]fono|celular|m[oó]vil|portable|sms|texts?|calls?|called|calling|ring|dial|reach|contact|"
    r"answering|callback|call back|voicemail|messages?|desk|office|registered|hotline|phoned|"
    r"(?:my|his|her|our|their|contact|daytime|home|work|business) number)"
)
_LINK = (
    r"(?:number|numbers|no|nr|num|at|on|is|was|under|me|us|my|him|her|them|to|back|it|its|it's|the|this|"
    r"following|via|by|"
    r"from|new|old|registered|home|work|main|whatsapp|sms|or|text|can|you|be|reached|got|received|any|get|with|account|"
    r"linked|associated|file|please|s|has|have|been|changed|that|i|he|she|they|given|gave|a|and|if|there|again|back)"
)
_CUE = re.compile(rf"(?<![\w\[]){_WORD}(?!\w)\.?(?:\W{{0,3}}{_LINK}(?!\w)){{0,8}}\W{{0,4}}$", re.IGNORECASE)
_FAR_CUE = re.compile(
    rf"(?<![\w\[]){_WORD}(?!\w)[^\n]{{0,45}}(?<!\w)(?:is|was|it['’]s|its|be|with|to|:|=)\W{{0,3}}$", re.IGNORECASE
)
_CUE_REACH = 70
_BEHIND = re.compile(
    r"[ \t]{0,2}[-(\[,]?[ \t]{0,2}(?:office|fax|mobile|cell|home|work|desk|tel|phone|whatsapp|"
    r"is my (?:new |old |home |work |cell |mobile )?(?:number|phone|cell|mobile))\b",
    re.IGNORECASE,
)
_OTHER_WORD = (
    r"(?:orders?|invoices?|bills?|purchases?|tickets?|cases?|bookings?|reservations?|flights?|trains?|parts?|"
    r"lots?|batch|"
    r"range|between|tracking|reference|ref|confirmation|account|policy|serial|model|product|item|sku|code|id|"
    r"id's|amount|"
    r"total|balance|claim|transaction|insurance|member(?:ship)?|customer|seat|gate|room|version|year|years|routing|"
    r"sort|isbn|"
    r"upc|page|[$€£¥#]|usd|eur|gbp)"
)
_OTHER = re.compile(
    rf"{_OTHER_WORD}(?:\W{{0,3}}(?:number|no|nr|num|is|was|id|of|it|s|#|would|be|i|have|has|here|now|for|this|"
    rf"my)(?!\w)){{0,5}}"
    r"\W{0,3}$",
    re.IGNORECASE,
)
_NUMBER_OF_OTHER = re.compile(rf"(?<!\w){_OTHER_WORD}(?!\w)", re.IGNORECASE)
_UNIT = re.compile(
    r"\s?(?:[€$£¥%]|(?:usd|eur|gbp|dollars?|euros?|pounds?|users?|items?|am|pm|km|kg|gb|mb|rows?|people|times|units?|"
    r"pieces|days?|hours?)\b)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[\-/. ][0-9]{1,2}[\-/. ][0-9]{1,2}(?:[ T].*)?|"
    r"[0-9]{1,2}[\-/.][0-9]{1,2}[\-/.](?:[0-9]{4}|[0-9]{2})(?:[ T].*)?|"
    r"(?:19|20)[0-9]{2} ?[\-/] ?(?:19|20)[0-9]{2}"
)
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[ .][0-9]{3}){1,4}(?:[.,][0-9]{2})?")
_EXTENSION = re.compile(r" ?(?:x|e|#)", re.IGNORECASE)
_NANP = (3, 3, 4)
_SHORT = frozenset({(3, 4), (4, 4)})
_YEARS = re.compile(r"(?:1[89]|20)[0-9]{2}.{1,3}(?:1[89]|20)[0-9]{2}")


def phones(text: str) -> Iterator[Span]:
    """Phone numbers of any country, without the words around them."""
    named = mentions(text, _NAMES)
    for match in _PHONE.finditer(text):
        before = text[max(0, match.start() - _CUE_REACH) : match.start()]
        near = named and mentions(before, _NAMES)
        if _is_phone(match.group(), before, text[match.end() : match.end() + 40], named=near):
            yield span_of(match)


def _is_phone(found: str, before: str, behind: str, *, named: bool) -> bool:
    groups = re.findall(r"[0-9]+", _EXTENSION.split(found, maxsplit=1)[0])
    count = sum(map(len, groups))
    if not 5 <= count <= 15 or _DATE.fullmatch(found) or (before and before[-1] in "$€£¥"):
        return False
    if count >= 7 and (found.startswith(("+", "(+")) or (found.startswith("00") and len(groups) > 1)):
        return True
    if count >= 6 and ((named and _CUE.search(before)) or _BEHIND.match(behind)):
        return True
    # The cheap questions first: most numbers are none, and the words before them are dear to read.
    dialled = _is_dialled(found, groups, count) and not _UNIT.match(behind)
    if not (dialled or (named and count >= 7)) or _OTHER.search(before):
        return False
    return dialled or (_FAR_CUE.search(before) is not None and not _NUMBER_OF_OTHER.search(before))


def _is_dialled(found: str, groups: list[str], count: int) -> bool:
    """Whether digits in groups, without a word that says so, are grouped as phone numbers are."""
    if count < 7 or len(groups) == 1 or _is_amount(found, groups):
        return False
    lengths = tuple(map(len, groups))
    if found.startswith("("):
        return ")" in found
    if found.startswith("0"):
        return 9 <= count <= 12
    if lengths in _SHORT:
        return not _YEARS.fullmatch(found)
    if lengths[-3:] == _NANP:
        return True
    return (count >= 10 and len(groups) > 2 and max(lengths) <= 5) or (count == 9 and len(groups) > 2)


def _is_amount(found: str, groups: list[str]) -> bool:
    """Whether the digits read as one number with thousands set apart; 123 456 789 is dialled rather than counted."""
    return bool(_THOUSANDS.fullmatch(found)) and (len(groups[0]) < 3 or "." in found)
