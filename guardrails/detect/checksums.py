"""Check digits of card numbers and bank accounts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from string import ascii_uppercase, digits

MIN_CARD_DIGITS = 12
MAX_CARD_DIGITS = 19
MIN_IBAN_LENGTH = 15
MAX_IBAN_LENGTH = 34
ISSUERS = ("3", "4", "5", "6", "22", "23", "24", "25", "26", "27", "1800", "2014", "2100", "2131", "2149")
"""First digits of payment cards: 22 to 27 are Mastercard and Mir, the long ones old numbers of JCB and Diners Club."""

SHORT_ISSUERS = ("50", "56", "57", "58", "6")
"""Maestro, whose numbers may have twelve digits."""

_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))

_REGISTRY = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
    "YE30"
)
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _REGISTRY.split()}
"""Length of an IBAN by country: SWIFT's IBAN registry, release 101."""


class Digits:
    """A row of ASCII digits; whether a part of it is a card number costs the same however long part and row are."""

    def __init__(self, text: str) -> None:
        self.text = text
        plain = text.encode("ascii").translate(_VALUES)
        doubled = plain.translate(_DOUBLED)
        # Luhn doubles every second digit from the right: which ones depends on whether the end is odd or even.
        sums = []
        for odd in (0, 1):
            summed = bytearray(plain)
            summed[odd::2] = doubled[odd::2]
            sums.append(bytes(total % 10 for total in accumulate(summed, initial=0)))
        self._sums = tuple(sums)

    def issued(self, start: int) -> bool:
        """Whether the first digits of a card issuer stand at `start`."""
        return self.text.startswith(ISSUERS, start)

    def card_ends(self, start: int, ends: Sequence[int]) -> list[int]:
        """Those of `ends` up to which the digits from `start` are a card number: length, issuer and Luhn sum.

        ISO/IEC 7812-1; its annex B has the sum.
        """
        if not self.issued(start):
            return []
        sums, wanted = self._sums, (self._sums[0][start], self._sums[1][start])
        return [
            end
            for end in ends
            if sums[end & 1][end] == wanted[end & 1]
            and MIN_CARD_DIGITS <= end - start <= MAX_CARD_DIGITS
            and len(set(self.text[start:end])) > 1
        ]


def is_card_number(number: str) -> bool:
    """Whether the ASCII digits `number` are a card number: length, issuer digit and Luhn sum (ISO/IEC 7812-1)."""
    return bool(Digits(number).card_ends(0, [len(number)]))


def is_iban(account: str) -> bool:
    """Whether `account`, without spaces, is an IBAN: length, form and mod-97 remainder (ISO 13616)."""
    text = account.upper()
    if not MIN_IBAN_LENGTH <= len(text) <= MAX_IBAN_LENGTH or any(c not in ascii_uppercase + digits for c in text):
        return False
    if text[0] in digits or text[1] in digits or not text[2:4].isdigit():
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1
