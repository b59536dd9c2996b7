"""Web addresses, e-mail addresses, phone, card and account numbers, and identifiers, each in normal form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output.values import Kind, Value

_TLDS = (
    "com|org|net|io|example|dev|app|co|ai|eu|de|uk|us|info|biz|me|help|support|cloud|online|site|shop|"
    "store|xyz|ly|link|"
    "ru|cn|fr|nl|it|es|ch|at|be|pl|se|in|jp|br|ca|au|edu|gov|mil|int|test|tech|page|live|click|top|win|gg|"
    "to|tv|cc|so|id"
)
_URL_HINT = re.compile(rf"://|www\.|\.(?:{_TLDS})(?![\w-])|[a-z]{{3}}\.[a-z]{{2}}/[a-z]")
_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,15}://|www\.)(?:[^\s\"'<>()\[\]\0]|<[\w-]{1,40}>){1,2000}"
    rf"|(?:[a-z0-9](?:[a-z0-9-]{{0,62}})\.){{1,6}}(?:(?:{_TLDS})(?![\w-]|\.\w)|[a-z]{{2}}(?=/[a-z]))"
    r"(?:[/?#:](?:[^\s\"'<>()\[\]\0]|<[\w-]{1,40}>){0,2000})?"
)
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.+-")
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_#-")
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._%+-")
_EMAIL_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9-]{1,63}){1,6}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?!\w)")
_DOTTED = re.compile(r"[0-9](?:(?<![\w.].)|(?<=\bv.))\d{0,4}(?:\.\d{1,5}){2,3}(?P<net>/\d{1,2})?(?![\w.]\d|\w)")
_IBAN = re.compile(r"[A-Z](?<!\w.)[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)")
_CARD = re.compile(r"[0-9](?<![\w.-].)(?:[ -]?\d){12,18}(?![\w-])")
_PHONE = re.compile(
    r"[0-9+(](?<![\w.,].)(?<![a-z]-.)\d?(?:(?! \(\d{1,2}(?:/|\s?h|\s[a-z]))[ ()./-]{0,2}\d){6,15}(?!\w|[.,]\d)"
)
_DIGIT_TOKEN = re.compile(r"[0-9][\w-]*")
_IDENTIFIER = re.compile(
    r"(?:#[A-Za-z]{0,6}-?\d[\w-]{0,60}"
    r"|[A-Z][A-Z0-9]{0,9}[-_](?=[\w-]{0,60}\d)[\w-]{1,60}"
    r"|(?:inv|ord|cn|rct|tkt|ticket|case|ref|cus|sub|acct|req|pay|txn|tx|usr|user|org|ch|in|cr|id)[-_]"
    r"(?=[\w-]{0,60}\d)[\w-]{2,60}"
    r"|[A-Za-z][A-Za-z0-9]{0,15}(?=[\w-]{0,80}\d[\w-]{0,80}\d)(?:-[A-Za-z0-9]{1,20}){2,6}"
    r"|[a-z]{2,20}_(?=\w{0,60}\d)\w{2,60}"
    r"|(?=[A-Z]{0,11}\d)(?=\d{0,11}[A-Z])[A-Z0-9]{5,12}|[A-Z]\d{2,3}|[A-Z]{2,12}(?:-[A-Z]{2,12}){2,4}"
    r"|[A-Z]{1,6}\d{3,}[A-Z0-9]{0,40}|[A-Z]{4,12}\d{1,3}|\d{2,6}-[A-Z]{1,3}"
    r"|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}"
    r"|(?!\d{1,4}x\d)(?=[A-Za-z]{0,60}\d)(?=\d{0,60}[A-Za-z])(?=\D{0,60}\d\D{0,60}\d)[A-Za-z0-9]{8,60})(?!\w)"
)
_DIGITS = re.compile(r"\d+")
_NOT_DIGIT = re.compile(r"\D+")
_SEPARATORS = re.compile(r"[\s#_-]+")
_TRAILING = ".,;:!?*_`~|"


_URL_SIGN = re.compile(r"://|www\.|\.[a-z]")
_IDENTIFIER_SIGN = re.compile(r"[a-z#_-]")


def has_url_sign(piece: str) -> bool:
    """Whether a piece of a text may belong to a web address. INVARIANT: true of one piece of each."""
    return _URL_SIGN.search(piece) is not None


def has_identifier_sign(piece: str) -> bool:
    """Whether a piece with a digit may belong to an identifier or an IBAN. INVARIANT: true of one piece of each."""
    return _IDENTIFIER_SIGN.search(piece) is not None


def emails(text: str) -> Iterator[Value]:
    """E-mail addresses of `text` (lower case). Linear: only the surroundings of each @ are looked at."""
    at = text.find("@")
    while at >= 0:
        start = _reach_back(text, at, _LOCAL, 0, 64)
        host = _EMAIL_HOST.match(text, at + 1)
        if start < at and host is not None:
            yield Value(Kind.EMAIL, start, host.end(), (text[start : host.end()].lstrip("._%+-"),))
        at = text.find("@", at + 1)


def urls(text: str) -> Iterator[Value]:
    """Web addresses of `text` (lower case), with or without a scheme. Linear: only hints of one are looked at."""
    last = 0
    for hint in _URL_HINT.finditer(text):
        if hint.start() < last:
            continue
        start = _reach_back(text, hint.start(), _HOST, last, 255)
        while start < hint.start() and text[start] in ".+-":
            start += 1
        match = _URL.match(text, start)
        if match is None:
            continue
        shown = match.group().rstrip(_TRAILING)
        last = start + len(shown)
        if url_key(shown):
            yield Value(Kind.URL, start, last, (url_key(shown),))


def _reach_back(text: str, at: int, letters: frozenset[str], least: int, most: int) -> int:
    """The start of the run of `letters` that ends at `at`, not before `least` and at most `most` long."""
    start = at
    while start > least and at - start < most and text[start - 1] in letters:
        start -= 1
    return start


def url_key(address: str) -> str:
    """Host and path without scheme, `www.` and a closing slash."""
    _, _, rest = address.rpartition("://") if "://" in address[:24] else ("", "", address)
    return rest.removeprefix("www.").rstrip("/" + _TRAILING)


def identifiers(text: str) -> Iterator[Value]:
    """Document numbers and record keys of `text` (folded, case kept): INV-2041, #12345, ord_81fa, W1234567."""
    last = 0
    for digits in _DIGIT_TOKEN.finditer(text):
        start = digits.start()
        if start < last or (digits.group().isdigit() and text[start - 1 : start] not in _TOKEN):
            # Bare digits are a number.
            continue
        start = _reach_back(text, start, _TOKEN, last, 60)
        if start and text[start - 1] in "/.":
            continue
        match = _UUID.match(text, start) or _IDENTIFIER.match(text, start)
        if match is not None:
            shown = match.group().rstrip("-_")
            last = start + len(shown)
            yield Value(Kind.IDENTIFIER, start, last, (identifier_key(shown),))


