"""Personal data and secrets in a text, found by form, check digits and the words around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from handrail.guardrails.detect.checksums import (
    MAX_CARD_DIGITS,
    MAX_IBAN_LENGTH,
    MIN_CARD_DIGITS,
    MIN_IBAN_LENGTH,
    is_card_number,
    is_iban,
)
from handrail.guardrails.vocabulary import Signal, Span

NAME = "personal_data"

# INVARIANT: every repetition is bounded or over one class that what follows it cannot match, so that reading is linear.
_EMAIL = re.compile(
    r"(?<![\w.%+\-])[\w.%+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){0,7}\.(?=[\w\-]{0,61}[^\W\d_])[\w\-]{2,63}"
)
_DIGITS = re.compile(r"(?<![0-9A-Za-z+])[0-9](?:[ .\-]?[0-9]){11,40}")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}")
_IPV4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{4,39}(?![\w:])")
_PHONE = re.compile(
    r"(?<![\w+.\-/])(?:\+ ?|\()?[0-9](?:[ \t().\-/]{0,3}[0-9]){5,16}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?(?!\w|[\-/.][0-9])"
)
_PHONE_CUE = re.compile(
    r"(?:phone|mobile|cell|tel|telephone|fax|whatsapp|call me|call us|ring|reach me|text me|contact)\W{0,3}"
    r"(?:number|no|nr|at|on|is|under|me|my|:|\W){0,6}$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[\-/.][0-9]{1,2}[\-/.][0-9]{1,2}(?:[ T].*)?|"
    r"[0-9]{1,2}[\-/.][0-9]{1,2}[\-/.](?:[0-9]{4}|[0-9]{2})(?:[ T].*)?"
)
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[ .][0-9]{3}){1,4}(?:[.,][0-9]{2})?")
_SSN = re.compile(r"(?<![\w\-])(?!000|666)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w\-])")
_NINO = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d](?!\w)")
_NAMED_ID = re.compile(
    r"(?:passport|driver'?s? licen[cs]e|driving licen[cs]e|national id|identity card|id card|ssn|"
    r"social security|national insurance|personal id|tax id)(?: (?:number|no\.?|nr\.?|card)){0,2}(?: is|:|#|=| ){0,3} ?"
    r"(?P<value>[A-Za-z0-9][A-Za-z0-9\-]{4,19})(?!\w)",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?<![\w\-])(?:(?:sk|pk|rk)[_\-](?:live|test|proj|ant|svcacct)?[_\-]?[A-Za-z0-9_\-]{16,200}|gh[pousr]_[A-Za-z0-9]{20,255}"
    r"|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_\-]{16,100}|xox[abeprs]-[A-Za-z0-9\-]{10,250}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[A-Za-z0-9_\-]{30,60}|whsec_[A-Za-z0-9+/=]{16,100}"
    r"|eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,4000}(?:\.[A-Za-z0-9_\-]{0,1000})?)"
)
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,8000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)
_URL_LOGIN = re.compile(r"://(?P<value>[^\s:/@\[\]]{1,64}:[^\s/@\[\]]{1,64})@")
_NAMED_SECRET = re.compile(
    r"(?<![A-Za-z])(?P<name>pass ?word|passwd|passphrase|pass ?code|pwd|pin|api[ _\-]?key|access[ _\-]?key|"
    r"secret(?:[ _\-]key)?|(?:access|api|auth|bearer|refresh)[ _\-]?token|token|bearer|recovery code|"
    r"backup code|client[ _\-]secret)"
    r"(?P<link> ?[:=]{1,2} ?| (?:is|was)(?: now)?:? | )(?P<quote>[\"'`]?)(?P<value>[^\s\"'`\[\],;]{4,200})",
    re.IGNORECASE,
)
_NOT_A_SECRET = frozenset(
    [
        "wrong",
        "expired",
        "reset",
        "invalid",
        "incorrect",
        "forgotten",
        "required",
        "missing",
        "please",
        "error",
        "hidden",
        "rejected",
        "accepted",
        "correct",
        "changed",
        "null",
        "none",
        "true",
        "false",
        "string",
        "valid",
        "gone",
        "lost",
        "broken",
        "unknown",
        "optional",
        "sent",
        "here",
        "there",
    ]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of personal data: its code, the label that replaces it, and how it is found."""

    code: str
    label: str
    find: Callable[[str], Iterator[Span]]


def _span(match: re.Match[str], group: str | int = 0) -> Span:
    return Span(start=match.start(group), end=match.end(group))


def _secrets(text: str) -> Iterator[Span]:
    for pattern in (_KEY_BLOCK, _TOKEN):
        yield from (_span(match) for match in pattern.finditer(text))
    yield from (_span(match, "value") for match in _URL_LOGIN.finditer(text))
    yield from (_span(match, "value") for match in _NAMED_SECRET.finditer(text) if _is_named_secret(match))


def _is_named_secret(match: re.Match[str]) -> bool:
    """Whether "password is ..." goes on with a password and not with "wrong"."""
    value, link = match["value"].rstrip(".!?"), match["link"].strip()
    if len(value) < 4 or value.lower() in _NOT_A_SECRET:
        return False
    mixed = any(c.isdigit() for c in value) or any(not c.isalnum() for c in value.strip("-/.:()"))
    if match["quote"] or link in {":", "=", "::", "=="}:
        return True
    if link:
        return mixed
    # "token Zx81kd02" names a secret; "pin 4-step" or "password reset-link" does not.
    letters, figures = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    return figures and letters and len(value) >= 8


def _cards(text: str) -> Iterator[Span]:
    for match in _DIGITS.finditer(text):
        yield from _cards_within(text, match.start(), match.end())


def _cards_within(text: str, start: int, end: int) -> Iterator[Span]:
    """Card numbers in a run of digits that may begin or end with other numbers; borders lie between groups."""
    groups = [(found.start() + start, found.end() + start) for found in re.finditer(r"[0-9]+", text[start:end])]
    first = 0
    while first < len(groups):
        taken = None
        number = ""
        for last in range(first, len(groups)):
            number += text[groups[last][0] : groups[last][1]]
            if len(number) > MAX_CARD_DIGITS:
                break
            if len(number) >= MIN_CARD_DIGITS and is_card_number(number):
                taken = last
        if taken is None:
            first += 1
        else:
            yield Span(start=groups[first][0], end=groups[taken][1])
            first = taken + 1


def _ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        found = match.group()
        ends = [length for length in range(MIN_IBAN_LENGTH, len(found) + 1) if not found[length : length + 1].isalnum()]
        for length in reversed(ends):
            account = found[:length].replace(" ", "")
            if len(account) <= MAX_IBAN_LENGTH and is_iban(account):
                yield Span(start=match.start(), end=match.start() + length)
                break


def _addresses(text: str) -> Iterator[Span]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if pattern is _IPV6 and (match.group().count(":") < 2 or sum(c.isalnum() for c in match.group()) < 4):
                continue
            try:
                ip_address(match.group())
            except ValueError:
                continue
            yield _span(match)


def _phones(text: str) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        if _is_phone(match.group(), text[max(0, match.start() - 40) : match.start()]):
            yield _span(match)


def _is_phone(found: str, before: str) -> bool:
    groups = re.findall(r"[0-9]+", found.partition("x")[0].partition("ext")[0])
    count = sum(map(len, groups))
    if not 7 <= count <= 15 or _DATE.fullmatch(found):
        return False
    if found.startswith("+") or (found.startswith("00") and len(groups) > 1) or _PHONE_CUE.search(before):
        return True
    if len(groups) == 1 or _is_amount(found, groups):
        return False
    if found.startswith("(") or (count == 7 and len(groups[0]) == 3 and found[3] in "-."):
        return True
    return count >= 10 or (count == 9 and len(groups) > 2)


def _is_amount(found: str, groups: list[str]) -> bool:
    """Whether the digits read as one number with thousands set apart; 123 456 789 is dialled rather than counted."""
    return bool(_THOUSANDS.fullmatch(found)) and (len(groups[0]) < 3 or "." in found)


def _national_ids(text: str) -> Iterator[Span]:
    for pattern in (_SSN, _NINO):
        yield from (_span(match) for match in pattern.finditer(text))
    for match in _NAMED_ID.finditer(text):
        if sum(c.isdigit() for c in match["value"]) >= 4:
            yield _span(match, "value")


# Where two kinds claim the same characters, the earlier one has them.
KINDS: tuple[Kind, ...] = (
    Kind("PII_SECRET", "[secret]", _secrets),
    Kind("PII_IBAN", "[iban]", _ibans),
    Kind("PII_CARD", "[card]", _cards),
    Kind("PII_EMAIL", "[email]", lambda text: (_span(match) for match in _EMAIL.finditer(text))),
    Kind("PII_NATIONAL_ID", "[national id]", _national_ids),
    Kind("PII_IP", "[ip address]", _addresses),
    Kind("PII_PHONE", "[phone]", _phones),
)


def find_personal_data(text: str) -> tuple[Signal, ...]:
    """Every piece of personal data in `text`, in its order, without overlaps; spans are offsets in `text`."""
    taken = bytearray(len(text))
    found: list[Signal] = []
    for kind in KINDS:
        for span in kind.find(text):
            if not any(taken[span.start : span.end]):
                taken[span.start : span.end] = b"\x01" * (span.end - span.start)
                found.append(Signal(code=kind.code, detector=NAME, score=1.0, span=span))
    return tuple(sorted(found, key=lambda signal: signal.span.start if signal.span else 0))