def identifier_key(shown: str) -> str:
    """An identifier without separators, in capitals."""
    return _SEPARATORS.sub("", shown).upper()


def machine_numbers(text: str) -> Iterator[Value]:
    """IP addresses and version numbers of `text`."""
    for match in _DOTTED.finditer(text) if "." in text else ():
        is_ip = match.group().count(".") == 3
        yield Value(Kind.IP if is_ip else Kind.IDENTIFIER, match.start(), match.end(), (match.group(),))


def account_numbers(text: str) -> Iterator[Value]:
    """Payment cards (Luhn) and IBANs (mod 97) of `text` (case kept)."""
    for match in _CARD.finditer(text):
        digits = _NOT_DIGIT.sub("", match.group())
        if _luhn(digits):
            yield Value(Kind.CARD, match.start(), match.end(), (digits,))
    for match in _IBAN.finditer(text):
        key = match.group().replace(" ", "")
        if _iban(key):
            yield Value(Kind.IBAN, match.start(), match.end(), (key,))


def phones(text: str) -> Iterator[Value]:
    """Phone numbers: 8 to 15 digits that are grouped like one or begin with + or 0."""
    for match in _PHONE.finditer(text):
        shown = match.group()
        digits = _NOT_DIGIT.sub("", shown)
        groups = _DIGITS.findall(shown)
        grouped = len(groups) >= 3 and max(map(len, groups)) <= 5 and not all(len(group) == 3 for group in groups[1:])
        dialled = shown[0] in "+(" or (shown[0] == "0" and len(groups) >= 2) or shown.startswith("00")
        local = len(groups) == 2 and len(groups[0]) == 3 and len(groups[1]) == 4 and "-" in shown
        us = len(groups) >= 3 and [len(group) for group in groups[-3:]] == [3, 3, 4]
        if 7 <= len(digits) <= 15 and (dialled or grouped or us or local):
            yield Value(Kind.PHONE, match.start(), match.end(), (phone_key(digits),))


def phone_key(digits: str) -> str:
    """The last nine digits: the same line, dialled from home or from abroad."""
    return digits.lstrip("0")[-9:]


def _luhn(digits: str) -> bool:
    total = 0
    for index, char in enumerate(reversed(digits)):
        number = int(char) * (1 + index % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0 and len(set(digits)) > 1


def _iban(key: str) -> bool:
    moved = key[4:] + key[:4]
    return 15 <= len(key) <= 34 and int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
